// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/soundness.h"

#include <algorithm>

namespace flair::zk {

std::vector<SoundnessTerm> SoundnessTerms(const BatchPlan& plan) {
  Uint128 proximity = 0;
  std::vector<SoundnessTerm> queries;  // by group
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
    queries.push_back({"queries", (missed >> plan.work_bits()) + 1});
  }
  const Uint128 batching = Uint128{kMaxClaims} + kMaxConstraints + plan.groups().size();
  std::vector<SoundnessTerm> terms = {OverField("proximity", proximity),
                                      OverField("mask tests", Uint128{3} * plan.matrices()[0].n()),
                                      OverField("rounds", Uint128{2} * plan.num_variables()),
                                      OverField("batching", batching),
                                      {"queries", TotalOf(queries).parts}};
  if (const TailPlan* tail = plan.tail()) {
    std::uint64_t claims = 0;
    for (const BatchPlan::Group& group : plan.groups()) claims += 1 + group.num_queries;
    const Uint128 over_field =
        Uint128{tail->row_variables() + 2} * tail->shape.n() + 2 * tail->num_variables() + claims;
    const Uint128 missed =
        MissedParts(tail->shape.row_length(), tail->shape.n(), tail->num_queries) >>
        plan.work_bits();
    terms.push_back({"tail", OverField("", over_field).parts + missed + 1});
  }
  terms.insert(terms.end(), plan.besides().begin(), plan.besides().end());
  return terms;
}

}  // namespace flair::zk
