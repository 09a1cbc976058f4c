// Tails by themselves: rows, their values and their sums at columns; and provers that lie.
//
// A cheat that needs a message to be forgotten is tried twice: a verifier that forgets it as well
// accepts, which shows that the cheat works; the real one rejects.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <string>

#include "zk/batch/equations.h"
#include "zk/poly/eq.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/forger_testing.h"
#include "zk/prover/tail_prover.h"
#include "zk/tail/tail_messages.h"
#include "zk/verifier/tail_check.h"

namespace flair::zk {
namespace {

using ::testing::HasSubstr;

constexpr MatrixShape kFirst{
    .log_columns = 5, .log_n = 7, .num_rows = 3, .num_pads = 13, .kind = MatrixKind::kWitness};
constexpr MatrixShape kSecond{
    .log_columns = 4, .log_n = 6, .num_rows = 5, .num_pads = 16, .kind = MatrixKind::kWeights};
constexpr MatrixShape kThird{
    .log_columns = 6, .log_n = 8, .num_rows = 1, .num_pads = 1, .kind = MatrixKind::kData};
constexpr std::uint64_t kColumns = 6;  // of each group
constexpr unsigned kWork = 3;

struct Cheats {
  std::function<void(std::vector<std::vector<Fp2>>&)> rows;  // that are committed
  std::function<void(std::vector<Fp2>&)> values;
  std::function<void(std::vector<TailClaims>&, Fp2 eta)> late_values;
  std::function<void(std::vector<std::vector<Fp2>>&, const std::vector<TailClaims>&)> late_rows;
  std::function<void(ColumnTable::Columns&)> word;
  std::function<void(std::array<Fp2, 2>&, Fp2 sum, Fp2 honest_sum, Fp2 challenge)> round;
  std::function<void(std::vector<Fp2>& row, Fp2 missing, std::span<const Fp2> point)> row;
  std::function<void(std::vector<Fp2>& row, Fp2 missing, std::span<const Fp2> point,
                     const std::vector<Fp>& at)>
      late_row;
  bool no_work = false;
  bool one_more_round = false;  // of a variable in which all is a multiple of 1 - X
  std::set<Label> forgotten;
};

Fp2 Quadratic(Fp2 g0, Fp2 g1, Fp2 g2, Fp2 r) {
  return AtQuadratic(Masked(g0), Masked(g1), Masked(g2), r).known();
}

class TailArena {
 public:
  explicit TailArena(std::vector<MatrixShape> groups = {kFirst, kSecond, kThird},
                     std::optional<std::uint64_t> queries = std::nullopt)
      : groups_(std::move(groups)), plan_(PlanTail(groups_, kWork, queries).value()) {
    for (const MatrixShape& shape : groups_) {
      rows_.emplace_back();
      for (std::uint64_t i = 0; i < shape.row_length(); ++i) {
        rows_.back().push_back(RandomElement(random_));
      }
    }
    for (int i = 0; i < 8; ++i) point_.push_back(RandomElement(random_));
  }

  const TailPlan& plan() const { return plan_; }
  const std::vector<std::vector<Fp2>>& rows() const { return rows_; }
  std::vector<Fp2> Values(const std::vector<std::vector<Fp2>>& rows) const {
    std::vector<Fp2> values;
    for (std::size_t g = 0; g < rows.size(); ++g) {
      values.push_back(ValueOfRow(std::span(point_).first(groups_[g].log_columns), rows[g]));
    }
    return values;
  }
  std::vector<Fp2> VectorOf(const std::vector<std::vector<Fp2>>& rows) const {
    std::vector<Fp2> elements(std::size_t{1} << plan_.num_variables());
    for (const TailPiece& piece : plan_.pieces) {
      for (std::uint64_t i = 0; i < std::uint64_t{1} << piece.log_size; ++i) {
        elements[piece.offset + i] = rows[piece.group][piece.begin + i];
      }
    }
    return elements;
  }

