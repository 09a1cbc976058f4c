// Batch normalisation, trained in integers beside doubles.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "program/indexing.h"
#include "program/lower_testing.h"

namespace flair::program {
namespace {

constexpr std::string_view kNormed = R"(flair program 1
batch 5
data x [2, 3, 4] bits 12 scale 8
label y classes 3
param a [3, 2, 2, 2]
param g [3]
param b [3]
param f [3, 18]
param g2 [3]
param b2 [3]
buffer m [3]
buffer v [3]
buffer m2 [3]
buffer v2 [3]
h = conv(x, a)
n = batch_norm(h, g, b, m, v, momentum=1/10)
r = relu(n)
q = flatten(r)
z = linear(q, f)
k = batch_norm(z, g2, b2, m2, v2, eps=1/1000, momentum=1/4, running_variance=biased)
l = cross_entropy(k, y)
loss l
optimiser sgd()
schedule 1/32
profile gradient 24 22
)";

constexpr std::string_view kFrozen = R"(flair program 1
batch 4
data x [2, 3, 3] bits 12 scale 8
label y classes 2
param a [3, 2, 2, 2]
param g [3]
param b [3]
param f [2, 12]
buffer m [3]
buffer v [3]
h = conv(x, a)
n = batch_norm(h, g, b, m, v, mode=eval)
r = relu(n)
q = flatten(r)
z = linear(q, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/32
profile gradient 24 22
)";

// Channels in groups of two: two axes of the circuit, in the running statistics as well.
constexpr std::string_view kGrouped = R"(flair program 1
batch 4
data x [2, 3, 3] bits 12 scale 8
label y classes 3
param a [4, 1, 2, 2]
param g [4]
param b [4]
param f [3, 16]
buffer m [4]
buffer v [4]
h = conv(x, a, groups=2)
n = batch_norm(h, g, b, m, v)
r = relu(n)
q = flatten(r)
z = linear(q, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/32
profile gradient 24 22
)";

TEST(NormalisationTest, BatchNormTrainsLikeDoubles) {
  ExpectTrainsLikeDoubles(kNormed, 4, 1e-4);
  ExpectTrainsLikeDoubles(kGrouped, 4, 1e-4);
  ExpectTrainsLikeDoubles(kFrozen, 4, 1e-4);
}

TEST(NormalisationTest, EveryChangedCellIsRefused) {
  EXPECT_GT(ExpectOneStepOnly(kNormed), 3000U);
  EXPECT_GT(ExpectOneStepOnly(kFrozen), 1000U);
}

// All weights 0: no variance but eps, whose root and reciprocal still fit.
TEST(NormalisationTest, ChannelsWithoutVarianceHaveAStep) {
  EXPECT_GT(ExpectOneStepOnly(kNormed, {.weights = 0}), 3000U);
}

// Running statistics against the formula, from what the doubles say of h.
void ExpectStatisticsMove(std::string_view text) {
  const Training t = Prepared(text);
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    const RealInputs inputs = RealInputsOf(t, step);
    const std::vector<Reals> values = Evaluate(t.graph, inputs);
    for (const RunningUpdate& update : t.graph.running) {
      const GraphNode& norm = t.graph[update.node];
      const Reals& x = values[norm.inputs[0]];
      const AxisView view = AlongAxis(norm.dims, 1);
      const double count = static_cast<double>(view.outer * view.inner);
      const circuit::ValueId buffer = t.lowered.buffers[update.buffer];
      const Reals next = AsReals(step.values.next[buffer], 22);
      for (std::size_t c = 0; c < view.extent; ++c) {
        double mean = 0, variance = 0;
        const auto for_each = [&](auto f) {
          for (std::size_t o = 0; o < view.outer; ++o) {
            for (std::size_t i = 0; i < view.inner; ++i) {
              f(x[(o * view.extent + c) * view.inner + i]);
            }
          }
        };
        for_each([&](double v) { mean += v / count; });
        for_each([&](double v) { variance += (v - mean) * (v - mean) / count; });
        const double statistic = update.statistic == RunningUpdate::Statistic::kMean
                                     ? mean
                                     : variance * update.factor.AsDouble();
        const double m = update.momentum.AsDouble();
        EXPECT_NEAR(next[c], (1 - m) * inputs.buffers[update.buffer][c] + m * statistic, 2e-6);
      }
    }
    return OkStatus();
  });
  EXPECT_TRUE(end.ok());
}

TEST(NormalisationTest, RunningStatisticsMoveTowardsTheBatch) {
  ExpectStatisticsMove(kNormed);
  ExpectStatisticsMove(kGrouped);
}

}  // namespace
}  // namespace flair::program
