// What a plan promises, and which plans promise too little or ask for too much.
// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/soundness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr MatrixShape kWide{
    .log_columns = 22, .log_n = 24, .num_rows = 64, .num_pads = 200, .kind = MatrixKind::kWitness};
constexpr MatrixShape kSmall{
    .log_columns = 10, .log_n = 11, .num_rows = 2, .num_pads = 281, .kind = MatrixKind::kWitness};

std::string Says(const MatrixShape& witness, std::vector<MatrixShape> long_lived = {},
                 std::uint64_t pads = 0, std::uint64_t triples = 0, QueryPolicy policy = {},
                 std::vector<SoundnessTerm> besides = {}) {
  const auto plan =
      BatchPlan::Make(witness, std::move(long_lived), pads, triples, policy, std::move(besides));
  return plan.ok() ? "" : plan.error().message();
}

// From Plan.soundness in reference/opening.py, which computes with fractions.
TEST(SoundnessTest, TheTermsAreTheReferences) {
  constexpr MatrixShape kWitness{.log_columns = 14,
                                 .log_n = 16,
                                 .num_rows = 20000,
                                 .num_pads = 600,
                                 .kind = MatrixKind::kWitness};
  MatrixShape weights = kWitness;
  weights.num_rows = 600;
  weights.kind = MatrixKind::kWeights;
  constexpr MatrixShape kData{
      .log_columns = 12, .log_n = 14, .num_rows = 3000, .num_pads = 900, .kind = MatrixKind::kData};
  const struct {
    MatrixShape witness;
    std::vector<MatrixShape> long_lived;
    std::uint64_t pads, triples;
    bool has_tail;
    std::vector<std::pair<std::string_view, double>> bits;
  } kPlans[] = {
      {kSmall,
       {},
       0,
       0,
       false,
       {{"proximity", 114.6781},
        {"mask tests", 115.415},
        {"rounds", 123.415},
        {"batching", 107.0},
        {"queries", 104.1199},
        {"total", 103.9348}}},
      {kWitness,
       {weights, kData},
       4000,
       300,
       false,
       {{"proximity", 107.5081},
        {"mask tests", 110.415},
        {"rounds", 122.142},
        {"batching", 107.0},
        {"queries", 103.3895},
        {"total", 103.1915}}},
      {kWitness,
       {weights, kData},
       4000,
       300,
       true,
       {{"proximity", 107.5081},
        {"mask tests", 110.415},
        {"rounds", 122.142},
        {"batching", 107.0},
        {"queries", 103.3895},
        {"tail", 104.3503},
        {"total", 102.6575}}},
      {kWide,
       {},
       0,
       0,
       false,
       {{"proximity", 100.8301},
        {"mask tests", 102.415},
        {"rounds", 122.1926},
        {"batching", 107.0},
        {"queries", 104.148},
        {"total", 100.2965}}},
  };
  for (const auto& expected : kPlans) {
    const auto plan = BatchPlan::Make(expected.witness, expected.long_lived, expected.pads,
                                      expected.triples, {.has_tail = expected.has_tail});
    ASSERT_TRUE(plan.ok()) << plan.error().message();
    std::vector<SoundnessTerm> terms = SoundnessTerms(*plan);
    terms.push_back(TotalOf(terms));
    ASSERT_EQ(terms.size(), expected.bits.size());
    for (std::size_t i = 0; i < terms.size(); ++i) {
      EXPECT_EQ(terms[i].name, expected.bits[i].first);
      // Rounding up costs a part, which is much for a few of them only.
      EXPECT_LE(terms[i].bits(), expected.bits[i].second + 0.0001) << terms[i].name;
      EXPECT_GE(terms[i].bits(), expected.bits[i].second - 0.06) << terms[i].name;
    }
  }
}

TEST(SoundnessTest, APlanOfLessThan100BitsIsRefused) {
  constexpr QueryPolicy kSent{.has_tail = false};
  EXPECT_EQ(Says(kWide, {}, 0, 0, kSent), "");
  MatrixShape high = kWide;
  high.num_rows = 2048;
  EXPECT_THAT(Says(high, {}, 0, 0, kSent), HasSubstr("a proof of only 99."));
  // Tests say that they are none.
  EXPECT_EQ(Says(high, {}, 0, 0, {.work_bits = 0, .fixed_queries = 2}), "");
}

