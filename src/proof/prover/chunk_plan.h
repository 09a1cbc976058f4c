// ChunkPlan: how many steps a proof's chunk takes, and what memory it needs.
//
// Place: proof/prover, over program and zk. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "program/lower.h"

namespace flair::proof {

struct ChunkPlan {
  std::uint64_t steps = 1;         // of a chunk; the last may have fewer
  std::uint64_t cells = 0;         // that are committed, of a whole chunk
  std::uint64_t memory_bytes = 0;  // at most, by estimate: without the data set
};

// Of chunks of `steps` steps. Errors: kInvalidArgument for a circuit that does not fit.
Result<ChunkPlan> PlanOf(const program::Lowered& lowered, std::uint64_t steps);
// The largest chunks of a run of `num_steps` that stay within `memory_bytes`, all of about one
// size. Errors: kNoSpace when one step does not fit, saying what it needs.
Result<ChunkPlan> PlanChunks(const program::Lowered& lowered, std::uint64_t num_steps,
                             std::uint64_t memory_bytes);

}  // namespace flair::proof
