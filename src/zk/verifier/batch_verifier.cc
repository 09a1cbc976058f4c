// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/batch_verifier.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "zk/batch/binding.h"
#include "zk/batch/equations.h"
#include "zk/pcs/code.h"
#include "zk/tail/tail_messages.h"
#include "zk/verifier/group_check.h"
#include "zk/verifier/mask_check.h"
#include "zk/verifier/tail_check.h"

namespace flair::zk {
namespace {

Error Rejected(const std::string& what) { return {ErrorCode::kRejected, what}; }

}  // namespace

Result<BatchVerifier> BatchVerifier::Begin(const BatchPlan& plan, std::vector<Digest> roots,
                                           std::vector<Digest> companions,
                                           const BatchProof& proof) {
  std::size_t num_companions = 0;
  for (const BatchPlan::Group& group : plan.groups()) num_companions += group.companion ? 1 : 0;
  if (roots.size() != plan.matrices().size() || companions.size() != num_companions) {
    return Rejected("another number of roots");
  }
  if (proof.masked.size() != plan.mask().num_pads() + 2 * plan.mask().num_triples()) {
    return Rejected(std::to_string(proof.masked.size()) + " masked values instead of " +
                    std::to_string(plan.mask().num_pads() + 2 * plan.mask().num_triples()));
  }
  if (proof.groups.size() != plan.groups().size()) return Rejected("another number of groups");
  for (std::size_t g = 0; g < plan.groups().size(); ++g) {
    const MatrixShape& shape = plan.matrices()[plan.groups()[g].members[0]];
    if (proof.groups[g].combined_row.size() != (plan.tail() ? 0 : shape.row_length())) {
      return Rejected("a combined row of another length");
    }
  }
  if (proof.tail.has_value() != (plan.tail() != nullptr)) return Rejected("a tail too many or few");
  if (proof.tail) FLAIR_DO(CheckTailSizes(*plan.tail(), plan.groups().size(), *proof.tail));
  return BatchVerifier(plan, std::move(roots), std::move(companions), proof);
}

Status BatchVerifier::CheckDigests(std::span<const Digest> long_lived) const {
  if (long_lived.size() + 1 != roots_.size()) return Rejected("another number of digests");
  for (std::size_t m = 1; m < roots_.size(); ++m) {
    // SOUNDNESS: what is opened is what the statement names. Attack: another matrix's root.
    if (MatrixDigest(plan_.matrices()[m], roots_[m]) != long_lived[m - 1]) {
      return Rejected("matrix " + std::to_string(m) + " is not the one stated");
    }
  }
  return OkStatus();
}

void BatchVerifier::AbsorbRoots(Transcript& transcript) const {
  // SOUNDNESS: matrices are fixed before any challenge. Attack: a root chosen after the columns.
  // Test: ARootChosenAfterTheColumnsIsRejected.
  AbsorbMatrices(plan_, roots_, companions_, transcript);
}

std::vector<Masked> BatchVerifier::Receive(Transcript& transcript, Label label, std::size_t count) {
  FLAIR_CHECK(pads_used_ + count <= plan_.mask().num_pads()) << "more values than planned pads";
  const auto begin = proof_->masked.begin() + static_cast<std::ptrdiff_t>(at_);
  const std::vector<Fp2> message(begin, begin + static_cast<std::ptrdiff_t>(count));
  at_ += count;
  // SOUNDNESS: a value is fixed before whatever tests it. Tests: ...ChosenAfter...AreRejected.
  transcript.Absorb(label, message);
  std::vector<Masked> masked;
  for (const Fp2& v : message) masked.push_back(Masked(v) + Masked::Pad(pads_used_++));
  return masked;
}

BatchVerifier::Received BatchVerifier::ReceiveProduct(Transcript& transcript, Label label) {
  const std::uint64_t triple = triples_used_++;
  FLAIR_CHECK(triple < plan_.mask().num_triples()) << "more products than planned triples";
  const std::vector<Fp2> message = {proof_->masked[at_], proof_->masked[at_ + 1]};
  at_ += 2;
  // SOUNDNESS: so are factors. Test: ValuesChosenAfterMuAreRejected.
  transcript.Absorb(label, message);
  const Masked x = Masked::Pad(plan_.mask().XOf(triple));
  const Masked y = Masked::Pad(plan_.mask().YOf(triple));
  // (a^ + x)(b^ + y) = a^ b^ + a^ y + b^ x + xy
  const Masked product = Masked(message[0] * message[1]) + y * message[0] + x * message[1] +
                         Masked::Pad(plan_.mask().ZOf(triple));
  return {.a = Masked(message[0]) + x, .b = Masked(message[1]) + y, .product = product};
}

std::vector<Secret> BatchVerifier::Pass(Transcript& transcript, Label label,
                                        const std::vector<Fp2>& values) {
  std::vector<Secret> secrets;
  for (Masked& masked : Receive(transcript, label, values.size())) {
    secrets.push_back({Fp2(), std::move(masked)});
  }
  return secrets;
}

Channel::Product BatchVerifier::PassProduct(Transcript& transcript, Label label, Fp2 /*a*/,
                                            Fp2 /*b*/) {
  Received received = ReceiveProduct(transcript, label);
  return {.a = {Fp2(), std::move(received.a)},
          .b = {Fp2(), std::move(received.b)},
          .product = {Fp2(), std::move(received.product)}};
}

Status BatchVerifier::Check(Transcript& transcript, const std::vector<Claim>& claims) {
  FLAIR_DO(plan_.CheckClaims(claims));
  const Fp2 lambda = DrawLambda(plan_, claims, transcript);
  Masked sum = FirstSum(claims, lambda);
  std::vector<Fp2> point;
  for (unsigned round = 0; round < plan_.num_variables(); ++round) {
    const std::vector<Masked> g = Receive(transcript, Label::kSumcheckMessage, 3);
    // SOUNDNESS: a round's two halves add up to the sum before. Attack: rounds of a true sum
    // below a false claim. Test: AFalseClaimThatTheRoundsIgnoreIsRejected.
    RequireZero(g[0] + g[1] - sum);
    const Fp2 r = transcript.Draw(Label::kSumcheckChallenge);
    sum = AtQuadratic(g[0], g[1], g[2], r);
    point.push_back(r);
  }
  const std::vector<Masked> values =
      Receive(transcript, Label::kClaimValue, plan_.matrices().size() + 1);
  const std::vector<Masked> blinders =
      Receive(transcript, Label::kClaimValue, plan_.groups().size());
  // SOUNDNESS: the sum that is left is that of the matrices' values. Attack: rounds of a false
  // one. Test: AFalseClaimThatTheRoundsLeaveOverIsRejected.
  RequireZero(sum - LastSum(plan_, claims, lambda, point, values));
  if (at_ != proof_->masked.size()) return Rejected("the proof holds values nobody reads");
  // SOUNDNESS: mu tells so many apart, one more for each group. Attack: equations without end.
  if (constraints_.size() + plan_.groups().size() > kMaxConstraints) {
    return Error(ErrorCode::kInvalidArgument, "more constraints than an opening has");
  }
  return CheckRows(transcript, point, values, blinders);
}

Status BatchVerifier::CheckRows(Transcript& transcript, const std::vector<Fp2>& point,
                                const std::vector<Masked>& values,
                                const std::vector<Masked>& blinders) {
  const Epsilons epsilons = DrawEpsilons(plan_, transcript);
  for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
    const MatrixShape& shape = plan_.matrices()[plan_.groups()[g].members[0]];
    const std::vector<Fp2>& row = proof_->groups[g].combined_row;
    const Fp2 shown = proof_->tail ? proof_->tail->values[g]
                                   : ValueOfRow(std::span(point).first(shape.log_columns), row);
    // SOUNDNESS: the combined row has the values that were sent. Attack: a false claim
    // moved onto a value. Test: AFalseClaimMovedOntoAMatrixIsRejected.
    RequireZero(GroupValue(plan_, g, epsilons, values, blinders[g]) - Masked(shown));
    // SOUNDNESS: the row is fixed before its columns. Test: ACombinedRowChosenAfterTheColumns...
    if (!proof_->tail) transcript.Absorb(Label::kCombinedRow, row);
  }
  if (proof_->tail) {
    AbsorbTail(*plan_.tail(), proof_->tail->root, proof_->tail->values, transcript);
  }

