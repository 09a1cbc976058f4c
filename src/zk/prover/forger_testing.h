// A prover of batch openings that can lie at every step: the tests' malicious twin of
// batch_prover.h. Without a cheat it makes the same proof.
//
// What a cheat cannot hide it states or leaves out: a constraint that is false makes the prover's
// combination of all constraints false, unless the verifier has forgotten the constraint as well.
// So a test of that constraint runs with it and without it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/chacha20.h"
#include "zk/batch/binding.h"
#include "zk/batch/equations.h"
#include "zk/poly/eq.h"
#include "zk/poly/kpoly.h"
#include "zk/prover/batch_prover.h"
#include "zk/prover/column_table_testing.h"
#include "zk/prover/witness_rows.h"
#include "zk/verifier/batch_verifier.h"
#include "zk/verifier/group_check.h"

namespace flair::zk {

// Does not absorb messages of some roles: what a cheat has when a verifier does not either.
class ForgetfulTranscript final : public Transcript {
 public:
  explicit ForgetfulTranscript(std::set<Label> forgotten)
      : Transcript("test"), forgotten_(std::move(forgotten)) {}

 private:
  Digest Step(std::uint8_t tag, Label label, ByteView message) const override {
    return tag == 1 && forgotten_.contains(label) ? state() : Transcript::Step(tag, label, message);
  }
  std::set<Label> forgotten_;
};

// The polynomial of least degree through points; the verifier's too short messages.
inline std::vector<Fp2> Interpolate(const std::vector<Fp>& points, const std::vector<Fp2>& values) {
  std::vector<Fp2> sum(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<Fp2> basis = {values[i]};
    for (std::size_t j = 0; j < points.size(); ++j) {
      if (j == i) continue;
      const Fp2 scale((points[i] - points[j]).Inverse());
      basis = MultiplyPolynomials(basis, std::vector<Fp2>{-(Fp2(points[j]) * scale), scale});
    }
    AddScaled(sum, basis, Fp2(1));
  }
  return sum;
}

// 0 at all points.
inline std::vector<Fp2> VanishingAt(const std::vector<Fp>& points) {
  std::vector<Fp2> product = {Fp2(1)};
  for (const Fp x : points) {
    product = MultiplyPolynomials(product, std::vector<Fp2>{-Fp2(x), Fp2(1)});
  }
  return product;
}

class Forger final : public Channel {
 public:
  // Pads by place; coefficients of the K-rows.
  struct Masks {
    std::vector<Fp2> pads;
    std::vector<std::vector<Fp2>> rows;
  };
  // What is sent once the rounds are over. `missing`: by how much the values of the matrices fall
  // short of what the rounds say; `weights`: how much each counts in that.
  struct LastValues {
    std::vector<Fp2> values;  // by matrix, then that of the mask rows
    std::vector<Fp2> blinders;
    Fp2 missing;
    std::vector<Fp2> weights;
    Epsilons epsilons;  // as they will be, if nothing more is absorbed
  };
  struct Round {
    unsigned number;
    std::vector<Fp2>& at;  // 0, 1, 2
    Fp2 sum;               // that the verifier expects
    Fp2 challenge;         // as it will be, if this is not absorbed
  };
  struct Columns {
    std::vector<std::uint64_t> columns;  // of the witness's group
    std::vector<Fp> points;
    std::vector<std::vector<Fp2>> mask_rows;  // by column: entries of the K-rows
  };

  struct Cheats {
    std::function<void(Masks&)> masks;
    std::function<void(ColumnTable::Columns&)> witness;  // after its rows were made
    std::function<void(const Round&)> round;
    std::function<void(LastValues&)> values;
    bool late_rows = false;  // of the first group, once its columns are known
    std::function<void(const MaskDraws&, MaskMessages&)> messages;
    std::function<void(const MaskDraws&, const Columns&, Fp2 target, MaskMessages&)> late_messages;
    std::function<std::uint64_t(const Transcript&)> nonce;
    std::set<std::string_view> unstated;  // constraints: "round", "last", "group"
  };

