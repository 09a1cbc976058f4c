// Optimisers in integers beside their formulas in doubles.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "program/optimiser_testing.h"

namespace flair::program {
namespace {

TEST(OptimiserTest, SgdTrainsLikeItsFormula) {
  for (const char* optimiser :
       {"sgd(momentum=9/10)", "sgd(momentum=9/10, nesterov=yes, weight_decay=1/1000)",
        "sgd(momentum=4/5, dampening=1/5)", "sgd(dampening=1/5, weight_decay=1/100)",
        "sgd(momentum=9/10, weight_decay=1/100, rule=keras)",
        "sgd(momentum=9/10, nesterov=yes, weight_decay=1/1000, rule=keras)"}) {
    SCOPED_TRACE(optimiser);
    ExpectTrainsLikeDoubles(NetWith(optimiser, "3/16 x 2, 1/16"), 5, 5e-5, OptimiserUpdates);
  }
}

TEST(OptimiserTest, AdamTrainsLikeItsFormula) {
  for (const char* optimiser :
       {"adam()", "adam(weight_decay=1/100)", "adam(weight_decay=1/100, rule=keras)", "adamw()",
        "adamw(rule=keras, eps=1/10000000)", "adam(beta1=4/5, beta2=99/100, eps=1/1000)",
        "adam(beta1=0)", "adam(beta2=0, eps=1/100)", "adam(beta1=1/2, beta2=1/2)"}) {
    SCOPED_TRACE(optimiser);
    ExpectTrainsLikeDoubles(NetWith(optimiser, "1/1024 x 3, 1/4096"), 6, 2e-4, OptimiserUpdates);
  }
}

// 0.1, 0.05 and 0.001 as float32 has them, of 24 bits and more: steps are rounded by themselves.
constexpr const char* kTenths = "13421773/134217728 x 2, 13421773/268435456";

TEST(OptimiserTest, LearningRatesMayBeFloats) {
  for (const char* optimiser :
       {"sgd()", "sgd(weight_decay=1/2000)", "sgd(momentum=9/10, weight_decay=1/2000)",
        "sgd(momentum=9/10, nesterov=yes, weight_decay=1/2000)",
        "sgd(momentum=9/10, nesterov=yes, weight_decay=1/2000, rule=keras)"}) {
    SCOPED_TRACE(optimiser);
    ExpectTrainsLikeDoubles(NetWith(optimiser, kTenths), 5, 5e-5, OptimiserUpdates);
  }
  for (const char* optimiser : {"adam(weight_decay=1/100)", "adamw()", "adamw(rule=keras)"}) {
    SCOPED_TRACE(optimiser);
    ExpectTrainsLikeDoubles(NetWith(optimiser, "8589935/8589934592"), 5, 2e-4, OptimiserUpdates);
  }
}

TEST(OptimiserTest, EveryChangedCellOfRoundedStepsIsRefused) {
  EXPECT_GT(
      ExpectOneStepOnly(
          NetWith("sgd(momentum=9/10, nesterov=yes, weight_decay=1/2000, rule=keras)", kTenths),
          {.before = 1}),
      1000U);
  EXPECT_GT(ExpectOneStepOnly(NetWith("sgd(weight_decay=1/2000)", kTenths)), 1000U);
}

TEST(OptimiserTest, EveryChangedCellOfAdamIsRefused) {
  for (const char* optimiser : {"adamw()", "adam(weight_decay=1/100)"}) {
    SCOPED_TRACE(optimiser);
    EXPECT_GT(ExpectOneStepOnly(NetWith(optimiser, "1/1024"), {.before = 1}), 3000U);
  }
}

TEST(OptimiserTest, EveryChangedCellOfSgdIsRefused) {
  for (const char* optimiser :
       {"sgd(momentum=9/10, dampening=1/5, weight_decay=1/100)",
        "sgd(momentum=9/10, nesterov=yes, weight_decay=1/1000, rule=keras)"}) {
    SCOPED_TRACE(optimiser);
    EXPECT_GT(ExpectOneStepOnly(NetWith(optimiser, "1/16"), {.before = 1}), 1000U);
  }
}

TEST(OptimiserTest, DampeningBeginsWithTheSecondStep) {
  Training t = Prepared(NetWith("sgd(momentum=9/10, dampening=1/5)", "1/16"));
  t.run.steps = 3;
  std::vector<circuit::Ints> shares;
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    for (const PublicInput& input : t.lowered.publics) {
      if (input.kind != PublicInput::Kind::kGradientShare) continue;
      shares.push_back(step.values.now[input.value]);
    }
    return OkStatus();
  });
  EXPECT_TRUE(end.ok());
  EXPECT_EQ(shares, (std::vector<circuit::Ints>{{5}, {4}, {4}}));
}

// What an optimiser remembers begins as zero, and the cuts of a run are nobody's business.
TEST(OptimiserTest, ChunksOfARunAreTheRun) {
  Training t = Prepared(NetWith("sgd(momentum=9/10, dampening=1/5)", "1/16"));
  t.run.steps = 5;
  const auto nothing = [](const TrainingStep&) { return OkStatus(); };
  const TrainingState whole = Train(t.lowered, t.data, t.state, t.run, nothing).value();
  TrainingState state = t.state;
  t.run.steps = 1;
  for (t.run.first_step = 0; t.run.first_step < 5; ++t.run.first_step) {
    state = Train(t.lowered, t.data, std::move(state), t.run, nothing).value();
  }
  EXPECT_EQ(state.carried, whole.carried);
}

}  // namespace
}  // namespace flair::program