  // The columns of all groups, with what the true rows are there.
  std::vector<TailClaims> DrawClaims(const std::vector<Fp2>& values, Transcript& transcript) const {
    std::vector<TailClaims> claims;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const auto columns = transcript.DrawIndices(Label::kQuery, groups_[g].log_n, kColumns);
      claims.push_back(ClaimsOfRow(groups_[g], point_, values[g], columns));
      claims.back().sums = EncodeAt(groups_[g], rows_[g], columns);
    }
    return claims;
  }

  TailProof Honest() const {
    Transcript transcript("test");
    TailProver prover(plan_, rows_, SeedOf(7));
    const std::vector<Fp2> values = Values(rows_);
    AbsorbTail(plan_, prover.root(), values, transcript);
    TailProof proof = prover.Prove(kWork, DrawClaims(values, transcript), transcript);
    proof.root = prover.root();
    proof.values = values;
    return proof;
  }

  TailProof Forge(const Cheats& cheats) const {
    ForgetfulTranscript transcript(cheats.forgotten);
    std::vector<std::vector<Fp2>> rows = rows_;
    if (cheats.rows) cheats.rows(rows);
    TailProof proof;
    proof.values = Values(rows);
    if (cheats.values) cheats.values(proof.values);
    ColumnTable table = Commit(rows, cheats);
    proof.root = table.root();
    AbsorbTail(plan_, proof.root, proof.values, transcript);
    std::vector<TailClaims> claims = DrawClaims(proof.values, transcript);
    if (cheats.late_rows) {
      cheats.late_rows(rows, claims);
      table = Commit(rows, cheats);
      proof.root = table.root();
    }
    const Fp2 eta = DrawEta(claims, transcript);
    if (cheats.late_values) {
      cheats.late_values(claims, eta);
      for (std::size_t g = 0; g < claims.size(); ++g) proof.values[g] = claims[g].value;
    }

    std::vector<Fp2> elements = VectorOf(rows);
    std::vector<Fp2> weights;
    for (std::size_t o = 0; o < elements.size(); ++o) {
      std::vector<Fp2> corner;
      for (unsigned i = 0; i < plan_.num_variables(); ++i) corner.emplace_back(o >> i & 1);
      weights.push_back(TailWeightAt(plan_, claims, eta, corner));
    }
    Fp2 sum = SumOf(claims, eta);
    std::vector<Fp2> point;
    for (unsigned round = 0; round < plan_.num_variables(); ++round) {
      std::array<Fp2, 3> at;
      for (std::size_t o = 0; o < elements.size(); o += 2) {
        for (std::uint64_t x = 0; x < 3; ++x)
          at[x] += At(elements, o, Fp2(x)) * At(weights, o, Fp2(x));
      }
      std::array<Fp2, 2> sent = {at[0], at[2]};
      Transcript& real = transcript;
      ForgetfulTranscript ahead = transcript;
      const Fp2 challenge = DrawTailRound(sent, ahead);
      if (cheats.round) cheats.round(sent, sum, at[0] + at[1], challenge);
      proof.rounds.push_back(sent);
      const Fp2 r = DrawTailRound(sent, real);
      sum = Quadratic(sent[0], sum - sent[0], sent[1], r);
      point.push_back(r);
      for (std::vector<Fp2>* const list : {&elements, &weights}) {
        for (std::size_t o = 0; o < list->size(); o += 2) (*list)[o / 2] = At(*list, o, r);
        list->resize(list->size() / 2);
      }
    }
    if (cheats.one_more_round) {
      proof.rounds.push_back({sum, -sum});
      point.push_back(DrawTailRound(proof.rounds.back(), transcript));
      sum *= Fp2(1) - point.back();
    }
    std::vector<Fp2>& row = proof.opening.combined_row;
    row = Shown(rows, point);
    const auto own = std::span(point).first(plan_.shape.log_columns);
    // By how much the row's value falls short of what the last check wants.
    const Fp2 missing =
        sum * TailWeightAt(plan_, claims, eta, point).Inverse() - ValueOfRow(own, row);
    if (cheats.row) cheats.row(row, missing, own);
    AbsorbTailRow(row, transcript);
    if (cheats.no_work) {
      for (;; ++proof.nonce) {
        ForgetfulTranscript ahead = transcript;
        if (!ahead.CheckWork(Label::kTailWork, kWork, proof.nonce)) break;
      }
      (void)transcript.CheckWork(Label::kTailWork, kWork, proof.nonce);
    } else {
      proof.nonce = transcript.Grind(Label::kTailWork, kWork);
    }
    const auto columns = DrawTailColumns(plan_, transcript);
    if (cheats.late_row) {
      std::vector<Fp> at;
      for (const std::uint64_t column : columns) at.push_back(PointAt(plan_.shape, column));
      cheats.late_row(row, missing, own, at);
    }
    proof.opening.matrices.push_back(table.Open(columns));
    return proof;
  }

