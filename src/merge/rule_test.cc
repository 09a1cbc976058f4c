// Weights, methods and roles.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "merge/merge_testing.h"
#include "merge/method.h"
#include "merge/weights.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(WeightsTest, AlwaysSumToOne) {
  std::uint64_t state = 1;
  for (std::size_t n = 1; n <= 255; ++n) {
    std::vector<std::uint64_t> samples(n);
    for (std::uint64_t& s : samples) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      s = (state >> 40) + 1;
    }
    const auto alpha = Get(WeightsBySamples(samples));
    EXPECT_EQ(std::accumulate(alpha.begin(), alpha.end(), std::uint64_t{0}), kAlphaOne) << n;
    const auto equal = EqualWeights(n);
    EXPECT_LE(*std::max_element(equal.begin(), equal.end()) -
                  *std::min_element(equal.begin(), equal.end()),
              1U);
  }
}

TEST(WeightsTest, RefusesCountsThatSayNothing) {
  const std::vector<std::uint64_t> kBad[] = {
      {}, {0}, {5, 0}, {std::uint64_t{1} << 40}, {~std::uint64_t{0}, 1}};
  for (const auto& samples : kBad) {
    const auto weights = WeightsBySamples(samples);
    ASSERT_FALSE(weights.ok());
    EXPECT_EQ(weights.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(WeightsTest, TheDiscountIsTheLargestIntegerBelowTheRoot) {
  for (const std::uint32_t alpha : {1U, 2U, 1000U, kAlphaOne / 3, kAlphaOne, 0xffff'ffffU}) {
    for (const std::uint64_t staleness : {0ULL, 1ULL, 2ULL, 3ULL, 99ULL, 1ULL << 40}) {
      const std::uint64_t k = DiscountForStaleness(alpha, staleness);
      const std::uint64_t square = std::uint64_t{alpha} * alpha / (1 + staleness);
      EXPECT_LE(k * k, square);
      EXPECT_TRUE(k == 0xffff'ffff || (k + 1) * (k + 1) > square);
    }
  }
  EXPECT_EQ(DiscountForStaleness(kAlphaOne, ~std::uint64_t{0}), 0U);
}

TEST(WeightsTest, ReadsDecimals) {
  EXPECT_EQ(Get(ParseWeight("1")), kAlphaOne);
  EXPECT_EQ(Get(ParseWeight("0.25")), kAlphaOne / 4);
  EXPECT_EQ(Get(ParseWeight("0")), 0U);
  EXPECT_EQ(Get(ParseWeight("255")), 255 * kAlphaOne);
  EXPECT_EQ(Get(ParseWeight("0.333333333")), 5592405U);
  for (const char* bad : {"", ".", ".5", "1.", "-1", "+1", "1e3", "256", "255.000000001",
                          "255.999999999", "0.1234567891", "1,5", "nan", "0x1", " 1", "1234"}) {
    EXPECT_FALSE(ParseWeight(bad).ok()) << bad;
  }
}

TEST(MethodTest, NamesReadBack) {
  for (const char* name :
       {"fedavg", "linear", "median", "trimmed_mean", "krum", "ours", "theirs", "base"}) {
    EXPECT_EQ(MergeMethodName(Get(MergeMethodFromName(name))), name);
  }
  const auto unknown = MergeMethodFromName("fedavgg");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().hint(), testing::HasSubstr("fedavg, linear, median"));
}

TEST(MethodTest, ParametersHaveDefaultsAndLimits) {
  EXPECT_EQ(Get(MakeMergeRule(MergeMethod::kTrimmedMean, {}, 3)).beta_per_million, 100'000U);
  EXPECT_EQ(Get(MakeMergeRule(MergeMethod::kTrimmedMean, {{"beta", "0.25"}}, 3)).beta_per_million,
            250'000U);
  EXPECT_EQ(Get(MakeMergeRule(MergeMethod::kKrum, {}, 3)).krum_f, 0U);
  EXPECT_EQ(Get(MakeMergeRule(MergeMethod::kKrum, {}, 8)).krum_f, 2U);
  EXPECT_EQ(Get(MakeMergeRule(MergeMethod::kKrum, {{"f", "1"}, {"m", "2"}}, 4)).krum_m, 2U);
  const struct {
    MergeMethod method;
    MergeParameters parameters;
    std::size_t num_inputs;
  } kBad[] = {
      {MergeMethod::kFedAvg, {{"f", "1"}}, 3},
      {MergeMethod::kFedAvg, {}, 0},
      {MergeMethod::kTrimmedMean, {{"beta", "0.5"}}, 3},
      {MergeMethod::kTrimmedMean, {{"beta", "-0.1"}}, 3},
      {MergeMethod::kTrimmedMean, {{"beta", "0.1234567"}}, 3},
      {MergeMethod::kTrimmedMean, {{"beta", "1"}}, 3},
      {MergeMethod::kTrimmedMean, {{"f", "1"}}, 3},
      {MergeMethod::kKrum, {}, 2},
      {MergeMethod::kKrum, {{"f", "1"}}, 3},
      {MergeMethod::kKrum, {{"f", "4294967295"}}, 8},
      {MergeMethod::kKrum, {{"f", "4294967296"}}, 8},
      {MergeMethod::kKrum, {{"f", "x"}}, 8},
      {MergeMethod::kKrum, {{"m", "0"}}, 8},
      {MergeMethod::kKrum, {{"m", "9"}}, 8},
      {MergeMethod::kTheirs, {}, 2},
      {MergeMethod::kBase, {}, 2},
  };
  for (const auto& c : kBad) {
    const auto rule = MakeMergeRule(c.method, c.parameters, c.num_inputs);
    ASSERT_FALSE(rule.ok()) << MergeMethodName(c.method);
    EXPECT_EQ(rule.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(MethodTest, ARecipeReadsBackAsTheRule) {
  MergeRule rule = Get(MakeMergeRule(MergeMethod::kKrum, {{"f", "1"}, {"m", "2"}}, 5));
  rule.alpha = {0, kAlphaOne / 2, kAlphaOne / 2, 0, 0};
  rule.roles.local = {"*.bn.*", "head"};
  rule.roles.counters = {"step"};
  const MergeRecipe recipe = MakeRecipe(rule, CommitId{});
  EXPECT_THAT(recipe.parameters,
              ElementsAre(Pair("f", "1"), Pair("m", "2"), Pair("roles.counters", "step"),
                          Pair("roles.local", "*.bn.*\nhead")));
  const MergeRule back = Get(RuleFromRecipe(recipe, 5));
  EXPECT_EQ(back.roles, rule.roles);
  EXPECT_EQ(back.alpha, rule.alpha);
  EXPECT_EQ(back.krum_f, 1U);
  EXPECT_EQ(back.krum_m, 2U);
  EXPECT_EQ(MakeRecipe(back, CommitId{}), recipe);

  const MergeRule trimmed = Get(MakeMergeRule(MergeMethod::kTrimmedMean, {{"beta", "0.05"}}, 3));
  EXPECT_THAT(RecipeParameters(trimmed), ElementsAre(Pair("beta", "0.05")));
  EXPECT_THAT(RecipeParameters(Get(MakeMergeRule(MergeMethod::kMedian, {}, 3))), IsEmpty());
}

TEST(MethodTest, RecipesOfANewerBuildAreUnsupported) {
  MergeRecipe recipe = MakeRecipe(Get(MakeMergeRule(MergeMethod::kFedAvg, {}, 2)), CommitId{});
  recipe.alpha = {kAlphaOne / 2, kAlphaOne / 2};
  ASSERT_TRUE(RuleFromRecipe(recipe, 2).ok());
  const auto code = [](const MergeRecipe& r) { return RuleFromRecipe(r, 2).error().code(); };
  MergeRecipe method = recipe;
  method.method = "ties";
  EXPECT_EQ(code(method), ErrorCode::kUnsupported);
  MergeRecipe parameter = recipe;
  parameter.parameters = {{"momentum", "0.9"}};
  EXPECT_EQ(code(parameter), ErrorCode::kUnsupported);
  MergeRecipe weights = recipe;
  weights.alpha = {kAlphaOne};
  EXPECT_EQ(code(weights), ErrorCode::kUnsupported);
  weights.alpha = {};
  EXPECT_EQ(code(weights), ErrorCode::kUnsupported);
}

TEST(RolesTest, TheFirstListWithAMatchDecides) {
  RoleGlobs globs;
  globs.frozen = {"a*"};
  globs.local = {"*b", "a*"};
  globs.statistics = {"*"};
  EXPECT_EQ(RoleOf(globs, "ab"), TensorRole::kFrozen);
  EXPECT_EQ(RoleOf(globs, "cb"), TensorRole::kLocal);
  EXPECT_EQ(RoleOf(globs, "layer.num_batches_tracked"), TensorRole::kStatistics);
  EXPECT_EQ(RoleOf({}, "layer1.bn.num_batches_tracked"), TensorRole::kCounter);
  EXPECT_EQ(RoleOf({}, "optimizer/vars/0"), TensorRole::kCounter);
  EXPECT_EQ(RoleOf({}, "optimizer/vars/01"), TensorRole::kTrainable);
  EXPECT_EQ(RoleOf({}, "optimizer_weights/adam/iteration"), TensorRole::kCounter);
  EXPECT_EQ(RoleOf({}, "layer1.bn.running_var"), TensorRole::kStatistics);
  EXPECT_EQ(RoleOf({}, "bn/moving_mean:0"), TensorRole::kStatistics);
  EXPECT_EQ(RoleOf({}, "dropout/seed_generator/seed_generator_state"), TensorRole::kLocal);
  EXPECT_EQ(RoleOf({}, "layer1.weight"), TensorRole::kTrainable);
}

}  // namespace
}  // namespace flair
