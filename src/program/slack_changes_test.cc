// Recorded steps of every optimiser, with windows, norms, a gauge tensor and signs that may be
// given: no cell of them is free. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "program/lower_testing.h"
#include "program/slack.h"

namespace flair::program {
namespace {

constexpr std::string_view kNet = R"(flair program 1
batch 2
data x [1, 4, 4] bits 8 scale 4
label y classes 2
param c.weight [2, 1, 2, 2]
param c.bias [2]
param n.weight [2]
param n.bias [2]
param f.weight [2, 8] scale 1
buffer n.mean [2]
buffer n.var [2]
c = conv(x, c.weight, c.bias, stride=[1, 1], pad=[1, 1, 1, 1])
n = batch_norm(c, n.weight, n.bias, n.mean, n.var, eps=0.001)
r = relu(n)
p = max_pool(r, window=[2, 2], stride=[2, 2])
v = flatten(p)
z = linear(v, f.weight)
l = cross_entropy(z, y)
loss l
optimiser )";

constexpr std::string_view kProfile = R"(
profile limb 16
profile activation 20 14
profile gradient 28 23
)";

class SlackChangesTest : public testing::TestWithParam<const char*> {};

TEST_P(SlackChangesTest, EveryChangeIsRefused) {
  const Training t = Prepared(std::string(kNet) + GetParam() + std::string(kProfile));
  const auto lowered = Lower(t.program, Slack{.tau = -8, .kappa = 4, .beta = 100});
  ASSERT_TRUE(lowered.ok()) << lowered.error().message();
  // The first step from zero, the second from what it left; weights a unit beside the exact ones.
  TrainingState exact = t.state;
  std::size_t changes = 0;
  for (std::uint64_t number = 0; number < 2; ++number) {
    std::map<std::string, circuit::Ints> now;
    for (std::size_t i = 0; i < exact.carried.size(); ++i) {
      const circuit::Circuit& c = t.lowered.circuit;
      now[c[c.carried[i].number].name] = exact.carried[i];
    }
    TrainingState start;
    for (const circuit::Carried& carried : lowered->circuit.carried) {
      const auto found = now.find(lowered->circuit[carried.number].name);
      start.carried.push_back(found == now.end() ? circuit::Ints{0} : found->second);
    }
    const TrainingRun run{.seed = t.run.seed, .first_step = number, .steps = 1};
    exact = Train(t.lowered, t.data, std::move(exact), run, [](const TrainingStep&) {
              return OkStatus();
            }).value();
    std::vector<circuit::Ints> weights(
        exact.carried.begin(),
        exact.carried.begin() + static_cast<std::ptrdiff_t>(t.lowered.parameters.size()));
    for (circuit::Ints& cells : weights) {
      for (std::size_t i = 0; i < cells.size(); ++i)
        cells[i] += static_cast<std::int64_t>(i % 3) - 1;
    }
    TrainingRun recorded = run;
    recorded.recorded = [&](std::uint64_t) -> Result<std::vector<circuit::Ints>> {
      return weights;
    };
    const auto end =
        Train(*lowered, t.data, std::move(start), recorded, [&](const TrainingStep& s) {
          const auto inert = [&](circuit::ValueId id, std::size_t) {
            return lowered->circuit[id].name.ends_with(".largest");  // where several are
          };
          if (number == 1) {
            changes = circuit::ExpectEveryChangeIsRefused(lowered->circuit, s.values, inert);
          }
          return OkStatus();
        });
    ASSERT_TRUE(end.ok()) << end.error().message();
  }
  EXPECT_GT(changes, 6000U);
  EXPECT_EQ(lowered->gauges.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Optimisers, SlackChangesTest,
    testing::Values("sgd(momentum=9/10, weight_decay=1/1024)\nschedule 1/16\nclip norm(limit=1)",
                    "sgd(momentum=9/10, nesterov=yes, rule=keras)\nschedule 1/16",
                    "adamw(weight_decay=1/100)\nschedule 1/1024"));

}  // namespace
}  // namespace flair::program
