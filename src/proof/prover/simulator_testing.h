// A simulator of whole proofs of training: it knows a plan, which is public, and no witness, data
// or weights. Of an honest verifier, whose challenges it may know beforehand, it makes a proof that
// is accepted: random values, random columns, and messages that are right at these columns.
//
// As the real verifier accepts it, and its elements are as uniform as a prover's, a proof shows
// nothing that whoever has the statement could not have drawn.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/sha256.h"
#include "zk/batch/equations.h"
#include "zk/hash/merkle_tree.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/forger_testing.h"
#include "zk/prover/tail_prover.h"
#include "zk/training/training_plan.h"
#include "zk/verifier/lookup_verifier.h"

namespace flair::proof {

// An honest verifier's coins: they depend on nothing that was said. Remembers its draws.
class CoinTranscript final : public zk::Transcript {
 public:
  explicit CoinTranscript(std::uint64_t seed) : Transcript("coins"), seed_(seed) {}

  std::vector<zk::Fp2> DrawsOf(zk::Label label) const {
    std::vector<zk::Fp2> draws;
    for (std::size_t i = 0; i + 1 < words_.size(); ++i) {
      if (words_[i].first != label) continue;
      draws.push_back({zk::Fp(words_[i].second), zk::Fp(words_[i + 1].second)});
      ++i;
    }
    return draws;
  }

 private:
  Digest Step(std::uint8_t tag, zk::Label label, ByteView) const override {
    if (tag == 3) return Digest{};  // any nonce has all the work
    if (tag != 2) return state();
    Bytes input;
    AppendLe64(input, seed_);
    AppendLe64(input, ++steps_);
    const Digest step = Sha256(input);
    const std::uint64_t word = LoadLe64(step.view());
    if (word < zk::Fp::kModulus) words_.emplace_back(label, word);
    return step;
  }

  std::uint64_t seed_;
  mutable std::uint64_t steps_ = 0;
  mutable std::vector<std::pair<zk::Label, std::uint64_t>> words_;
};

class Simulator {
 public:
  Simulator(const zk::TrainingPlan& plan, std::uint64_t seed)
      : plan_(plan), random_(seed), coins_(seed) {
    MakeValues();
    CoinTranscript transcript(coins_);
    Run(transcript);  // to the first equation that does not hold: all is drawn but the columns
    const auto epsilons = transcript.DrawsOf(zk::Label::kRowBatch);
    const auto rounds = transcript.DrawsOf(zk::Label::kSumcheckChallenge);
    const std::vector<zk::Fp2> point(rounds.end() - batch().num_variables(), rounds.end());
    std::vector<std::vector<std::uint64_t>> columns;
    for (std::size_t g = 0; g < batch().groups().size(); ++g) {
      columns.push_back(zk::DrawColumns(batch(), g, transcript));
      MakeGroup(g, columns.back(), point, epsilons);
    }
    if (batch().tail() != nullptr) MakeTail(columns, point, transcript);
    MakeMessages(transcript.DrawsOf(zk::Label::kMaskChallenge));
  }

  const zk::BatchProof& proof() const { return proof_; }
  // "accepted", or why not.
  std::string Judge() const {
    CoinTranscript transcript(coins_);
    return Run(transcript).second;
  }

 private:
  const zk::BatchPlan& batch() const { return plan_.batch(); }
  std::uint64_t Word() { return zk::Fp(random_()).value(); }
  std::vector<zk::Fp2> Elements(std::uint64_t count) {
    std::vector<zk::Fp2> list(count);
    for (zk::Fp2& v : list) v = zk::RandomElement(random_);
    return list;
  }
  Digest AnyDigest() {
    Digest digest;
    for (std::byte& b : digest.bytes) b = static_cast<std::byte>(random_());
    return digest;
  }

  // VerifyTraining, with coins for a transcript.
  std::pair<zk::Constraints, std::string> Run(zk::Transcript& transcript) const {
    auto values = zk::BatchVerifier::Begin(batch(), roots_, companions_, proof_).value();
    plan_.statement().Absorb(transcript);
    values.AbsorbRoots(transcript);
    std::vector<zk::Claim> claims =
        zk::CheckLookups(plan_.layout().lookups(), 0, transcript, values).value();
    for (zk::Claim& claim : plan_.RunScript(transcript, values, nullptr, nullptr)) {
      claims.push_back(std::move(claim));
    }
    const Status checked = values.Check(transcript, claims);
    return {values.constraints(), checked.ok() ? "accepted" : checked.error().message()};
  }