// kWide leaves 2^28 parts less 100.2965 bits' worth: some 4.99e7.
TEST(SoundnessTest, WhatTheCallerDrawsCounts) {
  constexpr QueryPolicy kSent{.has_tail = false};
  EXPECT_EQ(Says(kWide, {}, 0, 0, kSent, {OverField("script", 40'000'000)}), "");
  EXPECT_THAT(Says(kWide, {}, 0, 0, kSent, {OverField("script", 60'000'000)}),
              HasSubstr("a proof of only 99.9"));
  const auto plan = BatchPlan::Make(kSmall, {}, 0, 0, {}, {OverField("script", 1000)});
  EXPECT_EQ(SoundnessTerms(*plan).back().name, "script");
  EXPECT_NEAR(SoundnessTerms(*plan).back().bits(), 128 - std::log2(1000), 0.01);
}

TEST(SoundnessTest, WorkIsWorthItsBits) {
  EXPECT_EQ(OverField("", 1 << 20).parts, Uint128{(1 << 20) + 1});
  EXPECT_EQ(OverField("", 1 << 20, 10).parts, Uint128{(1 << 10) + 1});
  EXPECT_EQ(OverField("", Uint128{1} << 40).parts, (Uint128{1} << 40) + (1 << 10) + 1);
}

TEST(SoundnessTest, FewQueriesAreSeenInTheTerms) {
  const auto bits = [](std::uint64_t queries) {
    const auto plan = BatchPlan::Make(
        kSmall, {}, 0, 0, {.work_bits = 3, .fixed_queries = queries, .has_tail = false});
    return TotalOf(SoundnessTerms(*plan)).bits();
  };
  EXPECT_NEAR(bits(281), 88.12 + 3, 0.01);
  EXPECT_NEAR(bits(1), 0.29 + 3, 0.01);
}

// As many queries as the work leaves to do.
TEST(SoundnessTest, LessWorkIsMoreQueries) {
  const auto with = [](unsigned work_bits) {
    MatrixShape shape = kSmall;
    shape.num_pads = 350;
    const auto plan = BatchPlan::Make(shape, {}, 0, 0, {.work_bits = work_bits});
    EXPECT_TRUE(plan.ok()) << plan.error().message();
    EXPECT_GE(TotalOf(SoundnessTerms(*plan)).bits(), 103) << work_bits;
    return plan->groups()[0].num_queries;
  };
  EXPECT_GT(with(12), with(16));
  EXPECT_GT(with(16), with(32));
  EXPECT_THAT(Says(kSmall, {}, 0, 0, {.work_bits = 0}), HasSubstr("queries do not fit"));
}

TEST(SoundnessTest, ShapesThatAskForTooMuchAreRefused) {
  // Hardly any redundancy: 4 million columns by the formula alone.
  MatrixShape dense = kWide;
  dense.log_n = 23;
  dense.num_pads = dense.num_columns() - 180;
  dense.kind = MatrixKind::kData;
  EXPECT_THAT(Says(kSmall, {dense}), HasSubstr("0 queries do not fit"));
  EXPECT_THAT(Says(kSmall, {}, kMaxPads + 1), HasSubstr("more pads"));
  EXPECT_THAT(Says(kSmall, {}, 0, kMaxPads + 1), HasSubstr("more pads"));
  EXPECT_THAT(Says(kSmall, {}, kMaxPads), HasSubstr("rows"));
  EXPECT_THAT(Says(kSmall, {}, 0, 0, {.work_bits = 33}), HasSubstr("more work"));
  MatrixShape weights = kSmall;
  weights.kind = MatrixKind::kWeights;
  const std::vector<MatrixShape> many(kMaxMatrices, weights);
  EXPECT_EQ(Says(kSmall, {many.begin(), many.end() - 1}), "");
  EXPECT_THAT(Says(kSmall, many), HasSubstr("more matrices"));
  const BatchPlan plan = BatchPlan::Make(kSmall, {}, 0, 0, {}).value();
  EXPECT_TRUE(plan.CheckClaims(std::vector<Claim>(kMaxClaims)).ok());
  EXPECT_THAT(plan.CheckClaims(std::vector<Claim>(kMaxClaims + 1)).error().message(),
              HasSubstr("more claims"));
}

}  // namespace
}  // namespace flair::zk
