// Whole networks: convolution, normalisation, pooling and dropout under every optimiser, with a
// schedule and clipping, trained in integers beside doubles.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "program/optimiser_testing.h"

namespace flair::program {
namespace {

// Two dropouts: one on maps, whose mask meets a window behind it, and one between dense layers.
std::string ConvNetWith(const std::string& optimiser, const std::string& schedule,
                        const std::string& clip = "") {
  return R"(flair program 1
batch 4
data x [2, 6, 6] bits 12 scale 8
label y classes 3
param c1 [4, 2, 3, 3]
param g [4] decay no
param b [4] decay no
param c2 [3, 4, 2, 2]
param f1 [6, 12]
param f1b [6] decay no
param f2 [3, 6]
buffer m [4]
buffer v [4]
h1 = conv(x, c1, pad=[1, 1, 1, 1])
n1 = batch_norm(h1, g, b, m, v)
r1 = relu(n1)
p1 = max_pool(r1)
d1 = dropout(p1, p=1/4)
h2 = conv(d1, c2)
r2 = relu(h2)
q = flatten(r2)
d2 = dropout(q, p=1/2)
z1 = linear(d2, f1, f1b)
r3 = relu(z1)
z2 = linear(r3, f2)
l = cross_entropy(z2, y)
loss l
optimiser )" +
         optimiser + "\nschedule " + schedule + "\n" + clip + "profile gradient 26 24\n";
}

TEST(NetworkTest, AConvNetWithDropoutTrainsLikeDoubles) {
  ExpectTrainsLikeDoubles(ConvNetWith("sgd()", "1/32"), 5, 2e-4, OptimiserUpdates);
}

TEST(NetworkTest, MomentumFollowsASchedule) {
  for (const char* optimiser :
       {"sgd(momentum=9/10, weight_decay=1/1000)", "sgd(momentum=9/10, nesterov=yes)",
        "sgd(momentum=9/10, nesterov=yes, rule=keras)"}) {
    SCOPED_TRACE(optimiser);
    ExpectTrainsLikeDoubles(ConvNetWith(optimiser, "1/16 x 2, 3/64 x 1, 0 x 1, 1/128"), 6, 2e-4,
                            OptimiserUpdates);
  }
}

// Adam's first step makes whole steps of gradients that are hardly more than their rounding.
TEST(NetworkTest, AdamFollowsAScheduleBehindAClip) {
  for (const char* optimiser : {"adam(eps=1/100000)", "adamw(eps=1/100000)"}) {
    SCOPED_TRACE(optimiser);
    ExpectTrainsLikeDoubles(
        ConvNetWith(optimiser, "1/1024 x 2, 1/2048 x 1, 0 x 1, 1/8192", "clip norm(limit=1/2)\n"),
        6, 2e-3, OptimiserUpdates);
  }
}

// Of each number a few cells.
TEST(NetworkTest, ChangedCellsAreRefused) {
  const Training t = Prepared(ConvNetWith("sgd(momentum=9/10)", "1/32", "clip norm(limit=1/2)\n"));
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    EXPECT_GT(circuit::ExpectEveryChangeIsRefused(
                  t.lowered.circuit, step.values,
                  [](circuit::ValueId, std::size_t cell) { return cell % 61 != 0; }),
              1000U);
    return OkStatus();
  });
  EXPECT_TRUE(end.ok());
}

}  // namespace
}  // namespace flair::program
