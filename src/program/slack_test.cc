// Recorded steps: given weights, and what they may differ from the exact ones.
// SPDX-License-Identifier: Apache-2.0
#include "program/slack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "program/lower_testing.h"

namespace flair::program {
namespace {

using testing::HasSubstr;

constexpr std::string_view kNet = R"(flair program 1
batch 4
data x [6] bits 12 scale 8
label y classes 3
param w1 [5, 6]
param b1 [5]
param w2 [3, 5] scale 1
param slow [5]
h = linear(x, w1, b1)
s = affine(slow, scale=1/64)
k = add(h, s)
a = relu(k)
z = linear(a, w2)
l = cross_entropy(z, y)
loss l
optimiser sgd(weight_decay=1/1024)
schedule 1/16
profile gradient 24 23
)";

constexpr std::string_view kTiny = R"(flair program 1
batch 2
data x [2] bits 8 scale 4
label y classes 2
param w [2, 2]
h = linear(x, w)
z = relu(h)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile limb 16
profile activation 20 14
profile gradient 24 23
)";

// A run as a framework records it: each step the exact one from its weights, and an error.
struct Recorded {
  Training training;
  std::vector<std::vector<circuit::Ints>> weights;  // by step, after it

  using Disturb = std::function<std::int64_t(std::uint64_t step, std::size_t tensor,
                                             std::size_t cell, std::int64_t change)>;
  Recorded(std::string_view text, std::uint64_t steps, const Disturb& disturb)
      : training(Prepared(text)) {
    TrainingState state = training.state;
    for (std::uint64_t step = 0; step < steps; ++step) {
      const TrainingState before = state;
      auto after = Train(training.lowered, training.data, std::move(state),
                         {.seed = training.run.seed, .first_step = step, .steps = 1},
                         [](const TrainingStep&) { return OkStatus(); });
      EXPECT_TRUE(after.ok()) << after.error().message();
      state = std::move(*after);
      weights.emplace_back();
      for (std::size_t t = 0; t < training.lowered.parameters.size(); ++t) {
        circuit::Ints& cells = state.carried[t];
        for (std::size_t i = 0; i < cells.size(); ++i) {
          cells[i] += disturb(step, t, i, cells[i] - before.carried[t][i]);
        }
        weights.back().push_back(cells);
      }
    }
  }

  // As a framework trains: in doubles, from one step's weights to the next's.
  Recorded(std::string_view text, std::uint64_t steps) : training(Prepared(text)) {
    const Program& p = training.program;
    TrainingState state = training.state;
    Batches batches(training.run.seed, training.data.rows, p.batch);
    for (std::uint64_t step = 0; step < steps; ++step) {
      RealInputs inputs{
          .columns = {}, .parameters = {}, .buffers = {}, .seed = training.run.seed, .step = step};
      for (std::size_t c = 0; c < p.columns.size(); ++c) {
        const circuit::Ints& all = training.data.columns[c];
        const std::size_t row = all.size() / training.data.rows;
        circuit::Ints cells;
        for (const std::uint32_t r : batches.RowsOf(step)) {
          cells.insert(cells.end(), all.begin() + static_cast<std::ptrdiff_t>(r * row),
                       all.begin() + static_cast<std::ptrdiff_t>((r + 1) * row));
        }
        inputs.columns.push_back(
            AsReals(cells, p.columns[c].is_label() ? 0 : p.columns[c].format.scale));
      }
      for (std::size_t t = 0; t < p.parameters.size(); ++t) {
        inputs.parameters.push_back(AsReals(state.carried[t], 30 - p.parameters[t].scale));
      }
      const std::vector<Reals> values = Evaluate(training.graph, inputs);
      const double rate = static_cast<double>(p.schedule.NumeratorAt(step)) /
                          static_cast<double>(p.schedule.denominator);
      weights.emplace_back();
      for (std::size_t t = 0; t < p.parameters.size(); ++t) {
        const Reals& gradient = values[*training.graph.gradients[t]];
        for (std::size_t i = 0; i < gradient.size(); ++i) {
          state.carried[t][i] -=
              std::llround(std::ldexp(rate * gradient[i], 30 - p.parameters[t].scale));
        }
        weights.back().push_back(state.carried[t]);
      }
    }
  }