  Forger(const BatchPlan& plan, const std::shared_ptr<const RowSource>& data,
         const std::vector<const CommittedMatrix*>& long_lived, Env& env, Cheats cheats)
      : plan_(plan), cheats_(std::move(cheats)) {
    Digest seed;
    env.RandomBytes(seed.bytes);
    RandomElements mask_random(seed, "flair zk masks v1");
    RandomElements blinder_random(seed, "flair zk blinders v1");
    const MaskRows honest(plan_.mask(), mask_random);
    for (std::uint64_t i = 0; i < plan_.mask().num_places(); ++i) {
      masks_.pads.push_back(honest.pad(i));
    }
    for (std::uint64_t i = 0; i < plan_.mask().num_rows(); ++i) {
      masks_.rows.push_back(honest.row(i));
    }
    if (cheats_.masks) cheats_.masks(masks_);
    const MatrixShape& shape = plan_.matrices()[0];
    AddMatrix(CommittedMatrix::Commit(
                  shape,
                  std::make_shared<WitnessRows>(
                      plan_, data, blinder_random.Next(shape.num_columns()), masks_.rows),
                  seed)
                  .value());
    if (cheats_.witness) {
      tables_[0].Change(cheats_.witness);
      roots_[0] = tables_[0].root();
    }
    for (const CommittedMatrix* matrix : long_lived) AddMatrix(*matrix);
    for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
      const auto& companion = plan_.groups()[g].companion;
      if (!companion) continue;
      const Digest own = HkdfSha256(seed.view(), AsBytes("companion " + std::to_string(g)));
      const auto cells = TwoRows(blinder_random.Next(companion->num_columns()));
      AddMatrix(CommittedMatrix::Commit(*companion, cells, own).value());
    }
  }

  std::vector<Digest> roots() const {
    return {roots_.begin(), roots_.begin() + static_cast<std::ptrdiff_t>(num_claimed())};
  }
  std::vector<Digest> companions() const {
    return {roots_.begin() + static_cast<std::ptrdiff_t>(num_claimed()), roots_.end()};
  }
  void AbsorbRoots(Transcript& transcript) const {
    AbsorbMatrices(plan_, roots(), companions(), transcript);
  }
  const MaskDraws& draws() const { return draws_; }

  // --- the script's end ---------------------------------------------------------------------

  std::vector<Secret> Pass(Transcript& transcript, Label label,
                           const std::vector<Fp2>& values) override {
    std::vector<Secret> secrets;
    std::vector<Fp2> message;
    for (const Fp2& value : values) {
      message.push_back(value - masks_.pads[pads_used_]);
      secrets.push_back({value, Masked(message.back()) + Masked::Pad(pads_used_++)});
    }
    Say(transcript, label, message);
    return secrets;
  }
  Product PassProduct(Transcript& transcript, Label label, Fp2 a, Fp2 b) override {
    const MaskShape& mask = plan_.mask();
    const std::uint64_t triple = triples_used_++;
    const std::uint64_t x = mask.XOf(triple);
    const std::uint64_t y = mask.YOf(triple);
    const Fp2 a_sent = a - masks_.pads[x];
    const Fp2 b_sent = b - masks_.pads[y];
    Say(transcript, label, {a_sent, b_sent});
    const Masked product = Masked(a_sent * b_sent) + Masked::Pad(y) * a_sent +
                           Masked::Pad(x) * b_sent + Masked::Pad(mask.ZOf(triple));
    return {.a = {a, Masked(a_sent) + Masked::Pad(x)},
            .b = {b, Masked(b_sent) + Masked::Pad(y)},
            .product = {ValueOf(product), product}};
  }
  void RequireZero(const Masked& zero) override { constraints_.RequireZero(zero); }

  // --- the opening --------------------------------------------------------------------------

  BatchProof Prove(Transcript& transcript, const std::vector<Claim>& claims) {
    const Fp2 lambda = DrawLambda(plan_, claims, transcript);
    LastValues last = SumOverAll(transcript, claims, lambda);
    if (cheats_.values) cheats_.values(last);
    const auto values = MaskedOf(Pass(transcript, Label::kClaimValue, last.values));
    const auto blinders = MaskedOf(Pass(transcript, Label::kClaimValue, last.blinders));
    State("last", left_ - LastSum(plan_, claims, lambda, point_, values));

    BatchProof proof;
    const Epsilons epsilons = DrawEpsilons(plan_, transcript);
    Fp2 missing;  // from the first group's row, to be made up for
    for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
      const MatrixShape& shape = plan_.matrices()[plan_.groups()[g].members[0]];
      std::vector<Fp2> row(shape.row_length());
      const auto members = MembersOf(g);
      const auto weights = WeightsOf(g, epsilons);
      for (std::size_t i = 0; i < members.size(); ++i) {
        matrices_[members[i]].AddCombination(weights[i], row);
      }
      const Masked sent = GroupValue(plan_, g, epsilons, values, blinders[g]);
      Fp2 shown = ValueOfRow(std::span(point_).first(shape.log_columns), row);
      if (g == 0 && cheats_.late_rows) {
        missing = ValueOf(sent) - shown;
        shown = ValueOf(sent);
      }
      State("group", sent - Masked(shown));
      transcript.Absorb(Label::kCombinedRow, row);
      proof.groups.push_back({.combined_row = std::move(row), .matrices = {}});
    }

