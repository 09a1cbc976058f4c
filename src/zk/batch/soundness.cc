// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/soundness.h"

#include <algorithm>
#include <cmath>

namespace flair::zk {
namespace {

constexpr Uint128 kAll = ~Uint128{0};

Uint128 Add(Uint128 a, Uint128 b) { return a > kAll - b ? kAll : a + b; }

// n/|K|: |K| = (2^64 - 2^32 + 1)^2 > 2^128 (1 - 2^-31), so that it is < n (1 + 2^-30) parts.
Uint128 OverK(Uint128 n) { return n + (n >> 30) + 1; }

}  // namespace

double SoundnessTerm::bits() const {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  const double value = static_cast<double>(static_cast<std::uint64_t>(parts >> 64)) * kTwoTo64 +
                       static_cast<double>(static_cast<std::uint64_t>(parts));
  return 128 - std::log2(value);
}

std::vector<SoundnessTerm> SoundnessTerms(const BatchPlan& plan) {
  Uint128 proximity = 0;
  Uint128 queries = 0;
  for (const BatchPlan::Group& group : plan.groups()) {
    const MatrixShape& shape = plan.matrices()[group.members[0]];
    // The mask rows are one more matrix of the first group.
    const bool has_masks = group.members[0] == 0;
    std::uint64_t matrices = group.members.size() + (has_masks ? 1 : 0);
    unsigned row_variables = has_masks ? plan.row_variables(plan.mask().num_rows()) : 0;
    for (const std::size_t m : group.members) {
      row_variables = std::max(row_variables, plan.row_variables(plan.data_rows(m)));
    }
    proximity += Uint128{row_variables + matrices + 1} * shape.n();
    const Uint128 missed = MissedParts(shape.row_length(), shape.n(), group.num_queries);
    queries = Add(queries, (missed >> plan.work_bits()) + 1);
  }
  const Uint128 rounds = Uint128{2} * plan.num_variables();
  const Uint128 batching = Uint128{kMaxClaims} + kMaxConstraints + plan.groups().size();
  return {{"proximity", OverK(proximity)},
          {"mask tests", OverK(Uint128{3} * plan.matrices()[0].n())},
          {"rounds", OverK(rounds)},
          {"batching", OverK(batching)},
          {"queries", queries}};
}

SoundnessTerm TotalOf(const std::vector<SoundnessTerm>& terms) {
  SoundnessTerm total{"total", 0};
  for (const SoundnessTerm& term : terms) total.parts = Add(total.parts, term.parts);
  return total;
}

}  // namespace flair::zk
