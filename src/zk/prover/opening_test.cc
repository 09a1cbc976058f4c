// Committing and opening at one point, two groups at once: completeness, the reference's
// vectors, and attacks 24 to 27 and 32.
//
// The driver below sends values in the clear; the proof's own sends them masked.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "base/threads.h"
#include "zk/poly/eq.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/column_table_testing.h"
#include "zk/prover/committed_matrix.h"
#include "zk/transcript.h"
#include "zk/vectors_testing.h"
#include "zk/verifier/group_check.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr std::size_t kQueries = 20;
constexpr unsigned kWorkBits = 4;

std::vector<std::uint64_t> CellsOf(const MatrixShape& shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  return RandomCells(shape, random);
}

// A matrix that is opened by itself or, so that it can lie, from a table of all its columns.
class TestMatrix {
 public:
  TestMatrix(const MatrixShape& shape, std::uint64_t seed)
      : shape_(shape),
        cells_(CellsOf(shape, seed)),
        matrix_(CommittedMatrix::Commit(
                    shape, std::make_shared<StoredRows>(cells_, shape.num_columns()), SeedOf(seed))
                    .value()),
        table_(matrix_) {}

  const MatrixShape& shape() const { return shape_; }
  const std::vector<std::uint64_t>& cells() const { return cells_; }
  const CommittedMatrix& honest() const { return matrix_; }
  Digest root() const { return table_.root(); }
  void Corrupt(const std::function<void(ColumnTable::Columns&)>& change) { table_.Change(change); }
  OpenedMatrix Open(const std::vector<std::uint64_t>& columns) const {
    return table_.Open(columns);
  }

 private:
  MatrixShape shape_;
  std::vector<std::uint64_t> cells_;
  CommittedMatrix matrix_;
  ColumnTable table_;
};

// Matrices of one group; the last is the companion, two rows that blind.
struct Group {
  std::vector<TestMatrix> matrices;
  const MatrixShape& shape() const { return matrices[0].shape(); }
  std::size_t num_claimed() const { return matrices.size() - 1; }
};

struct GroupProof {
  std::vector<Fp2> values;  // of the claimed matrices
  Fp2 blinder;              // of the companion's row
  GroupOpening opening;
};
struct Proof {
  std::vector<GroupProof> groups;
  std::uint64_t nonce = 0;
};

// What an honest prover does at each step may be replaced.
struct Cheats {
  std::function<void(std::size_t group, GroupProof&)> values;
  std::function<void(std::size_t group, std::vector<Fp2>& row)> row;
};

void AbsorbRoots(Transcript& t, const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    for (const TestMatrix& m : group.matrices) {
      const bool companion = &m == &group.matrices.back();
      t.Absorb(companion ? Label::kCompanionRoot : Label::kCommitment,
               MatrixDigest(m.shape(), m.root()).view());
    }
  }
}

std::vector<Fp2> DrawPoint(Transcript& t) {
  std::vector<Fp2> point;
  for (int i = 0; i < 16; ++i) point.push_back(t.Draw(Label::kPoint));
  return point;
}

unsigned RowVariables(const MatrixShape& shape) {
  unsigned variables = 0;
  while (std::uint64_t{1} << variables < shape.num_rows) ++variables;
  return variables;
}

// eq(row part of the point, i) for the rows there are, times `scale`.
std::vector<Fp2> RowWeights(const MatrixShape& shape, std::span<const Fp2> point, Fp2 scale) {
  std::vector<Fp2> weights = EqTable(point.subspan(shape.log_columns, RowVariables(shape)));
  weights.resize(shape.num_rows);
  for (Fp2& w : weights) w *= scale;
  return weights;
}

std::vector<std::vector<Fp2>> Weights(const Group& group, std::span<const Fp2> point,
                                      std::span<const Fp2> epsilons) {
  std::vector<std::vector<Fp2>> weights;
  for (std::size_t m = 0; m < group.num_claimed(); ++m) {
    weights.push_back(RowWeights(group.matrices[m].shape(), point, epsilons[m]));
  }
  weights.push_back({kWeightOfA, kWeightOfB});
  return weights;
}