  void MakeValues() {
    const zk::MaskShape& mask = batch().mask();
    proof_.masked = Elements(mask.num_pads() + 2 * mask.num_triples());
    roots_.resize(batch().matrices().size());
    for (const zk::BatchPlan::Group& group : batch().groups()) {
      if (group.companion) companions_.emplace_back();
      zk::GroupOpening& opening = proof_.groups.emplace_back();
      if (batch().tail() != nullptr) continue;
      opening.combined_row.resize(batch().matrices()[group.members[0]].row_length());
    }
    if (const zk::TailPlan* tail = batch().tail()) {
      proof_.tail.emplace().values.resize(batch().groups().size());
      proof_.tail->rounds.resize(tail->num_variables());
      proof_.tail->opening.combined_row.resize(tail->shape.row_length());
    }
    proof_.mask = {Elements(mask.low_degree_size()), Elements(mask.linear_size()),
                   Elements(mask.quadratic_size())};
  }

  // Random columns, leaves that nobody sees, and a row that is right at the columns.
  void MakeGroup(std::size_t g, const std::vector<std::uint64_t>& columns,
                 const std::vector<zk::Fp2>& point, const std::vector<zk::Fp2>& epsilons) {
    const zk::BatchPlan::Group& group = batch().groups()[g];
    const zk::MatrixShape& shape = batch().matrices()[group.members[0]];
    std::vector<zk::Fp> points;
    for (const std::uint64_t column : columns) points.push_back(zk::PointAt(shape, column));
    std::vector<zk::Fp2> sums(columns.size());
    const auto open = [&](std::uint64_t rows, const std::vector<zk::Fp2>& weights, Digest& root) {
      zk::OpenedMatrix& opened = proof_.groups[g].matrices.emplace_back();
      std::vector<Digest> leaves(shape.n());
      for (Digest& leaf : leaves) leaf = AnyDigest();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        std::vector<zk::Fp>& column = opened.columns.emplace_back();
        for (std::uint64_t r = 0; r < rows; ++r) {
          column.push_back(zk::Fp(Word()));
          sums[i] += weights[r] * column.back();
        }
        opened.salts.push_back(AnyDigest());
        leaves[columns[i]] = zk::ColumnLeaf(columns[i], opened.salts.back(), column);
      }
      const zk::MerkleTree tree(std::move(leaves));
      root = tree.root();
      opened.path = tree.Path(columns);
    };
    for (const std::size_t m : group.members) {
      open(batch().matrices()[m].num_rows,
           batch().RowWeights(m, point, epsilons[m], epsilons.back()), roots_[m]);
    }
    if (group.companion) {
      open(2, {zk::kWeightOfA, zk::kWeightOfB}, companions_[num_companions_++]);
    }
    proof_.groups[g].combined_row = RandomThrough(points, sums, shape.row_length());
    if (group.members[0] == 0) witness_points_ = points;
  }

  // As the prover does: of the rows nothing is hidden.
  void MakeTail(const std::vector<std::vector<std::uint64_t>>& columns,
                const std::vector<zk::Fp2>& point, zk::Transcript& transcript) {
    std::vector<std::vector<zk::Fp2>> rows;
    std::vector<zk::Fp2> values;
    std::vector<zk::TailClaims> claims;
    for (std::size_t g = 0; g < columns.size(); ++g) {
      const zk::MatrixShape& shape = batch().matrices()[batch().groups()[g].members[0]];
      rows.push_back(std::exchange(proof_.groups[g].combined_row, {}));
      values.push_back(zk::ValueOfRow(std::span(point).first(shape.log_columns), rows.back()));
      claims.push_back(zk::ClaimsOfRow(shape, point, values.back(), columns[g]));
      claims.back().sums = zk::EncodeAt(shape, rows.back(), columns[g]);
    }
    zk::TailProver prover(*batch().tail(), rows, AnyDigest());
    proof_.tail = prover.Prove(batch().work_bits(), claims, transcript);
    proof_.tail->root = prover.root();
    proof_.tail->values = values;
  }

