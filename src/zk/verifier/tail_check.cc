// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/tail_check.h"

#include <algorithm>
#include <string>

#include "zk/batch/equations.h"
#include "zk/tail/tail_messages.h"
#include "zk/verifier/group_check.h"

namespace flair::zk {
namespace {

Error Rejected(const std::string& what) { return {ErrorCode::kRejected, "tail: " + what}; }

}  // namespace

Status CheckTailSizes(const TailPlan& plan, std::size_t num_groups, const TailProof& proof) {
  if (proof.values.size() != num_groups) return Rejected("another number of values");
  if (proof.rounds.size() != plan.num_variables()) return Rejected("another number of rounds");
  if (proof.opening.combined_row.size() != plan.shape.row_length()) {
    return Rejected("a row of another length");
  }
  return OkStatus();
}

Status CheckTail(const TailPlan& plan, unsigned work_bits, std::span<const TailClaims> groups,
                 const TailProof& proof, Transcript& transcript) {
  const Fp2 eta = DrawEta(groups, transcript);
  Fp2 sum = SumOf(groups, eta);
  std::vector<Fp2> point;
  for (const auto& [at_0, at_2] : proof.rounds) {
    point.push_back(DrawTailRound({at_0, at_2}, transcript));
    // SOUNDNESS: what it is at 1 follows from the sum before. Attack: rounds of another sum. Test:
    // TailTest.AFalseRowIsRejected.
    sum = AtQuadratic(Masked(at_0), Masked(sum - at_0), Masked(at_2), point.back()).known();
  }
  const std::vector<Fp2>& row = proof.opening.combined_row;
  const Fp2 value = ValueOfRow(std::span(point).first(plan.shape.log_columns), row);
  // SOUNDNESS: the sum that is left is that of the committed rows. Attack: a row with other sums
  // at the columns. Test: TailTest.AFalseRowIsRejected.
  if (value * TailWeightAt(plan, groups, eta, point) != sum) {
    return Rejected("the rows contradict the columns, or a value");
  }
  AbsorbTailRow(row, transcript);
  // SOUNDNESS: choosing these columns by trial costs work, too. Attack: a nonce without. Test:
  // TailTest.ANonceWithoutWorkIsRejected.
  if (!transcript.CheckWork(Label::kTailWork, work_bits, proof.nonce)) {
    return Rejected("the nonce has no work behind it");
  }
  const std::vector<std::uint64_t> columns = DrawTailColumns(plan, transcript);
  const GroupMember member{plan.shape, proof.root, plan.RowWeights(point)};
  Status checked = CheckGroup(std::span(&member, 1), columns, proof.opening);
  if (!checked.ok()) return std::move(checked).error().In("tail");
  return OkStatus();
}

}  // namespace flair::zk