  // Empty when every step stays within the slack.
  std::string Judge(const Slack& slack) const {
    const auto end = End(slack);
    return end.ok() ? "" : end.error().message() + "; " + end.error().hint();
  }

  Result<TrainingState> End(const Slack& slack) const {
    const auto lowered = Lower(training.program, slack);
    EXPECT_TRUE(lowered.ok()) << (lowered.ok() ? "" : lowered.error().message());
    TrainingState start = training.state;
    start.carried.resize(lowered->circuit.carried.size(), {0});
    return Train(*lowered, training.data, std::move(start),
                 {.seed = training.run.seed,
                  .first_step = 0,
                  .steps = weights.size(),
                  .recorded = [&](std::uint64_t step) -> Result<std::vector<circuit::Ints>> {
                    return weights[step];
                  }},
                 [](const TrainingStep&) { return OkStatus(); });
  }
};

TEST(SlackTest, AnExactRunNeedsNone) {
  const Recorded run(kNet, 12, [](auto, auto, auto, auto) { return 0; });
  EXPECT_EQ(run.Judge({.rho = 0, .rho_first = 0, .kappa = 0, .sigma = 1e-6}), "");
}

TEST(SlackTest, ARunWithinItsSlackIsTaken) {
  // One part in 10^4 of the change, either way.
  const Recorded run(kNet, 12, [](auto step, auto, auto cell, std::int64_t change) {
    return (step + cell) % 2 == 0 ? change / 10'000 : -change / 10'000;
  });
  EXPECT_EQ(run.Judge({.kappa = 0}), "");
  EXPECT_THAT(run.Judge({.rho = 2e-5, .rho_first = 2e-5, .kappa = 0}), HasSubstr("slack.gap"));
}

TEST(SlackTest, AStepBeyondItsSlackHasNoProof) {
  // Every bound by itself.
  const auto one = [](std::uint64_t at, std::size_t in, std::int64_t error) {
    return [=](std::uint64_t step, std::size_t tensor, std::size_t cell, std::int64_t) {
      return step == at && tensor == in && cell == 3 ? error : 0;
    };
  };
  // A cell beyond tau.
  EXPECT_THAT(Recorded(kNet, 2, one(1, 0, 1 << 21)).Judge({.tau = -10}),
              HasSubstr("w1 is not what the program's step gives: [0, 3]"));
  // A tensor beyond 10 rho, where all together have room.
  EXPECT_EQ(Recorded(kNet, 12, one(11, 0, 1 << 12)).Judge({.kappa = 0}), "");
  EXPECT_THAT(Recorded(kNet, 12, one(11, 3, 1 << 12)).Judge({.kappa = 0}),
              HasSubstr("slow.slack.gap"));
  // Room in the first steps is none later.
  const auto percent = [](std::uint64_t at) {
    return [=](std::uint64_t step, auto, auto, std::int64_t change) {
      return step == at ? change / 100 : 0;
    };
  };
  EXPECT_EQ(Recorded(kNet, 12, percent(9)).Judge({.kappa = 0}), "");
  EXPECT_THAT(Recorded(kNet, 12, percent(10)).Judge({.kappa = 0}), HasSubstr("slack.gap"));
  // The rounding of float32 weights has room by kappa alone.
  const auto rounding = [](auto, auto, auto, auto) { return std::int64_t{20}; };
  EXPECT_EQ(Recorded(kNet, 12, rounding).Judge({.rho = 0, .rho_first = 0, .kappa = 4}), "");
  EXPECT_THAT(Recorded(kNet, 12, rounding).Judge({.rho = 0, .rho_first = 0, .kappa = 0}),
              HasSubstr("slack.gap"));
  // Drift adds up.
  EXPECT_EQ(Recorded(kNet, 3, percent(1)).Judge({.sigma = 1e-2}), "");
  EXPECT_THAT(Recorded(kNet, 3, percent(1)).Judge({.sigma = 1e-5}), HasSubstr("slack.left"));
}

