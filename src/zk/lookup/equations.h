// Equations of the lookup argument: what both sides state about masked values.
// docs/spec/lookup.md.
//
// Place: zk/lookup, over batch; used by both sides. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "zk/batch/claim.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/mask/masked.h"
#include "zk/transcript.h"

namespace flair::zk {

struct LookupChallenges {
  Fp2 alpha;
  Fp2 beta0;  // of the class
  Fp2 beta1;
  Fp2 beta2;
};
LookupChallenges DrawLookupChallenges(Transcript& transcript);

// (1 - r) g0 + r g1
Masked AtLinear(const Masked& g0, const Masked& g1, Fp2 r);

// What p and q of the leaves at `point` say of the witness's cells: two claims on matrix 0.
// REQUIRES: |point| = the plan's layers.
std::vector<Claim> LeafClaims(const LookupPlan& plan, const LookupChallenges& challenges,
                              std::span<const Fp2> point, const Masked& p, const Masked& q);

}  // namespace flair::zk
