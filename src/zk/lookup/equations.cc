// SPDX-License-Identifier: Apache-2.0
#include "zk/lookup/equations.h"

#include "zk/poly/eq.h"

namespace flair::zk {

LookupChallenges DrawLookupChallenges(Transcript& transcript) {
  LookupChallenges challenges;
  challenges.alpha = transcript.Draw(Label::kLookupChallenge);
  challenges.beta0 = transcript.Draw(Label::kLookupChallenge);
  challenges.beta1 = transcript.Draw(Label::kLookupChallenge);
  challenges.beta2 = transcript.Draw(Label::kLookupChallenge);
  return challenges;
}

Masked AtLinear(const Masked& g0, const Masked& g1, Fp2 r) { return g0 * (Fp2(1) - r) + g1 * r; }

// Leaves of lookups are 1/(alpha - key), of rows -m/(alpha - key), the rest 0/1. With
// pre = eq(high coordinates, number of the block) and the block's own low coordinates:
//   p~ = sum over lookup blocks pre  -  sum over segments pre m~
//   q~ = sum over all blocks pre (alpha - key~)  +  1 - sum over all blocks pre
std::vector<Claim> LeafClaims(const LookupPlan& plan, const LookupChallenges& challenges,
                              std::span<const Fp2> point, const Masked& p, const Masked& q) {
  Claim counts{.matrix = 0, .blocks = {}, .value = p};
  Claim keys{.matrix = 0, .blocks = {}, .value = q - Masked(Fp2(1))};
  for (const LookupPlan::LeafBlock& leaves : plan.leaf_blocks()) {
    const auto own = point.first(leaves.log_size);
    const Fp2 pre = EqAt(point.subspan(leaves.log_size), leaves.first_leaf >> leaves.log_size);
    const auto add_cells = [&](Claim& claim, Fp2 coefficient, std::uint64_t offset) {
      claim.blocks.push_back({coefficient, offset, {own.begin(), own.end()}});
    };
    Fp2 known = challenges.alpha - Fp2(1);  // of q~, besides cells
    if (leaves.is_table) {
      const TableSegment& segment = plan.segments()[leaves.index];
      known -= challenges.beta0 * Fp(segment.class_number) + EvaluateFirst(segment, own) +
               challenges.beta1 * EvaluateColumn(segment.c1, own) +
               challenges.beta2 * EvaluateColumn(segment.c2, own);
      add_cells(counts, -pre, segment.multiplicities);
    } else {
      const LookupBlock& block = plan.lookups()[leaves.index];
      known -= challenges.beta0 * Fp(block.class_number);
      counts.value += Masked(-pre);
      add_cells(keys, -pre, block.v);
      if (block.c1) add_cells(keys, -(pre * challenges.beta1), *block.c1);
      if (block.c2) add_cells(keys, -(pre * challenges.beta2), *block.c2);
    }
    keys.value += Masked(-(pre * known));
  }
  return {counts, keys};
}

}  // namespace flair::zk