  std::string Judge(const TailProof& proof, const std::set<Label>& forgotten = {}) const {
    const Status sizes = CheckTailSizes(plan_, groups_.size(), proof);
    if (!sizes.ok()) return sizes.error().message();
    ForgetfulTranscript transcript(forgotten);
    AbsorbTail(plan_, proof.root, proof.values, transcript);
    const auto claims = DrawClaims(proof.values, transcript);
    const Status checked = CheckTail(plan_, kWork, claims, proof, transcript);
    return checked.ok() ? "accepted" : checked.error().message();
  }
  // What the real verifier says; one that forgets the same messages accepts, if there are any.
  std::string Try(const Cheats& cheats) const {
    const TailProof proof = Forge(cheats);
    if (!cheats.forgotten.empty()) {
      EXPECT_EQ(Judge(proof, cheats.forgotten), "accepted") << "the cheat does not work at all";
    }
    return Judge(proof);
  }

 private:
  static Fp2 At(const std::vector<Fp2>& list, std::size_t o, Fp2 x) {
    return list[o] + x * (list[o + 1] - list[o]);
  }
  ColumnTable Commit(const std::vector<std::vector<Fp2>>& rows, const Cheats& cheats) const {
    const std::vector<Fp2> elements = VectorOf(rows);
    const std::uint64_t columns = plan_.shape.num_columns();
    std::vector<std::uint64_t> cells(plan_.shape.num_rows * columns);
    for (std::size_t o = 0; o < plan_.num_elements; ++o) {
      const std::size_t at = 2 * (o / columns) * columns + o % columns;
      cells[at] = elements[o].a.value();
      cells[at + columns] = elements[o].b.value();
    }
    ColumnTable table(
        CommittedMatrix::Commit(plan_.shape,
                                std::make_shared<StoredRows>(std::move(cells), columns), SeedOf(7))
            .value());
    if (cheats.word) table.Change(cheats.word);
    return table;
  }
  std::vector<Fp2> Shown(const std::vector<std::vector<Fp2>>& rows,
                         std::span<const Fp2> point) const {
    const std::vector<Fp2> elements = VectorOf(rows);
    const std::uint64_t columns = plan_.shape.num_columns();
    std::vector<Fp2> row(columns);
    for (std::uint64_t i = 0; i < plan_.num_rows(); ++i) {
      AddScaled(row, std::span(elements).subspan(i * columns, columns),
                EqAt(point.subspan(plan_.shape.log_columns, plan_.row_variables()), i));
    }
    return row;
  }

