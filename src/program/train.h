// The exact trainer: a program's steps in integers, bit for bit the same on every machine.
//
// Place: program, above lower.h and draws.h. The prover records each step's values as it goes; a
// checker replays a step from its state.
// Thread safety: functions; they use the machine's threads, whose number changes nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "circuit/run.h"
#include "program/lower.h"

namespace flair::program {

// Columns as integers, row-major; labels as classes.
struct DataSet {
  std::uint32_t rows = 0;
  std::vector<circuit::Ints> columns;
};

// What a step begins with: cells in the order of circuit.carried.
struct TrainingState {
  std::vector<circuit::Ints> carried;
};

// Parameters and buffers as given, what the optimiser remembers as zero.
// Errors: kInvalidArgument, naming the tensor, for cells of another number.
Result<TrainingState> StartOf(const Lowered& lowered, const std::vector<circuit::Ints>& parameters,
                              const std::vector<circuit::Ints>& buffers);

struct TrainingRun {
  Seed seed;
  std::uint64_t first_step = 0;  // since the schedule and the epochs began
  std::uint64_t steps = 1;
  // Of a recorded run: the parameters after a step, in the program's order.
  std::function<Result<std::vector<circuit::Ints>>(std::uint64_t step)> recorded;
  circuit::Keep keep = circuit::Keep::kAll;  // of what `on_step` sees
};

struct TrainingStep {
  std::uint64_t number = 0;
  std::span<const std::uint32_t> rows;  // of the batch
  circuit::StepValues& values;          // borrowed for the call, which may take the cells of `now`
};

using OnTrainingStep = std::function<Status(const TrainingStep&)>;

// The state after the last step. `on_step` sees every step; its error ends the run.
// Errors: kInvalidArgument, naming step, tensor, cell and value, for a value out of its range,
// with the profile's line to raise.
Result<TrainingState> Train(const Lowered& lowered, const DataSet& data, TrainingState state,
                            const TrainingRun& run, const OnTrainingStep& on_step);

}  // namespace flair::program
