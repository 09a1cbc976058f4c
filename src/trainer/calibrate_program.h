// CalibrateProgram: a program's formats from a pilot over real data and weights, and the proof that
// they hold: the worst case by lowering, the pilot's own steps by training them exactly.
//
// Place: trainer, over program/calibrate.h. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "program/calibrate.h"

namespace flair::trainer {

struct CalibrateRequest {
  program::Program program;
  std::string weights;  // model file
  Digest seed;
  std::uint64_t first_step = 0;
  std::uint64_t steps = 1;
  program::Headroom headroom;
  std::uint64_t steps_per_chunk = 0;  // for which `limb` is chosen; 0: it stays
};

// What proving a step takes.
struct ProgramCost {
  std::map<std::string, program::LineCost> lines;
  std::uint64_t table_rows = 0;
  std::uint64_t cells = 0;  // of a proof of one step, tables with it
};

struct CalibratedProgram {
  program::Calibration chosen;
  std::optional<ProgramCost> before;  // none: no circuit was known for it
  ProgramCost after;
  std::map<std::string, int> bits_left;  // above the exact pilot's largest value, by line
  std::optional<Error> recorded;         // why recorded runs of it cannot be proven
};

struct CalibrateHooks {
  std::function<Status(std::string_view phase, std::uint64_t done, std::uint64_t of)> progress;
};

// Errors: those of the model file, of Pilot(), Calibrate() and Train(): a value out of its range in
// the exact steps names step, tensor, value and line.
Result<CalibratedProgram> CalibrateProgram(Env& env, const CalibrateRequest& request,
                                           const program::DataSet& data,
                                           const CalibrateHooks& hooks = {});

}  // namespace flair::trainer