// Activations so coarse that a relu's input often comes out on the other side of 0.
constexpr std::string_view kCoarse = R"(flair program 1
batch 8
data x [6] bits 12 scale 8
label y classes 3
param w1 [40, 6]
param w2 [3, 40]
h = linear(x, w1)
a = relu(h)
z = linear(a, w2)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile activation 24 8
profile gradient 24 23
)";

TEST(SlackTest, SignsWithinTheZoneAreThoseOfTheFramework) {
  const Recorded run(kCoarse, 12);
  const Slack wide{.rho = 1.0 / 64, .rho_first = 1.0 / 64, .sigma = 10};
  EXPECT_THAT(run.Judge(wide), HasSubstr("slack.deviations.left"));
  Slack with_deviations = wide;
  with_deviations.beta = 200;
  EXPECT_EQ(run.Judge(with_deviations), "");
}

// Pools with nothing behind them, and before a relu; disjoint windows and overlapping ones.
constexpr std::string_view kPooled = R"(flair program 1
batch 4
data x [1, 8, 8] bits 12 scale 8
label y classes 3
param c1 [4, 1, 3, 3]
param c2 [4, 4, 3, 3]
param f [3, 36]
h = conv(x, c1, stride=[1, 1], pad=[1, 1, 1, 1])
p = max_pool(h, window=[2, 2], stride=[2, 2])
k = conv(p, c2, stride=[1, 1], pad=[1, 1, 1, 1])
r = relu(k)
q = max_pool(r, window=[2, 2], stride=[1, 1])
v = flatten(q)
z = linear(v, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/64
profile activation 24 7
profile gradient 24 20
)";

TEST(SlackTest, CellsOfPoolsWithinTheZoneAreThoseOfTheFramework) {
  const Recorded run(kPooled, 6);
  const Slack wide{.rho = 1.0 / 64, .rho_first = 0.022, .sigma = 10};
  EXPECT_THAT(run.Judge(wide), HasSubstr("slack.deviations.left"));
  Slack with_deviations = wide;
  with_deviations.beta = 1000;
  EXPECT_EQ(run.Judge(with_deviations), "");
}

// At a rate so small that every error is the grid's.
constexpr std::string_view kTinyPool = R"(flair program 1
batch 2
data x [1, 4, 4] bits 8 scale 4
label y classes 2
param c [1, 1, 2, 2]
param f [2, 1]
h = conv(x, c, stride=[1, 1], pad=[0, 1, 0, 1])
p = max_pool(h, window=[2, 2], stride=[2, 2])
q = max_pool(p, window=[2, 2], stride=[1, 1])
v = flatten(q)
z = linear(v, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/268435456
profile activation 18 2
profile gradient 24 20
)";

void ExpectEveryChangeIsRefused(const Recorded& run, bool deviates);

TEST(SlackTest, EveryChangeOfARecordedStepIsRefused) {
  ExpectEveryChangeIsRefused(Recorded(kTiny, 1,
                                      [](auto, auto, std::size_t cell, auto) {
                                        return static_cast<std::int64_t>(cell) - 1;
                                      }),
                             false);
  ExpectEveryChangeIsRefused(Recorded(kTinyPool, 1), true);
}

// Of the first step: with a choice that is not the forced one, where `deviates`.
void ExpectEveryChangeIsRefused(const Recorded& run, bool deviates) {
  const auto lowered =
      Lower(run.training.program, Slack{.rho_first = 0.022, .sigma = 100, .beta = 50});
  ASSERT_TRUE(lowered.ok());
  TrainingState start = run.training.state;
  start.carried.resize(lowered->circuit.carried.size(), {0});
  const auto end = Train(*lowered, run.training.data, std::move(start),
                         {.seed = run.training.run.seed,
                          .first_step = 0,
                          .steps = 1,
                          .recorded = [&](std::uint64_t) -> Result<std::vector<circuit::Ints>> {
                            return run.weights[0];
                          }},
                         [&](const TrainingStep& step) {
                           if (deviates) {
                             EXPECT_GT(step.values.next[*lowered->deviations][0], 0);
                           }
                           EXPECT_GT(circuit::ExpectEveryChangeIsRefused(
                                         lowered->circuit, step.values,
                                         [](circuit::ValueId, std::size_t) { return false; }),
                                     40U);
                           return OkStatus();
                         });
  EXPECT_TRUE(end.ok()) << end.error().message();
}