  MaskDraws draws = DrawMaskChallenges(plan_.mask(), transcript);
  const MaskChallenges challenges{
      .combination = constraints_.Combine(draws.mu, plan_.mask().num_places()),
      .gammas = std::move(draws.gammas),
      .triple_gammas = std::move(draws.triple_gammas)};
  FLAIR_DO(CheckMaskMessages(plan_.mask(), challenges, proof_->mask));
  // SOUNDNESS: these too. Test: MaskMessagesChosenAfterTheColumnsAreRejected.
  for (const auto* message :
       {&proof_->mask.low_degree, &proof_->mask.linear, &proof_->mask.quadratic}) {
    transcript.Absorb(Label::kMaskMessage, *message);
  }

  // SOUNDNESS: choosing columns by trial costs 2^16 for each. Attack: a nonce without work.
  // Test: ANonceWithoutWorkIsRejected.
  if (!transcript.CheckWork(Label::kQueryWork, plan_.work_bits(), proof_->nonce)) {
    return Rejected("the nonce has no work behind it");
  }
  auto companion = companions_.begin();
  std::vector<TailClaims> tail;
  for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
    const BatchPlan::Group& group = plan_.groups()[g];
    const std::vector<std::uint64_t> columns = DrawColumns(plan_, g, transcript);
    std::vector<GroupMember> members;
    for (const std::size_t m : group.members) {
      members.push_back({plan_.matrices()[m], roots_[m],
                         plan_.RowWeights(m, point, epsilons.by_matrix[m], epsilons.mask)});
    }
    if (group.companion) {
      members.push_back({*group.companion, *companion++, {kWeightOfA, kWeightOfB}});
    }
    Status checked = OkStatus();
    if (proof_->tail) {
      tail.push_back(ClaimsOfRow(members[0].shape, point, proof_->tail->values[g], columns));
      auto sums = CombineColumns(members, columns, proof_->groups[g].matrices);
      if (sums.ok()) tail.back().sums = *std::move(sums);
      if (!sums.ok()) checked = std::move(sums).error();
    } else {
      checked = CheckGroup(members, columns, proof_->groups[g]);
    }
    if (!checked.ok()) return std::move(checked).error().In("group " + std::to_string(g));
    if (group.members[0] != 0) continue;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::vector<Fp>& column = proof_->groups[g].matrices[0].columns[i];
      std::vector<Fp2> rows;
      for (std::uint64_t k = 0; k < plan_.mask().num_rows(); ++k) {
        const std::uint64_t at = plan_.first_mask_row() + 2 * k;
        rows.emplace_back(column[at], column[at + 1]);
      }
      const Fp x = PointAt(plan_.matrices()[0], columns[i]);
      FLAIR_DO(CheckMaskColumn(plan_.mask(), challenges, proof_->mask, x, rows));
    }
  }
  if (!proof_->tail) return OkStatus();
  return CheckTail(*plan_.tail(), plan_.work_bits(), tail, *proof_->tail, transcript);
}

}  // namespace flair::zk
