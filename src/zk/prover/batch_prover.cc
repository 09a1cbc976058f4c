// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/batch_prover.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "crypto/chacha20.h"
#include "zk/batch/binding.h"
#include "zk/batch/equations.h"
#include "zk/pcs/code.h"
#include "zk/poly/eq.h"
#include "zk/prover/opening_sum.h"
#include "zk/prover/witness_rows.h"
#include "zk/tail/tail_messages.h"

namespace flair::zk {
Result<BatchProver> BatchProver::Commit(const BatchPlan& plan,
                                        std::shared_ptr<const RowSource> data,
                                        std::vector<const CommittedMatrix*> long_lived, Env& env) {
  FLAIR_CHECK(long_lived.size() + 1 == plan.matrices().size()) << "other matrices than planned";
  Digest seed;
  env.RandomBytes(seed.bytes);
  RandomElements mask_random(seed, "flair zk masks v1");
  RandomElements blinder_random(seed, "flair zk blinders v1");
  BatchProver prover(plan, std::move(long_lived), MaskRows(plan.mask(), mask_random));
  prover.tail_seed_ = HkdfSha256(seed.view(), AsBytes("tail"));
  prover.data_ = data;

  std::vector<std::vector<Fp2>> mask_rows;
  for (std::uint64_t i = 0; i < plan.mask().num_rows(); ++i) {
    mask_rows.push_back(prover.masks_.row(i));
  }
  const MatrixShape& shape = plan.matrices()[0];
  const auto rows = std::make_shared<WitnessRows>(
      plan, std::move(data), blinder_random.Next(shape.num_columns()), std::move(mask_rows));
  FLAIR_TRY(CommittedMatrix witness, CommittedMatrix::Commit(shape, rows, seed));
  prover.witness_ = std::make_unique<CommittedMatrix>(std::move(witness));
  prover.matrices_.insert(prover.matrices_.begin(), prover.witness_.get());

  for (std::size_t g = 0; g < plan.groups().size(); ++g) {
    const auto& companion = plan.groups()[g].companion;
    if (!companion) continue;
    // Companions of equal shape must not share pads: each has a seed of its own.
    const Digest own = HkdfSha256(seed.view(), AsBytes("companion " + std::to_string(g)));
    const auto cells = TwoRows(blinder_random.Next(companion->num_columns()));
    FLAIR_TRY(CommittedMatrix made, CommittedMatrix::Commit(*companion, cells, own));
    prover.companions_.push_back(std::move(made));
  }
  return prover;
}

std::vector<Digest> BatchProver::companion_roots() const {
  std::vector<Digest> roots;
  for (const CommittedMatrix& companion : companions_) roots.push_back(companion.root());
  return roots;
}

void BatchProver::AbsorbRoots(Transcript& transcript) const {
  std::vector<Digest> roots;
  for (const CommittedMatrix* matrix : matrices_) roots.push_back(matrix->root());
  AbsorbMatrices(plan_, roots, companion_roots(), transcript);
}

std::vector<Secret> BatchProver::Send(Transcript& transcript, Label label,
                                      const std::vector<Fp2>& values) {
  std::vector<Secret> secrets;
  std::vector<Fp2> message;
  for (const Fp2& value : values) {
    const std::uint64_t pad = pads_used_++;
    FLAIR_CHECK(pad < plan_.mask().num_pads()) << "more values than planned pads";
    message.push_back(value - masks_.pad(pad));
    secrets.push_back({value, Masked(message.back()) + Masked::Pad(pad)});
  }
  transcript.Absorb(label, message);
  sent_.insert(sent_.end(), message.begin(), message.end());
  return secrets;
}

BatchProver::Product BatchProver::SendProduct(Transcript& transcript, Label label, Fp2 a, Fp2 b) {
  const std::uint64_t triple = triples_used_++;
  FLAIR_CHECK(triple < plan_.mask().num_triples()) << "more products than planned triples";
  const std::uint64_t x = plan_.mask().XOf(triple);
  const std::uint64_t y = plan_.mask().YOf(triple);
  const std::vector<Fp2> message = {a - masks_.pad(x), b - masks_.pad(y)};
  transcript.Absorb(label, message);
  sent_.insert(sent_.end(), message.begin(), message.end());
  // (a^ + x)(b^ + y) = a^ b^ + a^ y + b^ x + xy
  const Masked product = Masked(message[0] * message[1]) + Masked::Pad(y) * message[0] +
                         Masked::Pad(x) * message[1] + Masked::Pad(plan_.mask().ZOf(triple));
  return {.a = {a, Masked(message[0]) + Masked::Pad(x)},
          .b = {b, Masked(message[1]) + Masked::Pad(y)},
          .product = {a * b, product}};
}

BatchProver::Summed BatchProver::SumOverAll(Transcript& transcript,
                                            const std::vector<Claim>& claims, Fp2 lambda) {
  std::vector<std::unique_ptr<OpeningSum>> sums;
  for (std::size_t m = 0; m < matrices_.size(); ++m) {
    sums.push_back(std::make_unique<OpeningSum>(matrices_[m]->rows(), plan_.data_rows(m),
                                                plan_.matrices()[m].log_columns, claims, m,
                                                lambda));
  }
  Summed summed;
  summed.last = FirstSum(claims, lambda);
  Fp2 left;  // what the rounds still add up to
  for (unsigned round = 0; round < plan_.num_variables(); ++round) {
    std::array<Fp2, 3> at;
    for (const auto& sum : sums) sum->AddRound(at);
    if (round > 0) at[1] = left - at[0];
    const std::vector<Secret> g = Send(transcript, Label::kSumcheckMessage, {at.begin(), at.end()});
    RequireZero(g[0].masked + g[1].masked - summed.last);
    const Fp2 r = transcript.Draw(Label::kSumcheckChallenge);
    summed.last = AtQuadratic(g[0].masked, g[1].masked, g[2].masked, r);
    left = AtQuadratic(at[0], at[1], at[2], r).known();
    for (const auto& sum : sums) sum->Fold(r);
    summed.point.push_back(r);
  }
  for (const auto& sum : sums) summed.values.push_back(sum->value());
  return summed;
}

Fp2 BatchProver::ValueAt(const CommittedMatrix& matrix, const std::vector<Fp2>& row_weights,
                         std::span<const Fp2> point) const {
  std::vector<Fp2> row(matrix.shape().row_length());
  matrix.AddCombination(row_weights, row);
  const std::vector<Fp2> eq = EqTable(point.first(matrix.shape().log_columns));
  Fp2 value;
  for (std::size_t j = 0; j < eq.size(); ++j) value += eq[j] * row[j];
  return value;
}

TailProof BatchProver::ProveTail(TailProver& tail, std::span<const Fp2> point,
                                 const std::vector<Fp2>& values,
                                 const std::vector<std::vector<std::uint64_t>>& columns,
                                 std::vector<GroupOpening>& groups, Transcript& transcript) const {
  std::vector<TailClaims> claims;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const MatrixShape& shape = plan_.matrices()[plan_.groups()[g].members[0]];
    const std::vector<Fp2> row = std::exchange(groups[g].combined_row, {});
    claims.push_back(ClaimsOfRow(shape, point, values[g], columns[g]));
    claims.back().sums = EncodeAt(shape, row, columns[g]);
  }
  TailProof proof = tail.Prove(plan_.work_bits(), claims, transcript);
  proof.root = tail.root();
  proof.values = values;
  return proof;
}

