// What is said of a run's slack: of gauge tensors, which and within what.
// SPDX-License-Identifier: Apache-2.0
#include "cli/slack_text.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

#include "program/program_testing.h"

namespace flair::cli {
namespace {

program::Program Under(const std::string& optimiser, const std::string& profile = "") {
  std::string text = "flair program 1\nbatch 2\ndata x [2] bits 8 scale 4\n";
  for (int i = 0; i < 6; ++i) text += "param c" + std::to_string(i) + " [2]\n";
  return program::Parsed(text + "l = mse(x, x)\nloss l\noptimiser " + optimiser +
                         "\nschedule 1/64 x 5, 1/8\n" + profile);
}

TEST(SlackTextTest, GaugeTensorsAreNamedWithTheirBound) {
  const program::Program adam = Under("adamw()");
  EXPECT_EQ(
      GaugeText(adam, {{.parameter = 3, .momentum = {1, 10}}}),
      "c3: a bias that a norm takes away again; beside the slack, each cell within 0.25 of the "
      "exact step (twice the learning rate); a running mean moves along, and what a norm reads in "
      "inference is off by its rounding, 2.384e-06 at most");
  EXPECT_EQ(GaugeText(Under("sgd()"), {{0, {1, 10}}, {2, {1, 10}}}),
            "c0, c2: biases that a norm takes away again; within the slack, but for a tensor's own "
            "bound");
  const std::vector<program::GaugeTensor> many(53, {.parameter = 1, .momentum = {1, 1}});
  EXPECT_TRUE(GaugeText(adam, many).starts_with("c1, c1, c1, c1 and 49 more: biases"));
}

TEST(SlackTextTest, TheirBoundIsThatOfTheSlowestMean) {
  const std::vector<program::GaugeTensor> two = {{0, {1, 10}}, {5, {1, 100}}};
  // A mean that is whole numbers stays where a hundredth of a step does not reach the next one.
  EXPECT_EQ(boost::json::serialize(GaugeJson(Under("adam()", "profile statistics 30 0\n"), two)),
            R"({"tensors":["c0","c5"],"step":2.5E-1,"inference":1E2})");
  EXPECT_EQ(boost::json::serialize(GaugeJson(Under("sgd()"), two)),
            R"({"tensors":["c0","c5"],"step":null,"inference":null})");
}

}  // namespace
}  // namespace flair::cli
