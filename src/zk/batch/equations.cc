// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/equations.h"

#include <algorithm>

namespace flair::zk {

// g0 (r-1)(r-2)/2 - g1 r (r-2) + g2 r (r-1)/2
Masked AtQuadratic(const Masked& g0, const Masked& g1, const Masked& g2, Fp2 r) {
  const Fp2 half(Fp(2).Inverse());
  const Fp2 r1 = r - Fp2(1);
  const Fp2 r2 = r - Fp2(2);
  return g0 * (r1 * r2 * half) + g1 * (-(r * r2)) + g2 * (r * r1 * half);
}

Masked FirstSum(const std::vector<Claim>& claims, Fp2 lambda) {
  Masked sum;
  Fp2 power(1);
  for (const Claim& claim : claims) {
    sum += claim.value * power;
    power *= lambda;
  }
  return sum;
}

Masked LastSum(const BatchPlan& plan, const std::vector<Claim>& claims, Fp2 lambda,
               std::span<const Fp2> point, const std::vector<Masked>& values) {
  std::vector<Fp2> weights(plan.matrices().size());
  Fp2 power(1);
  for (const Claim& claim : claims) {
    const auto own = point.first(plan.num_variables(claim.matrix));
    weights[claim.matrix] += power * WeightAt(claim, own);
    power *= lambda;
  }
  Masked sum;
  for (std::size_t m = 0; m < weights.size(); ++m) {
    Fp2 weight = weights[m];
    for (unsigned i = plan.num_variables(m); i < plan.num_variables(); ++i) {
      weight *= Fp2(1) - point[i];
    }
    sum += values[m] * weight;
  }
  return sum;
}

Epsilons DrawEpsilons(const BatchPlan& plan, Transcript& transcript) {
  // SOUNDNESS: each its own. Attack: two false values. Test: TwoFalseValuesThatCancelAreRejected.
  Epsilons epsilons;
  for (std::size_t m = 0; m < plan.matrices().size(); ++m) {
    epsilons.by_matrix.push_back(transcript.Draw(Label::kRowBatch));
  }
  epsilons.mask = transcript.Draw(Label::kRowBatch);
  return epsilons;
}

Masked GroupValue(const BatchPlan& plan, std::size_t g, const Epsilons& epsilons,
                  const std::vector<Masked>& values, const Masked& blinder) {
  Masked sum = blinder;
  for (const std::size_t m : plan.groups()[g].members) {
    sum += values[m] * epsilons.by_matrix[m];
    if (m == 0) sum += values.back() * epsilons.mask;
  }
  return sum;
}

MaskDraws DrawMaskChallenges(const MaskShape& shape, Transcript& transcript) {
  MaskDraws draws;
  draws.mu = transcript.Draw(Label::kMaskChallenge);
  // SOUNDNESS: each row its own. Attack: two rows of high degree, two false triples. Tests:
  // TwoMaskRowsOfHighDegreeThatCancelAreRejected, TwoFalseTriplesThatCancelAreRejected.
  for (std::uint64_t i = 0; i < shape.pad_rows(); ++i) {
    draws.gammas.push_back(transcript.Draw(Label::kMaskChallenge));
  }
  for (std::uint64_t l = 0; l < shape.triple_rows(); ++l) {
    draws.triple_gammas.push_back(transcript.Draw(Label::kMaskChallenge));
  }
  return draws;
}

std::vector<std::uint64_t> DrawColumns(const BatchPlan& plan, std::size_t g,
                                       Transcript& transcript) {
  const BatchPlan::Group& group = plan.groups()[g];
  const MatrixShape& shape = plan.matrices()[group.members[0]];
  auto columns = transcript.DrawIndices(Label::kQuery, shape.log_n, group.num_queries);
  std::sort(columns.begin(), columns.end());
  return columns;
}

}  // namespace flair::zk
