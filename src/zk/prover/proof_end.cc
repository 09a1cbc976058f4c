// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/proof_end.h"

#include <utility>

#include "zk/training/training_proof.h"

namespace flair::zk {

Result<Bytes> FinishProof(BatchProver& prover, Transcript& transcript,
                          const std::vector<Claim>& claims, const Digest& statement,
                          std::uint64_t lookup_nonce, const ReserveStated& reserve) {
  FLAIR_TRY(BatchProof opening,
            prover.Prove(transcript, claims,
                         [&](std::size_t matrix, std::span<const std::uint64_t> columns) {
                           return reserve ? reserve(matrix - 1, columns) : OkStatus();
                         }));
  return EncodeProof({.statement = statement,
                      .witness_root = prover.witness_root(),
                      .companion_roots = prover.companion_roots(),
                      .lookup_nonce = lookup_nonce,
                      .opening = std::move(opening)});
}

}  // namespace flair::zk
