// SPDX-License-Identifier: Apache-2.0
#include "trainer/run_subject.h"

#include <utility>

#include "base/path.h"
#include "program/encoding.h"

namespace flair::trainer {
namespace {

const std::string* SettingOf(const RunMeta& meta, std::string_view name) {
  for (const auto& [key, value] : meta.settings) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace

Result<std::optional<RunSubject>> SubjectOf(Env& env, const std::string& folder,
                                            const RunMeta& meta) {
  if (!meta.program) return std::optional<RunSubject>();
  RunSubject subject;
  const std::string path = JoinPath(folder, kProgramFile);
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, program::kMaxProgramBytes));
  auto program = program::DecodeProgram(bytes);
  if (!program.ok()) return std::move(program).error().In(path);
  subject.program = std::move(*program);
  const auto corrupt = [&](const std::string& what) {
    return Error(ErrorCode::kCorrupt, folder + ": " + what);
  };
  if (meta.program != program::HashProgram(subject.program)) {
    return corrupt("the program is not the one that the run names");
  }
  const std::string* seed = SettingOf(meta, kSeedSetting);
  if (seed == nullptr) return corrupt("the run names no seed");
  FLAIR_TRY(subject.seed, Digest::FromHex(*seed));
  if (const std::string* data = SettingOf(meta, kDataSetting)) subject.data = *data;
  subject.data_card = meta.data_card;
  return std::optional(std::move(subject));
}

}  // namespace flair::trainer