  // Of so many coefficients, otherwise random.
  std::vector<zk::Fp2> RandomThrough(const std::vector<zk::Fp>& points,
                                     const std::vector<zk::Fp2>& values, std::uint64_t size) {
    std::vector<zk::Fp2> polynomial = Elements(size);
    std::vector<zk::Fp2> missing = values;
    for (std::size_t i = 0; i < points.size(); ++i) {
      missing[i] -= zk::EvaluateAt(polynomial, zk::Fp2(points[i]));
    }
    zk::AddScaled(polynomial, zk::Interpolate(points, missing), zk::Fp2(1));
    return polynomial;
  }

  void MakeMessages(const std::vector<zk::Fp2>& draws) {
    const zk::MaskShape& mask = batch().mask();
    CoinTranscript transcript(coins_);
    const auto combination = Run(transcript).first.Combine(draws[0], mask.num_places());
    const auto gammas = std::span(draws).subspan(1);
    std::vector<std::vector<zk::Fp2>> coefficients;  // by row, as polynomials
    for (std::uint64_t i = 0; i < mask.pad_rows(); ++i) {
      coefficients.push_back(zk::InterpolateOnRoots(
          std::span(combination.coefficients).subspan(i * mask.width(), mask.width())));
    }
    std::vector<zk::Fp2> low_degree, linear, quadratic;
    for (std::size_t i = 0; i < witness_points_.size(); ++i) {
      const zk::Fp x = witness_points_[i];
      const std::vector<zk::Fp>& column = proof_.groups[0].matrices[0].columns[i];
      const auto row = [&](std::uint64_t k) {
        const std::uint64_t at = batch().first_mask_row() + 2 * k;
        return zk::Fp2(column[at], column[at + 1]);
      };
      zk::Fp2 low = row(mask.pad_rows()), line = row(mask.pad_rows() + 1),
              square = row(mask.pad_rows() + 2);
      for (std::uint64_t k = 0; k < mask.pad_rows(); ++k) {
        low += gammas[k] * row(k);
        line += zk::EvaluateAt(coefficients[k], zk::Fp2(x)) * row(k);
      }
      for (std::uint64_t l = 0; l < mask.triple_rows(); ++l) {
        const auto part = [&](std::uint64_t p) {
          return row(mask.linear_rows() + p * mask.triple_rows() + l);
        };
        square += gammas[mask.pad_rows() + l] * (part(2) - part(0) * part(1));
      }
      low_degree.push_back(low);
      linear.push_back(line);
      quadratic.push_back(square * (x.Pow(mask.width()) - zk::Fp(1)).Inverse());
    }
    proof_.mask.low_degree = RandomThrough(witness_points_, low_degree, mask.low_degree_size());
    proof_.mask.quadratic = RandomThrough(witness_points_, quadratic, mask.quadratic_size());
    proof_.mask.linear = RandomThrough(witness_points_, linear, mask.linear_size());
    // And of the right sum: a multiple of what is 0 at all columns makes up for what is missing.
    const auto sum_over_roots = [&](const std::vector<zk::Fp2>& polynomial) {
      zk::Fp2 sum;
      for (std::size_t i = 0; i < polynomial.size(); i += mask.width()) sum += polynomial[i];
      return sum * zk::Fp(mask.width());
    };
    const std::vector<zk::Fp2> nowhere = zk::VanishingAt(witness_points_);
    const zk::Fp2 missing = combination.target - sum_over_roots(proof_.mask.linear);
    zk::AddScaled(proof_.mask.linear, nowhere, missing * sum_over_roots(nowhere).Inverse());
  }

  const zk::TrainingPlan& plan_;
  std::mt19937_64 random_;
  std::uint64_t coins_;
  zk::BatchProof proof_;
  std::vector<Digest> roots_;
  std::vector<Digest> companions_;
  std::size_t num_companions_ = 0;
  std::vector<zk::Fp> witness_points_;
};

}  // namespace flair::proof
