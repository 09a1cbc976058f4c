// Equations of a batch opening: what both sides state about masked values. docs/spec/opening.md.
//
// Place: zk/batch; used by both sides. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "zk/batch/batch_plan.h"
#include "zk/batch/claim.h"
#include "zk/mask/masked.h"
#include "zk/transcript.h"

namespace flair::zk {

// The polynomial of degree 2 through (0, g0), (1, g1), (2, g2), at r.
Masked AtQuadratic(const Masked& g0, const Masked& g1, const Masked& g2, Fp2 r);

// sum_i lambda^i value_i: what the sumcheck begins with.
Masked FirstSum(const std::vector<Claim>& claims, Fp2 lambda);

// sum_c W_c(r) prod_{i >= m_c} (1 - r_i) value_c: what it must end with.
Masked LastSum(const BatchPlan& plan, const std::vector<Claim>& claims, Fp2 lambda,
               std::span<const Fp2> point, const std::vector<Masked>& values);

// Drawn after the values: one for each matrix, and one for the mask rows.
struct Epsilons {
  std::vector<Fp2> by_matrix;
  Fp2 mask;
};
Epsilons DrawEpsilons(const BatchPlan& plan, Transcript& transcript);

// What the cells of group g's combined row give at the point: `values` by matrix, then that of
// the mask rows; `blinder` of the group.
Masked GroupValue(const BatchPlan& plan, std::size_t g, const Epsilons& epsilons,
                  const std::vector<Masked>& values, const Masked& blinder);

struct MaskDraws {
  Fp2 mu;
  std::vector<Fp2> gammas;
  std::vector<Fp2> triple_gammas;
};
MaskDraws DrawMaskChallenges(const MaskShape& shape, Transcript& transcript);

// Ascending.
std::vector<std::uint64_t> DrawColumns(const BatchPlan& plan, std::size_t g,
                                       Transcript& transcript);

}  // namespace flair::zk
