// PlanOpening: the opening of a proof whose witness, lookups and script are known.
//
// Place: zk/training, over batch and lookup; used by both sides. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/mask/counting_channel.h"

namespace flair::zk {

struct Counted {
  std::uint64_t num_cells = 1;          // of the witness
  const LookupPlan* lookups = nullptr;  // borrowed; none: nothing is looked up
  const CountingChannel& script;        // what is behind the lookups
};

// Errors: those of WitnessShape() and of BatchPlan.
Result<BatchPlan> PlanOpening(const Counted& counted, std::vector<MatrixShape> long_lived,
                              QueryPolicy policy);

}  // namespace flair::zk
