// ChunkFolder: chunks of a run as files, kept as soon as they are proven.
//
// A proof shows columns of matrices that outlive it, and their ledgers count them for good. Counted
// before the proof is whole, the columns of a proof that is broken off would be spent on nothing;
// shown before they are counted, more could be shown than there are pads for. So:
//
//   1 the chunk is written under a name of its own, `.pending`, beside the columns that it shows
//   2 the columns are counted
//   3 the chunk gets its name, and the pending file goes
//
// Whatever fails between two of these, the next prover goes on from the pending file: counting
// columns twice counts them once. Before 1 nothing was shown to anybody.
//
// Place: proof/prover. Thread safety: one thread, one process at a time (the ledgers' lock).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "proof/run_claim.h"
#include "proof/run_proof.h"

namespace flair::proof {

// Columns of a matrix, to a ledger.
using ForColumns = std::function<Status(const MatrixId& matrix, std::span<const std::uint64_t>)>;

// What a proof shows of a matrix.
struct ShownColumns {
  MatrixId matrix;
  std::vector<std::uint64_t> columns;

  friend bool operator==(const ShownColumns&, const ShownColumns&) = default;
};

struct PendingChunk {
  ChunkProof chunk;
  std::vector<ShownColumns> shown;
};
Bytes EncodePending(const PendingChunk& pending);
// Errors: kCorrupt.
Result<PendingChunk> DecodePending(ByteView bytes);

class ChunkFolder {
 public:
  // Made where it is missing. `count` counts columns, durably; it may be empty.
  static Result<ChunkFolder> Open(Env& env, std::string folder, ForColumns count);

  // Steps 1 to 3. Errors: those of the disk and of `count`.
  Status Keep(const PendingChunk& pending);
  // Steps 2 and 3 of a chunk that a prover left at that. Where the ledgers have no room for it any
  // more it is dropped. Errors: kCorrupt for a pending file that is none; the same.
  Status Settle(std::uint64_t first_step);
  // The chunk from this step on, if it is kept.
  std::optional<ChunkProof> Read(std::uint64_t first_step) const;
  static bool Has(Env& env, const std::string& folder, std::uint64_t first_step);
  // Of every chunk that is kept or waits to be, by its first step; the folder need not be there.
  // Files that are no chunks are left out.
  static std::vector<zk::TrainingStatement> Statements(Env& env, const std::string& folder);

 private:
  ChunkFolder(Env& env, std::string folder, ForColumns count)
      : env_(&env), folder_(std::move(folder)), count_(std::move(count)) {}
  Status Count(const PendingChunk& pending) const;
  Status Name(const ChunkProof& chunk) const;

  Env* env_;
  std::string folder_;
  ForColumns count_;
};

}  // namespace flair::proof
