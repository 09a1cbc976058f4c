// SPDX-License-Identifier: Apache-2.0
#include "cli/program_file.h"

#include <utility>

#include "program/encoding.h"
#include "program/text.h"

namespace flair::cli {
namespace {

bool IsText(const Bytes& bytes) { return AsText(bytes).starts_with("flair program"); }

}  // namespace

Result<program::Program> ReadProgram(Env& env, const std::string& path) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, program::kMaxProgramBytes));
  auto program =
      IsText(bytes) ? program::ParseProgram(AsText(bytes)) : program::DecodeProgram(bytes);
  if (!program.ok()) return std::move(program).error().In(path);
  return program;
}

Result<bool> IsProgramText(Env& env, const std::string& path) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, program::kMaxProgramBytes));
  return IsText(bytes);
}

}  // namespace flair::cli
