// RunSubject: what a run says that it is of: program, data set, seed.
//
// Runs of the exact engine always say it, recorded ones where they were bound to a program before
// they began. That it is so is what a proof shows. docs/formats/run.md.
//
// Place: trainer, over repo's run folder. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "program/program.h"
#include "repo/run.h"

namespace flair::trainer {

inline constexpr std::string_view kProgramFile = "program.flair";
inline constexpr const char* kSeedSetting = "seed";
inline constexpr const char* kDataSetting = "data";

struct RunSubject {
  program::Program program;
  std::string data;                 // folder of the registered data set; empty: none
  std::optional<Digest> data_card;  // its card's id
  Digest seed;
};

// None for a run that names no program. Errors: kCorrupt when what lies beside run.json is not what
// it names.
Result<std::optional<RunSubject>> SubjectOf(Env& env, const std::string& folder,
                                            const RunMeta& meta);

}  // namespace flair::trainer