// Buffers follow from signs, too: a recorded run that trains nothing has nothing that counts them.
constexpr std::string_view kFrozen = R"(flair program 1
batch 4
data x [6] bits 12 scale 8
data y [6] bits 12 scale 8
param g [6]
param b [6]
param w [6, 6]
buffer mean [6]
buffer var [6]
h = affine(x, scale=1/3)
a = relu(h)
n = batch_norm(a, g, b, mean, var, eps=0.001)
l = mse(x, y)
loss l
optimiser sgd()
schedule 1/16
profile gradient 24 23
)";

TEST(SlackTest, ARecordedRunTrainsSomething) {
  ASSERT_TRUE(Lower(Parsed(kFrozen)).ok());
  const auto lowered = Lower(Parsed(kFrozen), Slack{});
  ASSERT_FALSE(lowered.ok());
  EXPECT_THAT(lowered.error().message(), HasSubstr("trains nothing"));
}

// Nothing would be in any sum.
constexpr std::string_view kOnlyGauge = R"(flair program 1
batch 4
data x [6] bits 12 scale 8
data y [6] bits 12 scale 8
param c [6]
buffer g [6]
buffer b [6]
buffer mean [6]
buffer var [6]
h = add(x, c)
n = batch_norm(h, g, b, mean, var, eps=0.001)
l = mse(n, y)
loss l
optimiser adam()
schedule 1/1024
profile gradient 24 23
)";

TEST(SlackTest, GaugeTensorsAloneAreNoTraining) {
  EXPECT_TRUE(Lower(Parsed(kOnlyGauge)).ok());
  const auto lowered = Lower(Parsed(kOnlyGauge), Slack{});
  ASSERT_FALSE(lowered.ok());
  EXPECT_THAT(lowered.error().message(), HasSubstr("or gauge tensors alone"));
}

// A gauge tensor, c: the norm takes it away again.
constexpr std::string_view kNormed = R"(flair program 1
batch 4
data x [2, 4, 4] bits 8 scale 4
label y classes 3
param k [3, 2, 3, 3]
param c [3]
param g [3]
param b [3]
param f [3, 12]
buffer m [3]
buffer v [3]
h = conv(x, k, c)
n = batch_norm(h, g, b, m, v)
r = relu(n)
q = flatten(r)
z = linear(q, f)
l = cross_entropy(z, y)
loss l
optimiser adam()
schedule 1/1024 x 3, 1/8192
profile gradient 24 23
)";
constexpr std::size_t kK = 0, kC = 1, kB = 3;  // tensors

std::string Replaced(std::string_view text, const std::string& old, const std::string& by) {
  std::string made(text);
  const std::size_t at = made.find(old);
  EXPECT_NE(at, std::string::npos);
  return made.replace(at, old.size(), by);
}

// The same values step by step, but that c is none: a node stands between.
std::string Unrecognised(std::string_view text) {
  return Replaced(text, "n = batch_norm(h, g, b, m, v)",
                  "t = permute(h, axes=[0, 1, 3, 2])\nn1 = batch_norm(t, g, b, m, v)\n"
                  "n = permute(n1, axes=[0, 1, 3, 2])");
}

Recorded::Disturb InOneCell(std::uint64_t at, std::size_t in, std::int64_t error) {
  return [=](std::uint64_t step, std::size_t tensor, std::size_t cell, std::int64_t) {
    return step == at && tensor == in && cell == 1 ? error : 0;
  };
}

