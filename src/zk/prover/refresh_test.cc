// Two commitments to the same cells: proven, and what is none.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <set>

#include "base/mem_env.h"
#include "zk/batch/soundness.h"
#include "zk/prover/refresh_prover.h"
#include "zk/training/long_lived.h"
#include "zk/verifier/refresh_verifier.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::uint64_t>;

Words RandomCells(std::size_t count) {
  std::mt19937_64 random(11);
  Words cells(count);
  for (std::uint64_t& cell : cells) {
    cell = Fp::FromInt(static_cast<std::int64_t>(random() >> 32) - (std::int64_t{1} << 31)).value();
  }
  return cells;
}

CommittedMatrix Committed(Words cells, int seed, std::uint64_t openings,
                          MatrixKind kind = MatrixKind::kWeights) {
  const MatrixShape shape = LongLivedShape(cells.size(), kind, openings).value();
  cells.resize(shape.num_rows * shape.num_columns());
  Digest own;
  own.bytes.fill(static_cast<std::byte>(seed));
  return CommittedMatrix::Commit(
             shape, std::make_shared<StoredRows>(std::move(cells), shape.num_columns()), own)
      .value();
}

Digest Filled(int byte) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(byte));
  return digest;
}

RefreshStatement About(const CommittedMatrix& before, const CommittedMatrix& after) {
  RefreshStatement statement;
  statement.wallet.bytes.fill(std::byte{4});
  statement.matrices = {{{before.shape(), before.root()}, {after.shape(), after.root()}}};
  if (before.shape().kind == MatrixKind::kData) statement.reading = Filled(6);
  return statement;
}

std::string Judge(const RefreshStatement& statement, ByteView proof) {
  const auto plan = RefreshPlan::Make(statement);
  if (!plan.ok()) return plan.error().message();
  const Status verified = VerifyRefresh(*plan, proof);
  return verified.ok() ? "" : verified.error().message();
}

Bytes Proven(const RefreshStatement& statement, const CommittedMatrix& before,
             const CommittedMatrix& after) {
  MemEnv env;
  return ProveRefresh(RefreshPlan::Make(statement).value(), before, after, env).value();
}

class RefreshTest : public testing::Test {
 protected:
  static constexpr std::size_t kCells = 3000;
  const Words cells_ = RandomCells(kCells);
  const CommittedMatrix before_ = Committed(cells_, 1, 2);
  const CommittedMatrix after_ = Committed(cells_, 2, 2);
};

TEST_F(RefreshTest, EqualCellsOfAnyShapesAreProven) {
  EXPECT_EQ(Judge(About(before_, after_), Proven(About(before_, after_), before_, after_)), "");
  // Of other widths, and of a length that is no power of two.
  const CommittedMatrix wide = Committed(cells_, 3, 8);
  ASSERT_NE(wide.shape(), before_.shape());
  EXPECT_EQ(Judge(About(before_, wide), Proven(About(before_, wide), before_, wide)), "");
  EXPECT_EQ(Judge(About(wide, before_), Proven(About(wide, before_), wide, before_)), "");
  for (const MatrixKind kind : {MatrixKind::kState, MatrixKind::kData}) {
    const CommittedMatrix a = Committed(cells_, 1, 2, kind), b = Committed(cells_, 2, 2, kind);
    EXPECT_EQ(Judge(About(a, b), Proven(About(a, b), a, b)), "");
  }
  const CommittedMatrix one = Committed({7}, 1, 2), again = Committed({7}, 2, 2);
  EXPECT_EQ(Judge(About(one, again), Proven(About(one, again), one, again)), "");
}

// Attack: a commitment to other weights is passed off as a fresh one of the old.
TEST_F(RefreshTest, OtherCellsHaveNoProof) {
  for (const std::size_t cell : {std::size_t{0}, std::size_t{1}, kCells / 2, kCells - 1}) {
    for (const int other : {0, 1}) {
      Words changed = cells_;
      changed[cell] = (Fp(changed[cell]) + Fp(1)).value();
      const CommittedMatrix foreign = Committed(changed, 2, 2);
      const CommittedMatrix &a = other == 0 ? foreign : before_, &b = other == 0 ? after_ : foreign;
      const RefreshStatement statement = About(a, b);
      EXPECT_NE(Judge(statement, Proven(statement, a, b)), "") << cell;
    }
  }
}

