// CheckProof: what the verifiers of all whole proofs do, of training, of refreshed commitments and
// of committed weights. What is claimed they know by themselves.
//
// Place: zk/verifier. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/claim.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/verifier/batch_verifier.h"

namespace flair::zk {

struct ProofSubject {
  Digest statement;           // its hash
  std::vector<Digest> roots;  // of its matrices, as the plan has them
};

// The claims that the messages behind the roots lead to. Errors: kRejected.
using ReadClaims = std::function<Result<std::vector<Claim>>(
    std::uint64_t lookup_nonce, Transcript& transcript, BatchVerifier& values)>;

// Those of lookups, and of the script behind them.
ReadClaims AfterLookups(
    const LookupPlan& lookups,
    std::function<std::vector<Claim>(Transcript& transcript, BatchVerifier& values)> script);

// `transcript`: has the statement. Hostile bytes. Errors: kRejected names the check that failed;
// kCorrupt for bytes that are no proof.
Status CheckProof(const BatchPlan& plan, ProofSubject subject, ByteView bytes,
                  Transcript& transcript, const ReadClaims& read_claims);

}  // namespace flair::zk