void AbsorbValues(Transcript& t, const GroupProof& proof) {
  std::vector<Fp2> message = proof.values;
  message.push_back(proof.blinder);
  t.Absorb(Label::kClaimValue, message);
}

std::vector<Fp2> DrawEpsilons(Transcript& t, const Group& group) {
  std::vector<Fp2> epsilons;
  for (std::size_t m = 0; m < group.num_claimed(); ++m) {
    epsilons.push_back(t.Draw(Label::kRowBatch));
  }
  return epsilons;
}

std::vector<std::uint64_t> DrawColumns(Transcript& t, const MatrixShape& shape) {
  auto columns = t.DrawIndices(Label::kQuery, shape.log_n, kQueries);
  std::sort(columns.begin(), columns.end());
  return columns;
}

Proof Prove(const std::vector<Group>& groups, const Cheats& cheats = {}) {
  Transcript t("test");
  AbsorbRoots(t, groups);
  const std::vector<Fp2> point = DrawPoint(t);
  Proof proof;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    GroupProof made;
    const auto value_of = [&](const TestMatrix& m, const std::vector<Fp2>& weights) {
      std::vector<Fp2> row(m.shape().row_length());
      m.honest().AddCombination(weights, row);
      return ValueOfRow(std::span(point).first(m.shape().log_columns), row);
    };
    for (std::size_t m = 0; m < group.num_claimed(); ++m) {
      const TestMatrix& matrix = group.matrices[m];
      made.values.push_back(value_of(matrix, RowWeights(matrix.shape(), point, Fp2(1))));
    }
    made.blinder = value_of(group.matrices.back(), {kWeightOfA, kWeightOfB});
    if (cheats.values) cheats.values(g, made);
    AbsorbValues(t, made);
    proof.groups.push_back(std::move(made));
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto weights = Weights(groups[g], point, DrawEpsilons(t, groups[g]));
    std::vector<Fp2>& row = proof.groups[g].opening.combined_row;
    row.resize(groups[g].shape().row_length());
    for (std::size_t m = 0; m < weights.size(); ++m) {
      groups[g].matrices[m].honest().AddCombination(weights[m], row);
    }
    if (cheats.row) cheats.row(g, row);
    t.Absorb(Label::kCombinedRow, row);
  }
  proof.nonce = t.Grind(Label::kQueryWork, kWorkBits);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto columns = DrawColumns(t, groups[g].shape());
    for (const TestMatrix& m : groups[g].matrices) {
      proof.groups[g].opening.matrices.push_back(m.Open(columns));
    }
  }
  return proof;
}

// "accepted", or the message of the check that failed.
std::string Verify(const std::vector<Group>& groups, const Proof& proof) {
  Transcript t("test");
  AbsorbRoots(t, groups);
  const std::vector<Fp2> point = DrawPoint(t);
  for (const GroupProof& group : proof.groups) AbsorbValues(t, group);
  std::vector<std::vector<GroupMember>> members(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<Fp2> epsilons = DrawEpsilons(t, groups[g]);
    const auto weights = Weights(groups[g], point, epsilons);
    Fp2 claimed = proof.groups[g].blinder;
    for (std::size_t m = 0; m < weights.size(); ++m) {
      const TestMatrix& matrix = groups[g].matrices[m];
      members[g].push_back({matrix.shape(), matrix.root(), weights[m]});
      if (m < epsilons.size()) claimed += epsilons[m] * proof.groups[g].values[m];
    }
    const std::vector<Fp2>& row = proof.groups[g].opening.combined_row;
    if (row.size() != groups[g].shape().row_length()) return "a row of another length";
    const auto column_point = std::span(point).first(groups[g].shape().log_columns);
    if (ValueOfRow(column_point, row) != claimed) return "the claimed values differ from the row";
    t.Absorb(Label::kCombinedRow, row);
  }
  if (!t.CheckWork(Label::kQueryWork, kWorkBits, proof.nonce)) return "no work";
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto columns = DrawColumns(t, groups[g].shape());
    const Status checked = CheckGroup(members[g], columns, proof.groups[g].opening);
    if (!checked.ok()) return checked.error().message();
  }
  return "accepted";
}