// A cell behind the last one is a cell: what a longer layout would read.
TEST_F(RefreshTest, CellsBehindTheEndCount) {
  const MatrixShape& shape = before_.shape();
  Words padded = cells_;
  padded.resize(shape.num_rows * shape.num_columns());
  ASSERT_GT(padded.size(), kCells);
  padded.back() = 5;
  const CommittedMatrix longer = Committed(padded, 2, 2);
  ASSERT_EQ(longer.shape(), shape);
  EXPECT_NE(Judge(About(before_, longer), Proven(About(before_, longer), before_, longer)), "");
}

TEST_F(RefreshTest, AProofIsAboutItsStatementAlone) {
  const RefreshStatement honest = About(before_, after_);
  const Bytes proof = Proven(honest, before_, after_);
  const std::vector<std::function<void(RefreshStatement&)>> changes = {
      [](RefreshStatement& s) { s.wallet.bytes[0] ^= std::byte{1}; },
      [](RefreshStatement& s) { std::swap(s.matrices[0], s.matrices[1]); },
      [](RefreshStatement& s) { s.matrices[0].root.bytes[3] ^= std::byte{1}; },
      [](RefreshStatement& s) { s.matrices[1].root.bytes[3] ^= std::byte{1}; },
      [](RefreshStatement& s) { s.matrices[0] = s.matrices[1]; },
      [](RefreshStatement& s) { ++s.matrices[1].shape.num_pads; },
      [](RefreshStatement& s) { s.matrices[0].shape.kind = MatrixKind::kState; },
      [](RefreshStatement& s) {
        for (auto& m : s.matrices) m.shape.kind = MatrixKind::kState;
      }};
  std::set<std::string> hashes = {honest.Hash().ToHex()};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    RefreshStatement changed = honest;
    changes[i](changed);
    EXPECT_TRUE(hashes.insert(changed.Hash().ToHex()).second) << i;
    EXPECT_NE(Judge(changed, proof), "") << i;
    // The hash in the proof made right: the transcript still has the statement.
    Bytes renamed = proof;
    const Digest hash = changed.Hash();
    std::copy(hash.bytes.begin(), hash.bytes.end(), renamed.begin() + 8);
    EXPECT_NE(Judge(changed, renamed), "") << i;
  }
}

// Attack: the cells of a data set, with a proof that they are those of another one.
TEST_F(RefreshTest, DataAreCellsAndTheirReading) {
  const CommittedMatrix before = Committed(cells_, 1, 2, MatrixKind::kData);
  const CommittedMatrix after = Committed(cells_, 2, 2, MatrixKind::kData);
  const RefreshStatement honest = About(before, after);
  const Bytes proof = Proven(honest, before, after);
  EXPECT_EQ(Judge(honest, proof), "");
  RefreshStatement other = honest;
  other.reading->bytes[9] ^= std::byte{1};
  EXPECT_NE(Judge(other, proof), "");
  Bytes renamed = proof;
  const Digest hash = other.Hash();
  std::copy(hash.bytes.begin(), hash.bytes.end(), renamed.begin() + 8);
  EXPECT_NE(Judge(other, renamed), "");
  // Data that nobody says how to read, and weights of which somebody does.
  const auto forged = [](const RefreshStatement& statement, const CommittedMatrix& from,
                         const CommittedMatrix& to) {
    const auto plan = RefreshPlan::Make(statement);
    if (!plan.ok()) return plan.error().message();
    MemEnv env;
    return Judge(statement, ProveRefresh(*plan, from, to, env).value());
  };
  other.reading = std::nullopt;
  EXPECT_NE(forged(other, before, after), "");
  EXPECT_THAT(Judge(other, proof), HasSubstr("what their cards say"));
  RefreshStatement weights = About(before_, after_);
  const std::size_t bytes = weights.Encode().size();
  weights.reading = Filled(6);
  EXPECT_NE(forged(weights, before_, after_), "");
  EXPECT_THAT(Judge(weights, proof), HasSubstr("what their cards say"));
  EXPECT_EQ(weights.Encode().size(), bytes + Digest::kBytes);
}

