// Pilot: a program's first steps in double precision, and the largest size of whatever the numeric
// profile gives a format. No format takes part: what is measured is what the training does.
//
// Place: program, above lower.h and evaluate.h; calibrate.h chooses formats by it.
// Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "program/evaluate.h"
#include "program/lower.h"
#include "program/train.h"

namespace flair::program {

// Largest sizes over all steps. 0: nothing of the kind was seen.
struct Magnitudes {
  std::vector<double> nodes;       // by NodeId of the step's graph
  std::vector<double> parameters;  // before and after each step
  // Of the lines that no node stands for; `logit`: distances to the largest one.
  std::array<double, kNumProfileLines> lines{};
  double slope = 0;    // within normalisation: the product that has fewer bits than its line
  double squares = 0;  // of Adam: the sum that its second mean is a share of

  double& operator[](ProfileLine line) { return lines[static_cast<std::size_t>(line)]; }
  double operator[](ProfileLine line) const { return lines[static_cast<std::size_t>(line)]; }
};

struct PilotRun {
  Seed seed;
  std::uint64_t first_step = 0;
  std::uint64_t steps = 1;
  std::vector<Reals> parameters;  // what it begins with
  std::vector<Reals> buffers;
};

// `on_step`, where there is one, is told of each step before it; its error ends the pilot.
// REQUIRES: tensors of the program's sizes. Errors: kInvalidArgument for data of other columns, and
// for a value that is no number any more, naming step and tensor.
Result<Magnitudes> Pilot(const StepGraph& graph, const DataSet& data, PilotRun run,
                         const std::function<Status(std::uint64_t step)>& on_step = {});

}  // namespace flair::program
