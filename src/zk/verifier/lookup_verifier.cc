// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/lookup_verifier.h"

#include "zk/batch/equations.h"
#include "zk/lookup/equations.h"

namespace flair::zk {

Result<std::vector<Claim>> CheckLookups(const LookupPlan& plan, std::uint64_t nonce,
                                        Transcript& transcript, BatchVerifier& values) {
  // SOUNDNESS: more leaves than 2^22 are paid for by work. Attack: a nonce without work.
  if (!transcript.CheckWork(Label::kLookupWork, plan.work_bits(), nonce)) {
    return Error(ErrorCode::kRejected, "the nonce of the lookups has no work behind it");
  }
  const LookupChallenges challenges = DrawLookupChallenges(transcript);

  // The root: p = 0, and q has an inverse.
  const auto root = values.ReceiveProduct(transcript, Label::kLookupMessage);
  // SOUNDNESS: no denominator is 0. Attack 11: two leaves at alpha itself.
  values.RequireZero(root.product - Masked(Fp2(1)));
  Masked p;
  Masked q = root.a;

  std::vector<Fp2> point;
  for (unsigned layer = 0; layer < plan.num_layers(); ++layer) {
    const Fp2 mu = transcript.Draw(Label::kLookupChallenge);
    Masked claim = p + q * mu;
    std::vector<Fp2> next;
    for (unsigned round = 0; round < layer; ++round) {
      const std::vector<Masked> h = values.Receive(transcript, Label::kSumcheckMessage, 3);
      // SOUNDNESS: a round's two halves add up to the claim before. Attack: a changed round.
      values.RequireZero(AtLinear(h[0], h[1], point[round]) - claim);
      next.push_back(transcript.Draw(Label::kSumcheckChallenge));
      claim = AtQuadratic(h[0], h[1], h[2], next.back());
    }
    // p0 q1 + p1 q0 + mu q0 q1 = (p0 + mu q0) q1 + p1 q0
    const auto left = values.ReceiveProduct(transcript, Label::kLookupMessage);
    const auto right = values.ReceiveProduct(transcript, Label::kLookupMessage);
    // SOUNDNESS: the sum that is left is that of the two children. Attack 10: a false count.
    values.RequireZero(left.product + right.product - claim);
    const Masked p0 = left.a - right.b * mu;
    const Fp2 child = transcript.Draw(Label::kSumcheckChallenge);
    p = AtLinear(p0, right.a, child);
    q = AtLinear(right.b, left.b, child);
    next.insert(next.begin(), child);
    point = std::move(next);
  }
  return LeafClaims(plan, challenges, point, p, q);
}

}  // namespace flair::zk