  std::vector<MatrixShape> groups_;
  TailPlan plan_;
  std::mt19937_64 random_{1};
  std::vector<std::vector<Fp2>> rows_;
  std::vector<Fp2> point_;
};

Fp Changed(Fp v) { return v + Fp(1); }
Fp2 Changed(Fp2 v) { return v + Fp2(0, 1); }
std::array<Fp2, 2> Changed(std::array<Fp2, 2> v) { return {v[0], v[1] + Fp2(1)}; }
Digest Changed(Digest v) {
  v.bytes[5] ^= std::byte{4};
  return v;
}

constexpr const char* kContradicts = "tail: the rows contradict the columns, or a value";

TEST(TailTest, TrueRowsAreAccepted) {
  for (const auto& groups : std::vector<std::vector<MatrixShape>>{
           {kFirst}, {kSecond}, {kThird}, {kFirst, kSecond}, {kFirst, kSecond, kThird}}) {
    const TailArena arena(groups);
    EXPECT_EQ(arena.Judge(arena.Honest()), "accepted");
    EXPECT_EQ(arena.Try({}), "accepted");
  }
}

TEST(TailTest, PiecesLieSideBySide) {
  const TailArena arena;
  std::uint64_t next = 0;
  for (const TailPiece& piece : arena.plan().pieces) {
    EXPECT_EQ(piece.offset, next);
    EXPECT_EQ(piece.offset % (std::uint64_t{1} << piece.log_size), 0U);
    next += std::uint64_t{1} << piece.log_size;
  }
  EXPECT_EQ(next, kFirst.row_length() + kSecond.row_length() + kThird.row_length());
  EXPECT_EQ(next, arena.plan().num_elements);
}

// Omega by its definition, element by element.
TEST(TailTest, WeightsAreThoseOfTheClaims) {
  const TailArena arena;
  Transcript transcript("test");
  const auto claims = arena.DrawClaims(arena.Values(arena.rows()), transcript);
  const Fp2 eta = transcript.Draw(Label::kTailChallenge);
  const std::vector<Fp2> elements = arena.VectorOf(arena.rows());
  Fp2 sum;
  std::vector<Fp2> weights(elements.size());
  Fp2 power(1);
  std::vector<std::vector<Fp2>> by_group;
  for (std::size_t g = 0; g < claims.size(); ++g) {
    by_group.emplace_back(arena.rows()[g].size());
    const std::vector<Fp2> eq = EqTable(claims[g].point);
    for (std::size_t i = 0; i < eq.size(); ++i) by_group[g][i] += power * eq[i];
    power *= eta;
    for (const Fp x : claims[g].columns) {
      for (std::size_t i = 0; i < by_group[g].size(); ++i) by_group[g][i] += power * x.Pow(i);
      power *= eta;
    }
  }
  weights = arena.VectorOf(by_group);
  for (std::size_t o = 0; o < elements.size(); ++o) sum += elements[o] * weights[o];
  EXPECT_EQ(sum, SumOf(claims, eta));
  std::vector<Fp2> at;
  for (unsigned i = 0; i < arena.plan().num_variables(); ++i) {
    at.push_back(transcript.Draw(Label::kTailChallenge));
  }
  Fp2 extended;
  for (std::size_t o = 0; o < elements.size(); ++o) extended += EqAt(at, o) * weights[o];
  EXPECT_EQ(extended, TailWeightAt(arena.plan(), claims, eta, at));
}

// Attack 34: other rows than those that were opened; a value that is not the row's; and a last row
// that makes up for it.
TEST(TailTest, AFalseRowIsRejected) {
  const TailArena arena;
  for (std::size_t g = 0; g < 3; ++g) {
    for (const std::size_t i : {std::size_t{0}, arena.rows()[g].size() - 1}) {
      Cheats cheats;
      cheats.rows = [&](auto& rows) { rows[g][i] += Fp2(1); };
      EXPECT_EQ(arena.Try(cheats), kContradicts);
      cheats.row = [](std::vector<Fp2>& row, Fp2 missing, std::span<const Fp2> point) {
        row[0] += missing * EqAt(point, 0).Inverse();
      };
      EXPECT_THAT(arena.Try(cheats), HasSubstr("contradicts the combined row"));
    }
    Cheats cheats;
    cheats.values = [&](std::vector<Fp2>& values) { values[g] += Fp2(0, 1); };
    EXPECT_EQ(arena.Try(cheats), kContradicts);
  }
}

// Two values that are false by 1 and -1: were eta 1, nobody would notice.
TEST(TailTest, TwoFalseValuesThatCancelAreRejected) {
  const TailArena arena;
  Cheats cheats;
  cheats.values = [](std::vector<Fp2>& values) {
    values[0] += Fp2(1);
    values[1] -= Fp2(1);
  };
  EXPECT_EQ(arena.Try(cheats), kContradicts);
}

// What is sent is what the statement asks for, and no more: else a proof has many spellings.
TEST(TailTest, MoreThanIsAskedForIsRejected) {
  const TailArena arena;
  Cheats cheats;
  cheats.values = [](std::vector<Fp2>& values) { values.push_back(Fp2(5)); };
  EXPECT_EQ(arena.Try(cheats), "tail: another number of values");
  cheats = {};
  cheats.one_more_round = true;
  EXPECT_EQ(arena.Try(cheats), "tail: another number of rounds");
}

// Half of the columns of other rows: they are near to no codeword.
TEST(TailTest, ARowOffTheCodeIsRejected) {
  const TailArena arena({kFirst}, 20);
  for (const std::uint64_t row : {0, 1}) {
    Cheats cheats;
    cheats.word = [&](ColumnTable::Columns& columns) {
      for (std::size_t j = 0; j < columns.size(); j += 2) columns[j][row] += Fp(1);
    };
    EXPECT_THAT(arena.Try(cheats), HasSubstr("contradicts the combined row"));
  }
}

TEST(TailTest, WhatIsChosenAfterItsTestIsRejected) {
  const TailArena arena({kFirst, kSecond, kThird}, 8);
  // The committed rows, once the columns are known: right at these, another value.
  Cheats root;
  root.forgotten = {Label::kTailRoot};
  root.values = [](std::vector<Fp2>& values) { values[2] += Fp2(1); };
  root.late_rows = [&](std::vector<std::vector<Fp2>>& rows, const std::vector<TailClaims>& claims) {
    std::vector<Fp2> added = VanishingAt(claims[2].columns);
    added.resize(rows[2].size());
    AddScaled(rows[2], added, ValueOfRow(claims[2].point, added).Inverse());
  };
  EXPECT_NE(arena.Try(root), "accepted");
  // Two values, once eta is known.
  Cheats values;
  values.forgotten = {Label::kTailValue};
  values.late_values = [](std::vector<TailClaims>& claims, Fp2 eta) {
    claims[0].value += eta.Pow(1 + kColumns);
    claims[1].value -= Fp2(1);
  };
  EXPECT_NE(arena.Try(values), "accepted");
  // A round, once its challenge is known: from a false sum to the true one.
  Cheats round;
  round.forgotten = {Label::kTailRound};
  round.values = [](std::vector<Fp2>& false_values) { false_values[0] += Fp2(1); };
  round.round = [](std::array<Fp2, 2>& sent, Fp2 sum, Fp2 honest, Fp2 r) {
    if (sum == honest) return;
    const Fp2 goal = Quadratic(sent[0], honest - sent[0], sent[1], r);
    const Fp2 have = Quadratic(sent[0], sum - sent[0], Fp2(), r);
    sent[1] = (goal - have) * Quadratic(Fp2(), Fp2(), Fp2(1), r).Inverse();
  };
  EXPECT_NE(arena.Try(round), "accepted");
  // The row that is shown, once its columns are known.
  Cheats row;
  row.forgotten = {Label::kTailRow};
  row.values = [](std::vector<Fp2>& false_values) { false_values[0] += Fp2(1); };
  row.late_row = [](std::vector<Fp2>& shown, Fp2 missing, std::span<const Fp2> point,
                    const std::vector<Fp>& at) {
    std::vector<Fp2> added = VanishingAt(at);
    added.resize(shown.size());
    AddScaled(shown, added, missing * ValueOfRow(point, added).Inverse());
  };
  EXPECT_NE(arena.Try(row), "accepted");
}

TEST(TailTest, ANonceWithoutWorkIsRejected) {
  const TailArena arena;
  Cheats cheats;
  cheats.no_work = true;
  EXPECT_EQ(arena.Try(cheats), "tail: the nonce has no work behind it");
}

TEST(TailTest, EveryChangeIsRejected) {
  const TailArena arena({kFirst, kSecond}, 4);
  const TailProof honest = arena.Honest();
  int changes = 0;
  const auto rejected = [&](const std::string& what,
                            const std::function<void(TailProof&)>& change) {
    TailProof proof = honest;
    change(proof);
    EXPECT_NE(arena.Judge(proof), "accepted") << what;
    ++changes;
  };
  const auto list = [&](const std::string& what, auto find) {
    TailProof copy = honest;
    for (std::size_t i = 0; i < find(copy).size(); ++i) {
      rejected(what, [&](TailProof& p) { find(p)[i] = Changed(find(p)[i]); });
    }
    rejected(what + ", longer", [&](TailProof& p) { find(p).push_back(find(p)[0]); });
    rejected(what + ", shorter", [&](TailProof& p) { find(p).pop_back(); });
  };
  rejected("root", [](TailProof& p) { p.root.bytes[3] ^= std::byte{1}; });
  list(
      "values", [](TailProof & p) -> auto& { return p.values; });
  list(
      "rounds", [](TailProof & p) -> auto& { return p.rounds; });
  list(
      "row", [](TailProof & p) -> auto& { return p.opening.combined_row; });
  list(
      "salts", [](TailProof & p) -> auto& { return p.opening.matrices[0].salts; });
  list(
      "path", [](TailProof & p) -> auto& { return p.opening.matrices[0].path; });
  rejected("no columns", [](TailProof& p) { p.opening.matrices[0].columns.pop_back(); });
  rejected("no matrix", [](TailProof& p) { p.opening.matrices.clear(); });
  for (std::size_t i = 0; i < honest.opening.matrices[0].columns.size(); ++i) {
    list(
        "column", [i](TailProof & p) -> auto& { return p.opening.matrices[0].columns[i]; });
  }
  RecordProperty("changes", changes);
  EXPECT_GT(changes, 90);
}

// Of a whole opening.
TEST(TailTest, AProofHasATailWhereItsPlanHasOne) {
  std::mt19937_64 random(5);
  const auto cells = RandomCells(kFirst, random);
  const auto data = std::make_shared<StoredRows>(cells, kFirst.num_columns());
  Claim claim{.matrix = 0, .blocks = RandomBlocks(kFirst, 2, random), .value = {}};
  claim.value = Masked(ValueOn(cells, claim.blocks));
  const Script script = [&](Channel&, Transcript&) { return std::vector{claim}; };
  const auto plan_of = [&](bool has_tail) {
    return BatchPlan::Make(kFirst, {}, 0, 0,
                           {.work_bits = kWork, .fixed_queries = 6, .has_tail = has_tail})
        .value();
  };
  const auto prove = [&](const BatchPlan& plan) {
    Transcript transcript("test");
    return ProveScript(plan, data, {}, *SeededEnv(1), transcript, script);
  };
  const auto judge = [&](const BatchPlan& plan, const Proven& proven) {
    Transcript transcript("test");
    return JudgeScript(plan, proven, transcript, script);
  };
  const BatchPlan with = plan_of(true);
  const BatchPlan without = plan_of(false);
  const Proven honest = prove(with);
  ASSERT_EQ(judge(with, honest), "accepted");
  Proven changed = honest;
  changed.proof.tail.reset();
  EXPECT_EQ(judge(with, changed), "a tail too many or few");
  changed = prove(without);
  ASSERT_EQ(judge(without, changed), "accepted");
  changed.proof.tail = honest.proof.tail;
  EXPECT_EQ(judge(without, changed), "a tail too many or few");
  changed = honest;
  changed.proof.tail->values.clear();
  EXPECT_EQ(judge(with, changed), "tail: another number of values");
}

// A whole opening has a tail where it is shorter, and not else.
TEST(TailTest, AProofHasATailWhereItIsShorter) {
  constexpr MatrixShape kNarrow{
      .log_columns = 9, .log_n = 12, .num_rows = 2, .num_pads = 200, .kind = MatrixKind::kWitness};
  constexpr MatrixShape kWide{
      .log_columns = 15, .log_n = 16, .num_rows = 2, .num_pads = 300, .kind = MatrixKind::kWitness};
  EXPECT_EQ(BatchPlan::Make(kNarrow, {}, 0, 0, {}).value().tail(), nullptr);
  const BatchPlan wide = BatchPlan::Make(kWide, {}, 0, 0, {}).value();
  ASSERT_NE(wide.tail(), nullptr);
  EXPECT_LT(wide.tail()->bytes(), 16 * kWide.row_length() / 3);
  EXPECT_LT(BytesOfRow(kWide.row_length()), 16 * kWide.row_length() / 3);
  EXPECT_EQ(BytesOfRow(100), 1600U);
}

}  // namespace
}  // namespace flair::zk