    draws_ = DrawMaskChallenges(plan_.mask(), transcript);
    const auto combination = constraints_.Combine(draws_.mu, plan_.mask().num_places());
    proof.mask = MessagesOf(combination);
    if (cheats_.messages) cheats_.messages(draws_, proof.mask);
    for (const auto* message :
         {&proof.mask.low_degree, &proof.mask.linear, &proof.mask.quadratic}) {
      transcript.Absorb(Label::kMaskMessage, *message);
    }
    if (cheats_.nonce) {
      proof.nonce = cheats_.nonce(transcript);
      (void)transcript.CheckWork(Label::kQueryWork, plan_.work_bits(), proof.nonce);
    } else {
      proof.nonce = transcript.Grind(Label::kQueryWork, plan_.work_bits());
    }
    for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
      columns_.push_back(DrawColumns(plan_, g, transcript));
      for (const std::size_t m : MembersOf(g)) {
        proof.groups[g].matrices.push_back(tables_[m].Open(columns_[g]));
      }
    }
    const Columns columns = ColumnsOf(proof.groups[0].matrices[0]);
    if (cheats_.late_messages) {
      cheats_.late_messages(draws_, columns, combination.target, proof.mask);
    }
    if (cheats_.late_rows) {
      const std::vector<Fp2> nowhere = VanishingAt(columns.points);
      std::vector<Fp2>& row = proof.groups[0].combined_row;
      std::vector<Fp2> added(row.size());
      AddScaled(added, nowhere, Fp2(1));
      const auto column_point = std::span(point_).first(plan_.matrices()[0].log_columns);
      AddScaled(row, added, missing * ValueOfRow(column_point, added).Inverse());
    }
    proof.masked = sent_;
    return proof;
  }

  // Another matrix in the place of number `m` (companions last) but for the columns that were
  // opened; its root, and the proof that fits it.
  void Replace(std::size_t m, BatchProof& proof) {
    for (std::size_t g = 0; g < plan_.groups().size(); ++g) {
      const auto members = MembersOf(g);
      const auto at = std::find(members.begin(), members.end(), m);
      if (at == members.end()) continue;
      const std::set<std::uint64_t> opened(columns_[g].begin(), columns_[g].end());
      tables_[m].Change([&](ColumnTable::Columns& columns) {
        for (std::size_t j = 0; j < columns.size(); ++j) {
          if (!opened.contains(j)) std::fill(columns[j].begin(), columns[j].end(), Fp());
        }
      });
      roots_[m] = tables_[m].root();
      const auto place = static_cast<std::size_t>(at - members.begin());
      proof.groups[g].matrices[place] = tables_[m].Open(columns_[g]);
    }
  }

 private:
  void AddMatrix(CommittedMatrix matrix) {
    tables_.emplace_back(matrix);
    matrices_.push_back(std::move(matrix));
    roots_.push_back(tables_.back().root());
  }
  std::size_t num_claimed() const { return plan_.matrices().size(); }

  void Say(Transcript& transcript, Label label, const std::vector<Fp2>& message) {
    transcript.Absorb(label, message);
    sent_.insert(sent_.end(), message.begin(), message.end());
  }
  void State(std::string_view name, const Masked& zero) {
    if (!cheats_.unstated.contains(name)) RequireZero(zero);
  }
  Fp2 ValueOf(const Masked& masked) const {
    Fp2 value = masked.known();
    for (const Masked::Term& t : masked.terms()) value += t.coefficient * masks_.pads[t.pad];
    return value;
  }
  static std::vector<Masked> MaskedOf(const std::vector<Secret>& secrets) {
    std::vector<Masked> masked;
    for (const Secret& s : secrets) masked.push_back(s.masked);
    return masked;
  }

  // Numbers of the group's matrices and companion in matrices_.
  std::vector<std::size_t> MembersOf(std::size_t group) const {
    std::vector<std::size_t> members = plan_.groups()[group].members;
    if (group > 0) members.push_back(num_claimed() + group - 1);
    return members;
  }
  std::vector<std::vector<Fp2>> WeightsOf(std::size_t group, const Epsilons& epsilons) const {
    std::vector<std::vector<Fp2>> weights;
    for (const std::size_t m : plan_.groups()[group].members) {
      weights.push_back(plan_.RowWeights(m, point_, epsilons.by_matrix[m], epsilons.mask));
    }
    if (group > 0) weights.push_back({kWeightOfA, kWeightOfB});
    return weights;
  }

  // Every matrix as a polynomial in all variables, one coefficient after another.
  LastValues SumOverAll(Transcript& transcript, const std::vector<Claim>& claims, Fp2 lambda) {
    const std::size_t size = std::size_t{1} << plan_.num_variables();
    std::vector<std::vector<Fp2>> cells;
    std::vector<std::vector<Fp2>> weights(num_claimed(), std::vector<Fp2>(size));
    for (std::size_t m = 0; m < num_claimed(); ++m) {
      const std::uint64_t num_columns = plan_.matrices()[m].num_columns();
      std::vector<Fp2> own(std::size_t{1} << plan_.num_variables(m));
      std::vector<std::uint64_t> row(num_columns);
      for (std::uint64_t i = 0; i < plan_.data_rows(m); ++i) {
        matrices_[m].rows().Read(i, row);
        for (std::size_t j = 0; j < row.size(); ++j) own[i * num_columns + j] = Fp2(Fp(row[j]));
      }
      cells.emplace_back();
      while (cells.back().size() < size) {
        cells.back().insert(cells.back().end(), own.begin(), own.end());
      }
    }
    Fp2 power(1);
    for (Claim claim : claims) {
      // What a verifier reads that does not look where a block lies.
      const std::size_t own = std::size_t{1} << plan_.num_variables(claim.matrix);
      for (Block& block : claim.blocks) block.offset %= own;
      AddWeights(claim, power, std::span(weights[claim.matrix]).first(own));
      power *= lambda;
    }
    left_ = FirstSum(claims, lambda);
    for (unsigned number = 0; number < plan_.num_variables(); ++number) {
      std::vector<Fp2> at(3);
      for (std::size_t m = 0; m < cells.size(); ++m) {
        for (std::size_t i = 0; i < cells[m].size(); i += 2) {
          for (std::uint64_t x = 0; x < 3; ++x) at[x] += At(cells[m], i, x) * At(weights[m], i, x);
        }
      }
      if (cheats_.round) {
        Transcript ahead = transcript;
        const Fp2 challenge = ahead.Draw(Label::kSumcheckChallenge);
        cheats_.round({number, at, ValueOf(left_), challenge});
      }
      const auto g = MaskedOf(Pass(transcript, Label::kSumcheckMessage, at));
      State("round", g[0] + g[1] - left_);
      const Fp2 r = transcript.Draw(Label::kSumcheckChallenge);
      left_ = AtQuadratic(g[0], g[1], g[2], r);
      point_.push_back(r);
      for (auto* tables : {&cells, &weights}) {
        for (std::vector<Fp2>& table : *tables) {
          for (std::size_t i = 0; i < table.size() / 2; ++i) {
            table[i] = table[2 * i] + r * (table[2 * i + 1] - table[2 * i]);
          }
          table.resize(table.size() / 2);
        }
      }
    }

    LastValues last;
    last.missing = ValueOf(left_);
    for (std::size_t m = 0; m < num_claimed(); ++m) {
      last.values.push_back(cells[m][0]);
      last.weights.push_back(weights[m][0]);
      last.missing -= cells[m][0] * weights[m][0];
    }
    std::vector<Fp2> rows = plan_.RowWeights(0, point_, Fp2(), Fp2(1));
    rows[plan_.blinder_row()] = rows[plan_.blinder_row() + 1] = Fp2();
    last.values.push_back(ValueOfRows(0, rows));
    std::fill(rows.begin(), rows.end(), Fp2());
    rows[plan_.blinder_row()] = kWeightOfA;
    rows[plan_.blinder_row() + 1] = kWeightOfB;
    last.blinders.push_back(ValueOfRows(0, rows));
    for (std::size_t m = num_claimed(); m < matrices_.size(); ++m) {
      last.blinders.push_back(ValueOfRows(m, {kWeightOfA, kWeightOfB}));
    }
    Transcript ahead = transcript;
    last.epsilons = DrawEpsilons(plan_, ahead);
    return last;
  }
  static Fp2 At(const std::vector<Fp2>& table, std::size_t i, std::uint64_t x) {
    return table[i] + Fp2(Fp(x)) * (table[i + 1] - table[i]);
  }
  Fp2 ValueOfRows(std::size_t m, const std::vector<Fp2>& weights) const {
    std::vector<Fp2> row(matrices_[m].shape().row_length());
    matrices_[m].AddCombination(weights, row);
    return ValueOfRow(std::span(point_).first(matrices_[m].shape().log_columns), row);
  }

  // Cut to their lengths, where a lie is longer.
  MaskMessages MessagesOf(const Constraints::Combination& combination) const {
    const MaskShape& mask = plan_.mask();
    const std::size_t longest = 4 * (mask.width() + mask.num_random());
    std::vector<Fp2> low_degree(longest);
    std::vector<Fp2> linear(longest);
    std::vector<Fp2> products(longest);
    const auto& rows = masks_.rows;
    AddScaled(low_degree, rows[mask.pad_rows()], Fp2(1));
    AddScaled(linear, rows[mask.pad_rows() + 1], Fp2(1));
    AddScaled(products, rows[mask.pad_rows() + 2], Fp2(1));
    for (std::uint64_t i = 0; i < mask.pad_rows(); ++i) {
      AddScaled(low_degree, rows[i], draws_.gammas[i]);
      const std::span coefficients(combination.coefficients.data() + i * mask.width(),
                                   mask.width());
      AddScaled(linear, MultiplyPolynomials(InterpolateOnRoots(coefficients), rows[i]), Fp2(1));
    }
    for (std::uint64_t l = 0; l < mask.triple_rows(); ++l) {
      const auto row = [&](std::uint64_t part) -> const std::vector<Fp2>& {
        return rows[mask.linear_rows() + part * mask.triple_rows() + l];
      };
      AddScaled(products, row(2), draws_.triple_gammas[l]);
      AddScaled(products, MultiplyPolynomials(row(0), row(1)), -draws_.triple_gammas[l]);
    }
    std::vector<Fp2> quotient(longest - mask.width());
    for (std::size_t i = quotient.size(); i-- > 0;) {
      quotient[i] = products[i + mask.width()];
      products[i] += quotient[i];
    }
    low_degree.resize(mask.low_degree_size());
    linear.resize(mask.linear_size());
    quotient.resize(mask.quadratic_size());
    return {std::move(low_degree), std::move(linear), std::move(quotient)};
  }

  Columns ColumnsOf(const OpenedMatrix& witness) const {
    Columns out;
    out.columns = columns_[0];
    for (std::size_t i = 0; i < out.columns.size(); ++i) {
      out.points.push_back(PointAt(plan_.matrices()[0], out.columns[i]));
      std::vector<Fp2> rows;
      for (std::uint64_t k = 0; k < plan_.mask().num_rows(); ++k) {
        const std::uint64_t at = plan_.first_mask_row() + 2 * k;
        rows.emplace_back(witness.columns[i][at], witness.columns[i][at + 1]);
      }
      out.mask_rows.push_back(std::move(rows));
    }
    return out;
  }

  BatchPlan plan_;
  Cheats cheats_;
  Masks masks_;
  std::vector<CommittedMatrix> matrices_;  // witness, long-lived, companions
  std::vector<ColumnTable> tables_;
  std::vector<Digest> roots_;
  Constraints constraints_;
  std::uint64_t pads_used_ = 0;
  std::uint64_t triples_used_ = 0;
  std::vector<Fp2> sent_;
  Masked left_;  // what the rounds so far leave
  std::vector<Fp2> point_;
  MaskDraws draws_;
  std::vector<std::vector<std::uint64_t>> columns_;  // by group
};

}  // namespace flair::zk
