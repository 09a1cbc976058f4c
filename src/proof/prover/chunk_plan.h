// ChunkPlan: how many steps a proof's chunk takes, and what memory it needs.
//
// Place: proof/prover, over program and zk. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "program/lower.h"
#include "zk/pcs/shape.h"

namespace flair::proof {

struct ChunkPlan {
  std::uint64_t steps = 1;         // of a chunk; the last may have fewer
  std::uint64_t cells = 0;         // that are committed, of a whole chunk
  std::uint64_t memory_bytes = 0;  // at most, by estimate
  std::uint64_t data_bytes = 0;    // of these: what the open data set takes
};

// Of chunks of `steps` steps, beside a data set that takes `data_bytes` (data/prover). Errors:
// kInvalidArgument for a circuit that does not fit.
Result<ChunkPlan> PlanOf(const program::Lowered& lowered, std::uint64_t steps,
                         std::uint64_t data_bytes);
// The plan must stay within `memory_bytes`. Errors: kNoSpace says what it needs.
Status CheckMemory(const ChunkPlan& plan, std::uint64_t memory_bytes);
// What the proof of a chunk of `steps` steps takes, by estimate: the columns that it shows of every
// matrix. `data`: the data set's, if there is one. Errors: as PlanOf().
Result<std::uint64_t> ProofBytes(const program::Lowered& lowered, std::uint64_t steps,
                                 const std::optional<zk::MatrixShape>& data);
// The largest chunks of a run of `num_steps` that stay within `memory_bytes`, all of about one
// size. Errors: kNoSpace when one step does not fit, saying what it needs.
Result<ChunkPlan> PlanChunks(const program::Lowered& lowered, std::uint64_t num_steps,
                             std::uint64_t memory_bytes, std::uint64_t data_bytes);

}  // namespace flair::proof