constexpr MatrixShape kWitness{
    .log_columns = 5, .log_n = 7, .num_rows = 21, .num_pads = 20, .kind = MatrixKind::kWitness};
constexpr MatrixShape kLongLived{
    .log_columns = 4, .log_n = 7, .num_rows = 5, .num_pads = 12, .kind = MatrixKind::kWeights};

MatrixShape CompanionOf(MatrixShape shape) {
  shape.num_rows = 2;
  shape.kind = MatrixKind::kCompanion;
  return shape;
}

std::vector<Group> TwoGroups() {
  MatrixShape data = kLongLived;
  data.num_rows = 16;
  data.kind = MatrixKind::kData;
  std::vector<Group> groups(2);
  groups[0].matrices = {TestMatrix(kWitness, 1), TestMatrix(CompanionOf(kWitness), 2)};
  groups[1].matrices = {TestMatrix(kLongLived, 3), TestMatrix(data, 4),
                        TestMatrix(CompanionOf(kLongLived), 5)};
  return groups;
}

TEST(CommittedMatrixTest, TheReferencesMatricesOnEveryNumberOfThreads) {
  const json::value vectors = ReadVectors("zk_commitment.json");
  for (const json::value& v : vectors.at("matrices").as_array()) {
    const MatrixShape shape = ShapeOf(v);
    for (const std::size_t threads : {1U, 2U, 7U}) {
      SetThreadCount(threads);
      const auto rows = std::make_shared<StoredRows>(WordsOf(v.at("cells")), shape.num_columns());
      const auto made = CommittedMatrix::Commit(shape, rows, Dig(v.at("seed")));
      ASSERT_TRUE(made.ok()) << made.error().message();
      EXPECT_EQ(made->root(), Dig(v.at("root")));
      EXPECT_EQ(made->digest(), Dig(v.at("digest")));

      std::vector<std::uint64_t> columns;
      for (const json::value& j : v.at("opened").as_array()) columns.push_back(Num(j));
      const OpenedMatrix opened = made->Open(columns);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto expected = WordsOf(v.at("columns").at(i));
        ASSERT_EQ(opened.columns[i].size(), expected.size());
        for (std::size_t r = 0; r < expected.size(); ++r) {
          EXPECT_EQ(opened.columns[i][r].value(), expected[r]);
        }
        EXPECT_EQ(opened.salts[i], Dig(v.at("salts").at(i)));
      }
      ASSERT_EQ(opened.path.size(), v.at("path").as_array().size());
      for (std::size_t i = 0; i < opened.path.size(); ++i) {
        EXPECT_EQ(opened.path[i], Dig(v.at("path").at(i)));
      }

      std::vector<Fp2> weights;
      for (const json::value& w : v.at("weights").as_array()) weights.push_back(Ext(w));
      std::vector<Fp2> row(shape.row_length());
      made->AddCombination(weights, row);
      for (std::size_t k = 0; k < row.size(); ++k) {
        EXPECT_EQ(row[k], Ext(v.at("combination").at(k)));
      }
    }
  }
  SetThreadCount(0);
}

TEST(CommittedMatrixTest, AShapeThatCannotBeIsAnError) {
  MatrixShape shape = kWitness;
  shape.num_pads = 1000;
  const auto rows = std::make_shared<StoredRows>(std::vector<std::uint64_t>(), 32);
  EXPECT_FALSE(CommittedMatrix::Commit(shape, rows, Digest{}).ok());
}

// Attack 39: a seed that is kept hides other values with other pads. Row 0 is the same in both.
TEST(CommittedMatrixTest, OneSeedUnderOtherValuesRepeatsNoPad) {
  const auto first_row = [](MatrixKind kind, std::uint64_t last_cell) {
    MatrixShape shape = kLongLived;
    shape.kind = kind;
    std::vector<std::uint64_t> cells = CellsOf(shape, 1);
    cells.back() = last_cell;
    const auto rows = std::make_shared<StoredRows>(std::move(cells), shape.num_columns());
    const auto made = CommittedMatrix::Commit(shape, rows, SeedOf(1)).value();
    std::vector<Fp2> weights(shape.num_rows);
    weights[0] = Fp2(1);
    std::vector<Fp2> row(shape.row_length());
    made.AddCombination(weights, row);
    return row;
  };
  for (const MatrixKind kind : {MatrixKind::kWeights, MatrixKind::kState, MatrixKind::kData}) {
    const std::vector<Fp2> row = first_row(kind, 1);
    EXPECT_EQ(row, first_row(kind, 1));
    const std::vector<Fp2> other = first_row(kind, 2);
    for (std::size_t k = 0; k < row.size(); ++k) {
      EXPECT_EQ(row[k] == other[k], k < kLongLived.num_columns()) << k;
    }
  }
}