TEST(SlackTest, AGaugeTensorMovesByTwoRatesAtMost) {
  // Of every step its own rate, exactly; and nothing else bounds it, tau neither.
  const Slack none{.tau = -20, .rho = 0, .rho_first = 0, .kappa = 0, .sigma = 1e-6};
  for (const auto& [step, most] : {std::pair{2, 1 << 21}, std::pair{3, 1 << 18}}) {
    const auto moved = [&, at = step](std::int64_t error) {
      return Recorded(kNormed, 4, InOneCell(static_cast<std::uint64_t>(at), kC, error));
    };
    EXPECT_EQ(moved(most).Judge(none), "");
    EXPECT_EQ(moved(-most).Judge(none), "");
    EXPECT_THAT(moved(most + 1).Judge(none), HasSubstr("'c.slack.two rates above' is -1"));
    EXPECT_THAT(moved(-most - 1).Judge(none), HasSubstr("'c.slack.two rates below' is -1"));
  }
}

TEST(SlackTest, ARateOfManyDigitsBoundsExactly) {
  // 2 a/b in units of 2^-30 is 2^31 2097151/2^34, and of finer steps than the weights' unit: the
  // gaps say what is left in units of 2^-33.
  const std::string text = Replaced(kNormed, "1/1024 x 3, 1/8192", "2097151/17179869184");
  const Slack none{.rho = 0, .rho_first = 0, .kappa = 0, .sigma = 1e-6};
  const auto moved = [&](std::int64_t error, const std::string& profile) {
    return Recorded(text + profile, 1, InOneCell(0, kC, error)).Judge(none);
  };
  EXPECT_EQ(moved(262'143, ""), "");
  EXPECT_EQ(moved(-262'143, ""), "");
  EXPECT_THAT(moved(262'144, ""), HasSubstr("two rates above' is -1"));
  EXPECT_THAT(moved(-262'144, ""), HasSubstr("two rates below' is -1"));
  const std::string fine = "profile adam_update 35 33\n";
  EXPECT_EQ(moved(262'143, fine), "");
  EXPECT_THAT(moved(262'145, fine), HasSubstr("two rates"));
}

// Only a gauge tensor's bound is in units that fine.
TEST(SlackTest, RatesTooFineForAGaugeTensorAreNamed) {
  const auto made = [](const std::string& rate, bool is_gauge) {
    const std::string text = Replaced(Replaced(kNormed, "1/1024 x 3, 1/8192", rate), "param c [3]",
                                      "param c [3] scale 3");
    const Program p = Parsed(is_gauge ? text : Unrecognised(text));
    return Lower(p, DefaultSlack(p));
  };
  const std::string fine = "1/288230376151711744";  // 2^-58
  const auto refused = made(fine, true);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("'c.slack.two rates below': "));
  EXPECT_THAT(refused.error().hint(), HasSubstr("the schedule"));
  EXPECT_TRUE(made(fine, false).ok());
  EXPECT_TRUE(made("1/36028797018963968", true).ok());  // 2^-55
}

// Two rates a step, in one direction: inference reads nothing of it.
TEST(SlackTest, ARunningMeanMovesWithItsGaugeTensor) {
  constexpr std::size_t kM = 5, kSteps = 12;
  const std::string text = Replaced(kNormed, "1/1024 x 3, 1/8192", "1/1024");
  const auto lag = [&](std::int64_t error) {
    const Recorded run(text, kSteps, [=](auto, std::size_t tensor, std::size_t cell, auto) {
      return tensor == kC && cell == 1 ? error : 0;
    });
    const auto end = run.End(DefaultSlack(Parsed(text)));
    EXPECT_TRUE(end.ok()) << (end.ok() ? "" : end.error().message());
    if (!end.ok()) return 1.0;
    const double bias = std::ldexp(static_cast<double>(end->carried[kC][1]), -30);
    EXPECT_GE(std::abs(bias), error == 0 ? 0 : 0.02);
    return bias - std::ldexp(static_cast<double>(end->carried[kM][1]), -22);
  };
  for (const std::int64_t error : {1 << 21, -(1 << 21)}) EXPECT_NEAR(lag(error), lag(0), 1e-4);
}

// Adam makes steps of a whole rate where a gradient is noise; a framework's noise has another sign.
TEST(SlackTest, WholeStepsOfNoiseAreTakenOfGaugeTensorsAlone) {
  std::int64_t largest = 0;
  const auto other_sign = [&](auto, std::size_t tensor, auto, std::int64_t change) {
    if (tensor != kC) return std::int64_t{0};
    largest = std::max(largest, std::abs(change));
    return -2 * change;
  };
  const Slack slack = DefaultSlack(Parsed(kNormed));
  EXPECT_EQ(Recorded(kNormed, 4, other_sign).Judge(slack), "");
  EXPECT_GT(largest, (1 << 20) / 2);
  EXPECT_THAT(Recorded(Unrecognised(kNormed), 4, other_sign).Judge(slack), HasSubstr("'c.slack"));
}

TEST(SlackTest, NoOtherBiasMovesByTwoRates) {
  const Slack slack = DefaultSlack(Parsed(kNormed));
  EXPECT_THAT(Recorded(kNormed, 4, InOneCell(2, kB, 1 << 21)).Judge(slack), HasSubstr("'b.slack"));
  const std::string frozen = Replaced(kNormed, "m, v)", "m, v, mode=eval)");
  EXPECT_THAT(Recorded(frozen, 4, InOneCell(2, kC, 1 << 21)).Judge(slack), HasSubstr("'c.slack"));
}

// Of one cell of k and one of c in the second of two steps.
Recorded TwoErrors(std::string_view text, std::int64_t of_k, std::int64_t of_c) {
  return Recorded(text, 2, [=](std::uint64_t step, std::size_t tensor, std::size_t cell, auto) {
    if (step != 1 || cell != 1) return std::int64_t{0};
    return tensor == kK ? of_k : tensor == kC ? of_c : 0;
  });
}

// The largest error of k that the slack takes.
std::int64_t LargestErrorOfK(std::string_view text, const Slack& slack) {
  std::int64_t taken = 0, refused = 1 << 22;
  while (refused - taken > 1) {
    const std::int64_t error = (taken + refused) / 2;
    (TwoErrors(text, error, 0).Judge(slack).empty() ? taken : refused) = error;
  }
  return taken;
}

TEST(SlackTest, WhatAGaugeTensorLeavesIsNobodyElses) {
  // Neither its change nor its error is in the sums: k meets the same bounds.
  for (const Slack& slack : {Slack{.tau = -4, .sigma = 100},      // all tensors
                             Slack{.tau = -4, .sigma = 1e-6}}) {  // the run
    const std::int64_t most = LargestErrorOfK(kNormed, slack);
    EXPECT_GT(most, 200);
    EXPECT_LT(most, 1 << 21);
    for (const std::int64_t of_c : {1 << 21, -(1 << 21)}) {
      EXPECT_EQ(TwoErrors(kNormed, most, of_c).Judge(slack), "");
      EXPECT_THAT(TwoErrors(kNormed, most + 1, of_c).Judge(slack), HasSubstr("'slack."));
    }
  }
}

TEST(SlackTest, UnderDescentAGaugeTensorStaysInTheSumOfAll) {
  const std::string text =
      Replaced(Replaced(kNormed, "adam()", "sgd(momentum=9/10)"), "1/1024 x 3, 1/8192", "1/16");
  const Slack slack{.tau = -6, .rho_first = 1e-3, .kappa = 0, .sigma = 100};
  const auto judged = [&](const std::string& program, std::int64_t of_k, std::int64_t of_c) {
    return TwoErrors(program, of_k, of_c).Judge(slack);
  };
  // What k may err, c may, though that is far more than a part of its own change.
  const std::int64_t most = LargestErrorOfK(text, slack);
  EXPECT_GT(most, 1000);
  EXPECT_EQ(judged(text, 0, most), "");
  EXPECT_THAT(judged(Unrecognised(text), 0, most), HasSubstr("'c.slack.gap'"));
  // Both, or more, they may not.
  EXPECT_THAT(judged(text, 0, most + 1), HasSubstr("'slack.gap'"));
  EXPECT_THAT(judged(text, most, most / 2), HasSubstr("'slack.gap'"));
  EXPECT_THAT(judged(text, 0, 1 << 25),
              HasSubstr("c is not what the program's step gives: [1]"));  // tau
}

// Scales so far apart that W beside E has more bits than a shift.
TEST(SlackTest, ADifferenceOfTooManyBitsIsRefused) {
  std::string text(kCoarse);
  text.replace(text.find("scale 8"), 7, "scale -60");
  text.replace(text.find("activation 24 8"), 15, "activation 24 -60");
  EXPECT_FALSE(Lower(Parsed(text), Slack{.beta = 9}).ok());
}

TEST(SlackTest, TensorsAreFewAndOfScalesThatLieTogether) {
  const auto why = [](std::size_t biases, const std::string& scale) {
    std::string text =
        "flair program 1\nbatch 2\ndata x [2] bits 8 scale 4\nlabel y classes 2\nparam w [2, 2]\n";
    std::string nodes = "z0 = linear(x, w)\n";
    for (std::size_t i = 1; i <= biases; ++i) {
      const std::string n = std::to_string(i);
      text += "param b" + n + " [2]" + scale + "\n";
      nodes += "z" + n + " = add(z" + std::to_string(i - 1) + ", b" + n + ")\n";
    }
    return Lower(Parsed(text + nodes + "l = cross_entropy(z" + std::to_string(biases) +
                        ", y)\nloss l\noptimiser sgd()\nschedule 1/16\n"),
                 Slack{.beta = 9})
        .error()
        .message();
  };
  EXPECT_EQ(why(256, ""), "slack: more than 256 trained tensors");
  EXPECT_EQ(why(1, " scale 4"), "slack: the parameters' scales lie too far apart");
}

TEST(SlackTest, AdamHasItsOwnTau) {
  std::string text(kNet);
  text.replace(text.find("sgd(weight_decay=1/1024)"), 24, "adam()");
  EXPECT_EQ(DefaultSlack(Parsed(text)).tau, -4);  // 2/16 and more is cut off
  EXPECT_EQ(DefaultSlack(Parsed(kNet)).tau, -11);
}

TEST(SlackTest, BoundsOutOfRangeAreRefused) {
  EXPECT_FALSE(UnitsOf({.tau = 1}, 5).ok());
  EXPECT_FALSE(UnitsOf({.tau = 0}, 0).ok());  // 2^30 units
  EXPECT_FALSE(UnitsOf({.beta = (std::uint64_t{1} << 39) + 1}, 0).ok());
  EXPECT_FALSE(UnitsOf({.rho = 0.5}, 0).ok());
  EXPECT_FALSE(UnitsOf({.rho = std::nan("")}, 0).ok());
  EXPECT_FALSE(UnitsOf({.rho_first = -1}, 0).ok());
  EXPECT_FALSE(UnitsOf({.rho = -0.0}, 0).ok());  // 0 has one digest
  EXPECT_FALSE(UnitsOf({.kappa = 65}, 0).ok());
  EXPECT_FALSE(UnitsOf({.sigma = 8193}, 0).ok());
  EXPECT_FALSE(UnitsOf({.tau = -24, .sigma = 8192}, -20).ok());  // 2^63 units
  EXPECT_TRUE(UnitsOf({.sigma = 8192}, -1).ok());
  EXPECT_EQ(UnitsOf({}, 0)->share, 67);
  EXPECT_EQ(UnitsOf({}, 0)->share_first, 107'374);
  EXPECT_EQ(UnitsOf({}, 1)->drift, 1 << 29);
  EXPECT_NE(SlackDigest({}), SlackDigest({.kappa = 2}));
}

}  // namespace
}  // namespace flair::program