TEST_F(RefreshTest, WhatIsNoRefreshIsRefused) {
  const auto refused = [](const RefreshStatement& statement) {
    const auto plan = RefreshPlan::Make(statement);
    return plan.ok() ? "" : plan.error().message();
  };
  EXPECT_THAT(refused(About(before_, before_)), HasSubstr("no refreshed one"));
  RefreshStatement statement = About(before_, after_);
  statement.matrices[1].shape.kind = MatrixKind::kState;
  EXPECT_THAT(refused(statement), HasSubstr("two kinds"));
  for (auto& m : statement.matrices) m.shape.kind = MatrixKind::kWitness;
  EXPECT_THAT(refused(statement), HasSubstr("no seed"));
  statement.matrices[0].shape.num_rows = 0;
  EXPECT_THAT(refused(statement), HasSubstr("rows"));
}

TEST_F(RefreshTest, ChangedBytesAreRejected) {
  const RefreshStatement statement = About(before_, after_);
  const Bytes proof = Proven(statement, before_, after_);
  for (std::size_t size = 0; size < proof.size(); size += 1 + proof.size() / 31) {
    EXPECT_NE(Judge(statement, ByteView(proof).first(size)), "");
  }
  Bytes longer = proof;
  longer.push_back(std::byte{0});
  EXPECT_NE(Judge(statement, longer), "");
  Bytes renamed = proof;
  renamed[8] ^= std::byte{1};
  EXPECT_EQ(Judge(statement, renamed), "the proof is about another statement");
  for (std::size_t at = 0; at < proof.size(); at += 1 + proof.size() / 53) {
    Bytes changed = proof;
    changed[at] ^= std::byte{1};
    EXPECT_NE(Judge(statement, changed), "") << at;
  }
}

// Attack: many proofs of one statement, from one.
TEST_F(RefreshTest, NothingIsLookedUp) {
  const RefreshStatement statement = About(before_, after_);
  const RefreshPlan plan = RefreshPlan::Make(statement).value();
  const Bytes proof = Proven(statement, before_, after_);
  // Behind magic, versions, and the digests of statement, witness, companions and tail.
  std::size_t at = 8 + 2 * Digest::kBytes;
  for (const BatchPlan::Group& group : plan.batch().groups()) {
    if (group.companion) at += Digest::kBytes;
  }
  if (plan.batch().tail() != nullptr) at += Digest::kBytes;
  for (std::size_t i = 0; i < 8; ++i) {
    Bytes changed = proof;
    changed[at + i] ^= std::byte{1};
    EXPECT_EQ(Judge(statement, changed), "work that nobody asked for") << i;
  }
}

TEST_F(RefreshTest, ColumnsAreReservedBeforeTheyAreShown) {
  const RefreshStatement statement = About(before_, after_);
  MemEnv env;
  std::set<std::size_t> asked;
  const auto refuse =
      ProveRefresh(RefreshPlan::Make(statement).value(), before_, after_, env,
                   [&](std::size_t matrix, std::span<const std::uint64_t> columns) -> Status {
                     asked.insert(matrix);
                     EXPECT_LE(columns.size(), statement.matrices[matrix].shape.num_pads);
                     if (matrix == 1) return Error(ErrorCode::kConflict, "spent");
                     return OkStatus();
                   });
  ASSERT_FALSE(refuse.ok());
  EXPECT_EQ(refuse.error().message(), "spent");
  EXPECT_EQ(asked, (std::set<std::size_t>{0, 1}));
}

TEST_F(RefreshTest, APlanHasTheBitsOfAnyOther) {
  const auto plan = RefreshPlan::Make(About(before_, after_));
  ASSERT_TRUE(plan.ok());
  EXPECT_GE(TotalOf(SoundnessTerms(plan->batch())).bits(), kSoundnessBits);
  EXPECT_EQ(plan->batch().besides().size(), 1U);
}

}  // namespace
}  // namespace flair::zk