// Attack 25: other weights than those the holder has.
TEST(CommittedMatrixTest, WhoHoldsValuesAndSeedRecomputesTheDigest) {
  const auto commit = [](std::vector<std::uint64_t> cells, std::uint64_t seed) {
    const auto rows = std::make_shared<StoredRows>(std::move(cells), kLongLived.num_columns());
    return CommittedMatrix::Commit(kLongLived, rows, SeedOf(seed))->digest();
  };
  const std::vector<std::uint64_t> cells = CellsOf(kLongLived, 1);
  const Digest digest = commit(cells, 1);
  EXPECT_EQ(commit(cells, 1), digest);
  EXPECT_NE(commit(cells, 2), digest);
  for (const std::size_t i : {std::size_t{0}, cells.size() / 2, cells.size() - 1}) {
    std::vector<std::uint64_t> changed = cells;
    changed[i] ^= 1;
    EXPECT_NE(commit(changed, 1), digest);
  }
}

TEST(OpeningTest, HonestValuesAreAcceptedAndAreThePolynomials) {
  const std::vector<Group> groups = TwoGroups();
  const Proof proof = Prove(groups);
  EXPECT_EQ(Verify(groups, proof), "accepted");
  // The value is the multilinear extension of the cells, rows above columns.
  Transcript t("test");
  AbsorbRoots(t, groups);
  const std::vector<Fp2> point = DrawPoint(t);
  const TestMatrix& witness = groups[0].matrices[0];
  Fp2 value;
  for (std::size_t x = 0; x < witness.cells().size(); ++x) {
    value += EqAt(std::span(point).first(5 + RowVariables(kWitness)), x) * Fp(witness.cells()[x]);
  }
  EXPECT_EQ(proof.groups[0].values[0], value);
}

// Attack 26: a false value with a blinder's value that would make up for it, sent before epsilon.
TEST(OpeningTest, AFalseValueIsRejectedWhateverTheBlinderSays) {
  const std::vector<Group> groups = TwoGroups();
  for (const std::uint64_t guess : {0, 1, 2}) {
    Cheats cheats;
    cheats.values = [&](std::size_t g, GroupProof& made) {
      if (g != 1) return;
      made.values[1] += Fp2(1);
      made.blinder -= Fp2(guess);
    };
    EXPECT_EQ(Verify(groups, Prove(groups, cheats)), "the claimed values differ from the row");
  }
  // And with a row that fits the lie.
  Cheats cheats;
  cheats.values = [&](std::size_t g, GroupProof& made) {
    if (g == 0) made.blinder += Fp2(1);
  };
  cheats.row = [&](std::size_t g, std::vector<Fp2>& row) {
    if (g != 0) return;
    Transcript t("test");
    AbsorbRoots(t, groups);
    const std::vector<Fp2> point = DrawPoint(t);
    row[0] += EqAt(std::span(point).first(5), 0).Inverse();
  };
  EXPECT_THAT(Verify(groups, Prove(groups, cheats)), HasSubstr("contradicts the combined row"));
}

// Attack 24: rows off the code.
TEST(OpeningTest, RowsOffTheCodeAreRejected) {
  struct Case {
    const char* what;
    std::function<void(std::vector<std::vector<Fp>>&)> change;
  };
  // One coefficient more than a row has.
  const auto raise_degree = [](std::vector<std::vector<Fp>>& columns) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      columns[j][3] += PointAt(kWitness, j).Pow(kWitness.row_length());
    }
  };
  const auto spoil = [](std::size_t every) {
    return [every](std::vector<std::vector<Fp>>& columns) {
      for (std::size_t j = 0; j < columns.size(); j += every) columns[j][20] += Fp(1);
    };
  };
  for (const Case& c : {Case{"all columns", spoil(1)}, Case{"half of them", spoil(2)},
                        Case{"a quarter", spoil(4)}, Case{"degree C + h", raise_degree}}) {
    std::vector<Group> groups = TwoGroups();
    groups[0].matrices[0].Corrupt(c.change);
    EXPECT_THAT(Verify(groups, Prove(groups)), HasSubstr("contradicts the combined row")) << c.what;
  }
}