Result<BatchProof> BatchProver::Prove(Transcript& transcript, const std::vector<Claim>& claims,
                                      const Reserve& reserve) {
  const Fp2 lambda = DrawLambda(plan_, claims, transcript);
  Summed summed = SumOverAll(transcript, claims, lambda);
  const std::vector<Fp2>& point = summed.point;

  // The value of the mask rows, as of one more matrix; then that of each blinding row.
  const CommittedMatrix& witness = *matrices_[0];
  const auto only = [&](std::uint64_t begin, const std::vector<Fp2>& weights) {
    std::vector<Fp2> rows(witness.shape().num_rows);
    std::copy(weights.begin(), weights.end(), rows.begin() + static_cast<std::ptrdiff_t>(begin));
    return rows;
  };
  const std::vector<Fp2> all = plan_.RowWeights(0, point, Fp2(), Fp2(1));
  const std::vector<Fp2> mask_weights(
      all.begin() + static_cast<std::ptrdiff_t>(plan_.first_mask_row()), all.end());
  summed.values.push_back(ValueAt(witness, only(plan_.first_mask_row(), mask_weights), point));
  const std::vector<Fp2> blinding = {kWeightOfA, kWeightOfB};
  std::vector<Fp2> blinder_values;
  auto companion = companions_.begin();
  for (const BatchPlan::Group& group : plan_.groups()) {
    blinder_values.push_back(group.companion
                                 ? ValueAt(*companion++, blinding, point)
                                 : ValueAt(witness, only(plan_.blinder_row(), blinding), point));
  }
  const auto masked_of = [](const std::vector<Secret>& secrets) {
    std::vector<Masked> masked;
    for (const Secret& s : secrets) masked.push_back(s.masked);
    return masked;
  };
  const auto values = masked_of(Send(transcript, Label::kClaimValue, summed.values));
  const auto blinders = masked_of(Send(transcript, Label::kClaimValue, blinder_values));
  RequireZero(summed.last - LastSum(plan_, claims, lambda, point, values));

  BatchProof proof;
  const Epsilons epsilons = DrawEpsilons(plan_, transcript);
  std::vector<Fp2> shown_values;
  companion = companions_.begin();
  for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
    const BatchPlan::Group& group = plan_.groups()[g];
    const MatrixShape& shape = plan_.matrices()[group.members[0]];
    std::vector<Fp2> row(shape.row_length());
    for (const std::size_t m : group.members) {
      matrices_[m]->AddCombination(plan_.RowWeights(m, point, epsilons.by_matrix[m], epsilons.mask),
                                   row);
    }
    if (group.companion) (companion++)->AddCombination(blinding, row);
    const std::vector<Fp2> eq = EqTable(std::span(point).first(shape.log_columns));
    Fp2 shown;
    for (std::size_t j = 0; j < eq.size(); ++j) shown += eq[j] * row[j];
    RequireZero(GroupValue(plan_, g, epsilons, values, blinders[g]) - Masked(shown));
    shown_values.push_back(shown);
    if (plan_.tail() == nullptr) transcript.Absorb(Label::kCombinedRow, row);
    proof.groups.push_back({.combined_row = std::move(row), .matrices = {}});
  }
  std::optional<TailProver> tail;
  if (plan_.tail() != nullptr) {
    std::vector<std::vector<Fp2>> rows;
    for (const GroupOpening& group : proof.groups) rows.push_back(group.combined_row);
    tail.emplace(*plan_.tail(), rows, tail_seed_);
    AbsorbTail(*plan_.tail(), tail->root(), shown_values, transcript);
  }

  const MaskDraws draws = DrawMaskChallenges(plan_.mask(), transcript);
  const Constraints::Combination combination =
      constraints_.Combine(draws.mu, plan_.mask().num_places());
  proof.mask = masks_.Prove(combination, draws.gammas, draws.triple_gammas);
  for (const auto* message : {&proof.mask.low_degree, &proof.mask.linear, &proof.mask.quadratic}) {
    transcript.Absorb(Label::kMaskMessage, *message);
  }

  proof.nonce = transcript.Grind(Label::kQueryWork, plan_.work_bits());
  std::vector<std::vector<std::uint64_t>> columns_of;
  for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
    columns_of.push_back(DrawColumns(plan_, g, transcript));
    for (const std::size_t m : plan_.groups()[g].members) {
      if (m != 0 && reserve) FLAIR_DO(reserve(m, columns_of[g]));
    }
  }
  companion = companions_.begin();
  for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
    const std::vector<std::uint64_t>& columns = columns_of[g];
    for (const std::size_t m : plan_.groups()[g].members) {
      proof.groups[g].matrices.push_back(matrices_[m]->Open(columns));
    }
    if (plan_.groups()[g].companion) {
      proof.groups[g].matrices.push_back((companion++)->Open(columns));
    }
  }
  if (tail)
    proof.tail = ProveTail(*tail, point, shown_values, columns_of, proof.groups, transcript);
  proof.masked = std::move(sent_);
  return proof;
}

}  // namespace flair::zk
