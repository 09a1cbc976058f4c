// ExactRun: a run of the exact engine, written and read. docs/formats/run.md.
//
// Its folder holds the program (`program.flair`), the tensors before the first and after the last
// step as float64, and every step's rows. What lies between follows from these and the seed.
//
// Place: trainer, over repo's run folder. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "program/lower.h"
#include "program/program.h"
#include "program/train.h"
#include "trainer/model_tensors.h"
#include "trainer/run_subject.h"

namespace flair::trainer {

inline constexpr std::string_view kExactFramework = "flair exact 1";

// What a run is of. Without columns it has no card.
struct ExactRun {
  program::Program program;
  std::string data;                 // folder of the registered data set; empty: none
  std::optional<Digest> data_card;  // its card's id
  Digest seed;
  std::uint64_t first_step = 0;
  std::uint64_t steps = 1;
  ModelIntegers start;
};

struct TrainedRun {
  std::string id;
  std::string folder;
  ModelIntegers end;
  std::uint64_t samples = 0;  // distinct rows
};

using OnStep = std::function<Status(std::uint64_t done, std::uint64_t of)>;

// Trains, and writes the run under `runs_dir`. REQUIRES: CheckProgram(run.program) is ok.
// `on_step`: its error ends the run; what is cancelled leaves nothing. Errors: those of training,
// naming step, tensor and value.
Result<TrainedRun> TrainExact(Env& env, const std::string& runs_dir, const ExactRun& run,
                              const program::Lowered& lowered, const program::DataSet& data,
                              const OnStep& on_step);

// A run as it was written, and what it ended with.
struct ReadRun {
  ExactRun run;
  std::string id;
  ModelIntegers end;
  std::vector<std::uint32_t> rows;  // step after step
};
// Errors: kInvalidArgument for a run that is not finished or not of the exact engine; kCorrupt.
Result<ReadRun> ReadExactRun(Env& env, const std::string& folder);

}  // namespace flair::trainer