// Attack 27: a blinding row that is chosen once the challenges are known has another root.
TEST(OpeningTest, ALateCompanionIsRejected) {
  std::vector<Group> groups = TwoGroups();
  const Proof proof = Prove(groups);
  std::vector<Group> late = TwoGroups();
  late[0].matrices[1] = TestMatrix(CompanionOf(kWitness), 99);
  EXPECT_NE(Verify(late, proof), "accepted");
  Proof mixed = proof;
  mixed.groups[0].opening.matrices[1] = Prove(late).groups[0].opening.matrices[1];
  EXPECT_NE(Verify(groups, mixed), "accepted");
}

// Attacks 23, 29 and 32, of this part: everything that is sent counts.
TEST(OpeningTest, EveryChangedMessageIsRejected) {
  const std::vector<Group> groups = TwoGroups();
  const Proof honest = Prove(groups);
  ASSERT_EQ(Verify(groups, honest), "accepted");
  std::size_t num_changes = 0;
  const auto rejected = [&](const char* what, const std::function<void(Proof&)>& change) {
    Proof proof = honest;
    change(proof);
    EXPECT_NE(Verify(groups, proof), "accepted") << what;
    ++num_changes;
  };
  rejected("nonce", [](Proof& p) { ++p.nonce; });
  for (std::size_t g = 0; g < groups.size(); ++g) {
    rejected("blinder", [&](Proof& p) { p.groups[g].blinder += Fp2(1); });
    for (std::size_t m = 0; m < honest.groups[g].values.size(); ++m) {
      rejected("value", [&](Proof& p) { p.groups[g].values[m] += Fp2(0, 1); });
    }
    const GroupOpening& opening = honest.groups[g].opening;
    for (std::size_t k = 0; k < opening.combined_row.size(); ++k) {
      rejected("row", [&](Proof& p) { p.groups[g].opening.combined_row[k] += Fp2(1); });
    }
    rejected("longer row", [&](Proof& p) { p.groups[g].opening.combined_row.emplace_back(); });
    rejected("shorter row", [&](Proof& p) { p.groups[g].opening.combined_row.pop_back(); });
    for (std::size_t m = 0; m < opening.matrices.size(); ++m) {
      const auto matrix = [&](Proof& p) -> OpenedMatrix& {
        return p.groups[g].opening.matrices[m];
      };
      for (std::size_t i = 0; i < kQueries; ++i) {
        rejected("salt", [&](Proof& p) { matrix(p).salts[i].bytes[9] ^= std::byte{4}; });
        for (std::size_t r = 0; r < opening.matrices[m].columns[i].size(); ++r) {
          rejected("cell", [&](Proof& p) { matrix(p).columns[i][r] += Fp(1); });
        }
      }
      for (std::size_t d = 0; d < opening.matrices[m].path.size(); ++d) {
        rejected("path", [&](Proof& p) { matrix(p).path[d].bytes[0] ^= std::byte{1}; });
      }
      rejected("path of another length", [&](Proof& p) { matrix(p).path.pop_back(); });
      rejected("column less", [&](Proof& p) { matrix(p).columns.pop_back(); });
      rejected("salt less", [&](Proof& p) { matrix(p).salts.pop_back(); });
      rejected("higher column", [&](Proof& p) { matrix(p).columns[0].emplace_back(); });
      rejected("two columns swapped",
               [&](Proof& p) { std::swap(matrix(p).columns[0], matrix(p).columns[1]); });
    }
    rejected("matrix less", [&](Proof& p) { p.groups[g].opening.matrices.pop_back(); });
  }
  EXPECT_GT(num_changes, 1300U);
}

}  // namespace
}  // namespace flair::zk
