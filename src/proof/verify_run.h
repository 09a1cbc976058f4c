// VerifyRun: is this a proof of what the claim says? docs/spec/run-proof.md.
//
// Place: proof, over zk/verifier. Knows no prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "program/lower.h"
#include "proof/run_claim.h"
#include "proof/run_proof.h"
#include "zk/training/statement.h"

namespace flair::proof {

struct RunVerdict {
  std::uint64_t num_chunks = 0;
  // Of the weakest chunk, none below zk::kSoundnessBits: whoever tries to pass a false run pays for
  // every try at a chunk. docs/spec/run-proof.md, "Soundness".
  double soundness_bits = 0;
};

// `lowered`: the claim's program. `on_chunk` is told after each; its error ends the verification.
// Errors: kRejected names the chunk and the check that failed; kCorrupt and kUnsupported for
// bytes that are no proof; kInvalidArgument for a claim that the program cannot have.
Result<RunVerdict> VerifyRun(
    const program::Lowered& lowered, const RunClaim& claim, ByteView proof,
    const std::function<Status(std::uint64_t chunk, std::uint64_t num_chunks)>& on_chunk = {});

// One chunk by itself, on data of these columns. Returns its bits of soundness. That its
// statement is the right one is for the caller.
Result<double> VerifyChunk(const program::Lowered& lowered, std::span<const zk::DataColumn> columns,
                           const ChunkProof& chunk);

bool HasState(const circuit::Circuit& circuit);

// The statement of a chunk of the run: from `first_step`, between these ends.
zk::TrainingStatement ChunkStatement(const RunClaim& claim, std::uint64_t first_step,
                                     std::uint64_t num_steps, const RunEnd& before,
                                     const RunEnd& after);

}  // namespace flair::proof
