// RealOptimiser: the optimisers' formulas in double precision, and how large their parts become.
//
// Place: program, a part of the pilot. The integer program is the definition (docs/spec/step.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "program/evaluate.h"
#include "program/pilot.h"
#include "program/program.h"
#include "program/schedule.h"

namespace flair::program {

class RealOptimiser {
 public:
  // Borrows `program`.
  explicit RealOptimiser(const Program& program);

  // Moves the parameters by a step's gradients, an empty one where there is none, and notes in
  // `seen` the parts that have a line of the profile.
  void Step(std::uint64_t step, std::vector<Reals> gradients, std::vector<Reals>& parameters,
            Magnitudes& seen);

 private:
  // What is remembered of a cell, and how its weight moves.
  struct Cell {
    double& first;
    double& second;
    double gradient;
    double decayed;  // decay times the weight
  };
  void Clip(std::vector<Reals>& gradients, Magnitudes& seen) const;
  double Sgd(const Cell& cell, Magnitudes& seen) const;
  double Adam(const Cell& cell, Magnitudes& seen) const;

  const Program& p_;
  Rates rates_;
  bool is_sgd_, keras_, nesterov_, decoupled_;
  double decay_, momentum_ = 0, dampening_ = 0, beta1_ = 0, beta2_ = 0, eps_ = 0;
  double rate_ = 0;           // of the step
  std::uint64_t number_ = 0;  // the step, from 0
  std::vector<Reals> first_, second_;
};

}  // namespace flair::program
