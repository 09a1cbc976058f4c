// GivenBranches: which way a framework went, where a recorded step may say so.
//
// In doubles from its weights, which is closer to its float32 than integers are. A wrong guess is
// a difference that the slack has to hold, never a false proof.
//
// Place: program, over evaluate.h and lower.h; train.h asks. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "circuit/run.h"
#include "program/draws.h"
#include "program/lower.h"

namespace flair::program {

// Signs of relus' inputs and chosen cells of max-pools, as circuit::StepInputs::given.
// REQUIRES: the circuit of a recorded run; cells of columns, parameters and buffers.
std::vector<circuit::Ints> GivenBranches(const Lowered& lowered, const circuit::StepInputs& inputs,
                                         const Seed& seed, std::uint64_t step);

}  // namespace flair::program
