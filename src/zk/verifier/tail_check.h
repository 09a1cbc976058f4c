// TailCheck: are the combined rows that a tail commits to those that were claimed?
// docs/spec/tail.md.
//
// Place: zk/verifier, over tail. Knows no prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/result.h"
#include "zk/tail/tail_claims.h"
#include "zk/tail/tail_proof.h"
#include "zk/transcript.h"

namespace flair::zk {

// Lengths that are read before the columns are known. Errors: kRejected.
Status CheckTailSizes(const TailPlan& plan, std::size_t num_groups, const TailProof& proof);

// REQUIRES: CheckTailSizes passed; root and values absorbed before the columns of `groups` were
// drawn. Errors: kRejected names the check that failed.
Status CheckTail(const TailPlan& plan, unsigned work_bits, std::span<const TailClaims> groups,
                 const TailProof& proof, Transcript& transcript);

}  // namespace flair::zk
