// FinishProof: what the provers of all whole proofs end with: the opening of their claims, and the
// proof's bytes.
//
// Place: zk/prover. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "zk/batch/claim.h"
#include "zk/prover/batch_prover.h"

namespace flair::zk {

// Asked before columns of one of the statement's matrices are shown; its error ends the proof.
using ReserveStated =
    std::function<Status(std::size_t matrix, std::span<const std::uint64_t> columns)>;

// `statement`: its hash. Errors: those of `reserve`.
Result<Bytes> FinishProof(BatchProver& prover, Transcript& transcript,
                          const std::vector<Claim>& claims, const Digest& statement,
                          std::uint64_t lookup_nonce, const ReserveStated& reserve);

}  // namespace flair::zk
