// The mask tests one by one (attack 28): each check alone stops the cheat that is named for it.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "zk/poly/kpoly.h"
#include "zk/prover/mask_rows.h"
#include "zk/verifier/mask_check.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr MatrixShape kWitness{
    .log_columns = 5, .log_n = 7, .num_rows = 1, .num_pads = 16, .kind = MatrixKind::kWitness};

class MaskTest : public testing::Test {
 protected:
  MaskTest() : shape_(kWitness, 20, 11), random_(Digest{}, "test"), rows_(shape_, random_) {
    // Pads 0 and 1 add up to a public number; a triple's product is its third.
    constraints_.RequireZero(Masked::Pad(0) + Masked::Pad(1) - Masked(rows_.pad(0) + rows_.pad(1)));
    constraints_.RequireZero(Masked::Pad(shape_.ZOf(4)) -
                             Masked(rows_.pad(shape_.XOf(4)) * rows_.pad(shape_.YOf(4))));
    challenges_ = {.combination = constraints_.Combine(random_.Next(), shape_.num_places()),
                   .gammas = random_.Next(shape_.pad_rows()),
                   .triple_gammas = random_.Next(shape_.triple_rows())};
    messages_ = rows_.Prove(challenges_.combination, challenges_.gammas, challenges_.triple_gammas);
  }

  static Fp Point(std::uint64_t i) { return Fp(7) * RootOfUnity(7).Pow(i); }
  std::vector<Fp2> RowsAt(Fp x) const {
    std::vector<Fp2> values;
    for (std::uint64_t i = 0; i < shape_.num_rows(); ++i) {
      values.push_back(EvaluateAt(rows_.row(i), x));
    }
    return values;
  }
  // "ok", or what the column says.
  std::string Column(Fp x, const std::vector<Fp2>& rows) const {
    const Status s = CheckMaskColumn(shape_, challenges_, messages_, x, rows);
    return s.ok() ? "ok" : s.error().message();
  }
  std::string Sum() const {
    const Status s = CheckMaskMessages(shape_, challenges_, messages_);
    return s.ok() ? "ok" : s.error().message();
  }

  MaskShape shape_;
  RandomElements random_;
  MaskRows rows_;
  Constraints constraints_;
  MaskChallenges challenges_;
  MaskMessages messages_;
};

TEST_F(MaskTest, HonestMessagesPassEverywhere) {
  EXPECT_EQ(shape_.pad_rows(), 3U + 3 * 2U);
  EXPECT_EQ(Sum(), "ok");
  for (std::uint64_t i = 0; i < kWitness.n(); ++i) {
    EXPECT_EQ(Column(Point(i), RowsAt(Point(i))), "ok") << i;
  }
  // Rows hold their pads on H, and products where products must be.
  const Fp root = RootOfUnity(3);
  for (std::uint64_t p = 0; p < shape_.width(); ++p) {
    EXPECT_EQ(EvaluateAt(rows_.row(0), root.Pow(p)), rows_.pad(p));
  }
}

TEST_F(MaskTest, AFalseConstraintHasAnotherSum) {
  challenges_.combination.target += Fp2(1);
  EXPECT_THAT(Sum(), HasSubstr("a constraint between pads does not hold"));
}

TEST_F(MaskTest, ARowOfHighDegreeIsSeen) {
  // Row 2 takes part in no constraint: its degree is all that is wrong with it.
  const Fp x = Point(5);
  std::vector<Fp2> rows = RowsAt(x);
  rows[2] += Fp2(x.Pow(shape_.low_degree_size()));
  EXPECT_THAT(Column(x, rows), HasSubstr("too high a degree"));
}

TEST_F(MaskTest, ALinearMessageOfTheRightSumAloneIsSeen) {
  messages_.linear[0] += Fp2(1);
  messages_.linear[shape_.width()] -= Fp2(1);
  EXPECT_EQ(Sum(), "ok");
  EXPECT_THAT(Column(Point(9), RowsAt(Point(9))), HasSubstr("linear message"));
}

// A blinder whose sum is not zero makes up for a constraint that does not hold; the combination's
// powers begin at mu^1, so that it would have to know mu when it was committed.
TEST_F(MaskTest, ABlinderOfAnotherSumCannotMakeUpForAFalseConstraint) {
  Constraints lying;
  lying.RequireZero(Masked::Pad(0) - Masked(rows_.pad(0) + Fp2(1)));
  const Fp2 guess = random_.Next();
  for (const bool knows_mu : {true, false}) {
    const Fp2 mu = knows_mu ? guess : random_.Next();
    challenges_.combination = lying.Combine(mu, shape_.num_places());
    messages_ = rows_.Prove(challenges_.combination, challenges_.gammas, challenges_.triple_gammas);
    // B2 was committed with a constant that is worth `guess`, and q_d carries it.
    const Fp2 shift = guess * Fp(shape_.width()).Inverse();
    messages_.linear[0] += shift;
    EXPECT_EQ(Sum() == "ok", knows_mu);
    std::vector<Fp2> rows = RowsAt(Point(3));
    rows[shape_.pad_rows() + 1] += shift;
    EXPECT_EQ(Column(Point(3), rows), "ok");
  }
  // Power 0, which the blinder could always cancel, is not used.
  EXPECT_EQ(lying.Combine(Fp2(), shape_.num_places()).target, Fp2());
}

TEST_F(MaskTest, AFalseTripleIsSeen) {
  // Weights of the degree test away, so that the product alone is at stake.
  challenges_.gammas.assign(shape_.pad_rows(), Fp2());
  challenges_.combination.coefficients.assign(shape_.num_places(), Fp2());
  messages_ = rows_.Prove(challenges_.combination, challenges_.gammas, challenges_.triple_gammas);
  const Fp x = Point(77);
  EXPECT_EQ(Column(x, RowsAt(x)), "ok");
  for (const std::uint64_t part : {0, 1, 2}) {
    std::vector<Fp2> rows = RowsAt(x);
    rows[shape_.linear_rows() + part * shape_.triple_rows()] += Fp2(1);
    EXPECT_THAT(Column(x, rows), HasSubstr("a triple is no product")) << part;
  }
}

TEST_F(MaskTest, MessagesOfAnotherLengthAreRefused) {
  for (auto* message : {&messages_.low_degree, &messages_.linear, &messages_.quadratic}) {
    message->emplace_back();
    EXPECT_THAT(Sum(), HasSubstr("another length"));
    message->pop_back();
    const Fp2 last = message->back();
    message->pop_back();
    EXPECT_THAT(Sum(), HasSubstr("another length"));
    message->push_back(last);
  }
  EXPECT_EQ(Sum(), "ok");
}

}  // namespace
}  // namespace flair::zk
