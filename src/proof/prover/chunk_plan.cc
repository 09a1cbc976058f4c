// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/chunk_plan.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "proof/prover/commit_state.h"
#include "zk/hash/leaf.h"
#include "zk/relation/layout.h"
#include "zk/training/long_lived.h"

namespace flair::proof {
namespace {

// Measured: what proving takes at its peak, for each committed cell and beside them. The cells
// themselves are 4 bytes, the integers they come from 8, the tables of a sum over them the rest.
constexpr std::uint64_t kBytesOfACell = 36;
constexpr std::uint64_t kBytesBeside = std::uint64_t{256} << 20;
// Rounds, masks, companions and the combined rows' own proof.
constexpr std::uint64_t kProofBytesBeside = std::uint64_t{512} << 10;

// Columns with their salts, and the nodes that they do not share of a tree that is not pruned.
std::uint64_t OpeningBytes(const zk::MatrixShape& shape) {
  const std::uint64_t queries = zk::NumQueries(shape.row_length(), shape.n());
  const std::uint64_t own_nodes =
      shape.log_n -
      std::min<unsigned>(shape.log_n, static_cast<unsigned>(std::bit_width(queries)) - 1);
  return queries *
         (shape.num_rows * zk::Fp::kBytes + sizeof(zk::Salt) + own_nodes * Digest::kBytes);
}

// Rounded up.
std::string InMebibytes(std::uint64_t bytes) {
  return std::to_string((bytes >> 20) + ((bytes & 0xfffff) != 0 ? 1 : 0)) + " MiB";
}

}  // namespace

Result<ChunkPlan> PlanOf(const program::Lowered& lowered, std::uint64_t steps,
                         std::uint64_t data_bytes) {
  FLAIR_TRY(const zk::Layout layout, zk::Layout::Make(lowered.circuit, steps));
  return ChunkPlan{.steps = steps,
                   .cells = layout.num_cells(),
                   .memory_bytes = layout.num_cells() * kBytesOfACell + kBytesBeside + data_bytes,
                   .data_bytes = data_bytes};
}

Status CheckMemory(const ChunkPlan& plan, std::uint64_t memory_bytes) {
  if (plan.memory_bytes <= memory_bytes) return OkStatus();
  const std::string chunk = plan.steps == 1
                                ? "one step needs "
                                : "chunks of " + std::to_string(plan.steps) + " steps need ";
  const std::string data =
      plan.data_bytes == 0 ? "" : ", " + InMebibytes(plan.data_bytes) + " of it for the data";
  return Error(ErrorCode::kNoSpace, chunk + InMebibytes(plan.memory_bytes) + " of memory" + data +
                                        "; " + std::to_string(memory_bytes >> 20) +
                                        " MiB are allowed");
}

Result<std::uint64_t> ProofBytes(const program::Lowered& lowered, std::uint64_t steps,
                                 const std::optional<zk::MatrixShape>& data) {
  FLAIR_TRY(const zk::Layout layout, zk::Layout::Make(lowered.circuit, steps));
  FLAIR_TRY(const zk::MatrixShape witness, zk::WitnessShape(layout.num_cells()));
  std::uint64_t bytes = kProofBytesBeside + OpeningBytes(witness);
  if (data) bytes += OpeningBytes(*data);
  using Role = circuit::Carried::Role;
  for (const auto& [role, kind] : {std::pair(Role::kWeight, zk::MatrixKind::kWeights),
                                   std::pair(Role::kState, zk::MatrixKind::kState)}) {
    FLAIR_TRY(const zk::LongLived carried, zk::CarriedLayout(lowered.circuit, role));
    if (carried.num_cells == 0) continue;
    FLAIR_TRY(const zk::MatrixShape shape,
              zk::LongLivedShape(carried.num_cells, kind, kOpeningsOfABorder));
    bytes += 2 * OpeningBytes(shape);
  }
  return bytes;
}

Result<ChunkPlan> PlanChunks(const program::Lowered& lowered, std::uint64_t num_steps,
                             std::uint64_t memory_bytes, std::uint64_t data_bytes) {
  FLAIR_TRY(const ChunkPlan least, PlanOf(lowered, 1, data_bytes));
  FLAIR_DO(CheckMemory(least, memory_bytes));
  // Cells grow with the steps, so the last size that fits is found by halving.
  std::uint64_t lo = 1, hi = num_steps;
  while (lo < hi) {
    const std::uint64_t middle = lo + (hi - lo + 1) / 2;
    const auto plan = PlanOf(lowered, middle, data_bytes);
    if (plan.ok() && plan->memory_bytes <= memory_bytes) {
      lo = middle;
    } else {
      hi = middle - 1;
    }
  }
  const std::uint64_t chunks = (num_steps + lo - 1) / lo;
  return PlanOf(lowered, (num_steps + chunks - 1) / chunks, data_bytes);
}

}  // namespace flair::proof
