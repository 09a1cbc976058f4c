// Gauge tensors: found by their pattern, and nothing that only looks like it.
// SPDX-License-Identifier: Apache-2.0
#include "program/gauge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "program/lower_testing.h"

namespace flair::program {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Images x[4, 2, 4, 4] to n, whatever `nodes` say, and three channels of it to a loss.
std::string Images(const std::string& nodes, const std::string& leaves = "param c [3]",
                   const std::string& buffers = "",
                   const std::string& loss = "l = cross_entropy(z, y)") {
  return "flair program 1\nbatch 4\ndata x [2, 4, 4] bits 8 scale 4\nlabel y classes 2\n"
         "param k [3, 2, 3, 3]\n" +
         leaves + "\nparam g [3]\nparam b [3]\nparam f [2, 3]\nbuffer m [3]\nbuffer v [3]\n" +
         buffers + nodes +
         "\nr = relu(n)\nq = reduce(r, axes=[2, 3], by=mean)\nz = linear(q, f)\n" + loss +
         "\nloss l\noptimiser adam()\nschedule 1/1024\nprofile gradient 24 23\n";
}

// Rows x[6, 5] to n[6, 3].
std::string Rows(const std::string& nodes, const std::string& leaves) {
  return "flair program 1\nbatch 6\ndata x [5] bits 8 scale 4\nlabel y classes 2\n"
         "param k [3, 5]\n" +
         leaves + "\nparam g [3]\nparam b [3]\nparam f [2, 3]\nbuffer m [3]\nbuffer v [3]\n" +
         nodes +
         "\nr = mul(n, n)\nz = linear(r, f)\nl = cross_entropy(z, y)\nloss l\n"
         "optimiser adam()\nschedule 1/1024\nprofile gradient 24 23\n";
}

constexpr const char* kMore = "buffer m1 [3]\nbuffer v1 [3]\n";
constexpr const char* kNorm = "\nn = batch_norm(h, g, b, m, v)";

std::vector<std::string> Found(const std::string& text) {
  const Program program = Parsed(text);
  const auto step = StepGraphOf(program);
  EXPECT_TRUE(step.ok()) << text;
  if (!step.ok()) return {};
  std::vector<std::string> names;
  for (const GaugeTensor& gauge : GaugeTensorsOf(step->graph)) {
    names.push_back(step->program.parameters[gauge.parameter].name);
  }
  return names;
}

// The norm of a parameter's gradient in doubles.
double GradientOf(const std::string& parameter, const std::string& text) {
  Training t = Prepared(text);
  t.run.steps = 1;
  double norm = 0;
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    const std::vector<Reals> gradients = RealGradients(t, step);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (t.program.parameters[i].name == parameter) norm = Norm(gradients[i]);
    }
    return OkStatus();
  });
  EXPECT_TRUE(end.ok()) << end.error().message();
  return norm;
}

TEST(GaugeTest, BiasesStraightBeforeANormAreFound) {
  const std::string conv = "h = conv(x, k, c)" + std::string(kNorm);
  const std::string product = "p = conv(x, k)\n";
  const std::string texts[] = {
      Images(conv),
      Images(product + "h = add(p, c)" + kNorm, "param c [3, 1, 1]"),
      Images(product + "h = add(c, p, beta=1/2)" + kNorm, "param c [1, 3, 1, 1]"),
      Images(product + "e = reshape(c, dims=[3, 1, 1])\nh = add(p, e)" + kNorm, "param c [1, 3]"),
      Rows("h = linear(x, k, c)" + std::string(kNorm), "param c [3]"),
      Rows("p = linear(x, k)\nh = add(c, p)" + std::string(kNorm), "param c [3]"),
      Rows("p = linear(x, k)\nh = add(p, c)" + std::string(kNorm), "param c [1, 3]"),
  };
  for (const std::string& text : texts) {
    EXPECT_THAT(Found(text), ElementsAre("c")) << text;
    EXPECT_LT(GradientOf("c", text), 1e-12) << text;
    EXPECT_GT(GradientOf("b", text), 1e-3) << text;
  }
}

TEST(GaugeTest, TheMeansMomentumIsTheNorms) {
  const auto step = StepGraphOf(
      Parsed(Images("h = conv(x, k, c)\nn = batch_norm(h, g, b, m, v, momentum=1/100)")));
  ASSERT_TRUE(step.ok());
  const std::vector<GaugeTensor> found = GaugeTensorsOf(step->graph);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].parameter, 1U);
  EXPECT_EQ(found[0].momentum, (Rational{1, 100}));
  EXPECT_EQ(step->graph[found[0].norm].op, Primitive::kBatchNorm);
}

TEST(GaugeTest, EveryLayerHasItsOwn) {
  EXPECT_THAT(
      Found(Images("h1 = conv(x, k, c, pad=[1, 1, 1, 1])\nn1 = batch_norm(h1, g, b, m1, v1)\n"
                   "h = conv(n1, k2, c2)" +
                       std::string(kNorm),
                   "param c [3]\nparam k2 [3, 3, 3, 3]\nparam c2 [3]", kMore)),
      ElementsAre("c", "c2"));
}

struct NearMiss {
  const char* why;
  std::string text;
  bool has_gradient = true;  // or it is 0, and something else speaks against it
};

std::vector<NearMiss> NearMisses() {
  const std::string conv = "h = conv(x, k, c)\n", norm = "n = batch_norm(h, g, b, m, v)";
  const std::string product = "p = conv(x, k)\n", sum = "h = add(p, c)\n";
  return {
      {"the sum is read by a second node",
       Images(conv + "n1 = batch_norm(h, g, b, m, v)\nn = add(n1, h)")},
      {"the loss reads the sum, too",
       Images(conv + norm, "param c [3]", "",
              "l1 = cross_entropy(z, y)\nr2 = reduce(h, axes=[2, 3], by=mean)\n"
              "z2 = linear(r2, f)\nl2 = cross_entropy(z2, y)\nl = add(l1, l2)")},
      {"the loss reads the bias, too",
       Images(conv + norm, "param c [3]", "",
              "l1 = cross_entropy(z, y)\ns = mul(c, c)\ne = reduce(s, axes=[0], by=mean)\n"
              "l = add(l1, e)")},
      {"the norm is frozen", Images(conv + "n = batch_norm(h, g, b, m, v, mode=eval)")},
      {"a relu between", Images(conv + "a = relu(h)\nn = batch_norm(a, g, b, m, v)")},
      {"a pool between",
       Images(conv +
              "a = max_pool(h, window=[2, 2], stride=[1, 1])\nn = batch_norm(a, g, b, m, v)"),
       false},
      {"an average between",
       Images(conv +
              "a = avg_pool(h, window=[2, 2], stride=[1, 1])\nn = batch_norm(a, g, b, m, v)"),
       false},
      {"a residual between",
       Images("p = conv(x, k, c, pad=[1, 1, 1, 1])\nh = add(p, s)\n" + norm,
              "param c [3]\nparam s [3, 4, 4]"),
       false},
      {"a residual around",
       Images("h = conv(x, k, c)\na = affine(h, scale=1/2)\nn1 = batch_norm(h, g, b, m, v)\n"
              "n = add(n1, a)")},
      {"a reshape between",
       Images(conv + "a = reshape(h, dims=[4, 3, 4, 1])\nn = batch_norm(a, g, b, m, v)"), false},
      {"a reshape between that mixes channels",
       Images(conv + "a = reshape(h, dims=[12, 1, 2, 2])\nb1 = batch_norm(a, g1, b1p, m1, v1)\n"
                     "n = reshape(b1, dims=[4, 3, 2, 2])\n",
              "param c [3]\nparam g1 [1]\nparam b1p [1]", "buffer m1 [1]\nbuffer v1 [1]\n")},
      {"axes turned between",
       Images(conv + "a = permute(h, axes=[0, 1, 3, 2])\nn = batch_norm(a, g, b, m, v)"), false},
      {"along another axis",
       Images("p = conv(x, k2)\n" + sum + norm, "param c [3]\nparam k2 [3, 2, 2, 2]")},
      {"along another axis of the same size",
       Images("p = conv(x, k2)\n" + sum + norm, "param c [3, 1]\nparam k2 [3, 2, 2, 2]")},
      {"along the batch, too", Images(product + sum + norm, "param c [4, 3, 1, 1]")},
      {"one number for all channels", Images(product + sum + norm, "param c []"), false},
      {"one number for all channels, with dims", Images(product + sum + norm, "param c [1, 1, 1]"),
       false},
      {"a part of the batch",
       Images("h = concat(c, c1, c2, c3, axis=0)\n" + norm,
              "param c [1, 3, 1, 1]\nparam c1 [1, 3, 1, 1]\nparam c2 [1, 3, 1, 1]\n"
              "param c3 [1, 3, 1, 1]")},
      {"multiplied", Images(product + "h = mul(p, c)\n" + norm, "param c [3, 1, 1]")},
      {"with a factor", Images(product + "h = add(p, c, beta=1/2)\n" + norm, "param c [3, 1, 1]"),
       false},
      {"with a factor of its own",
       Images(product + "a = affine(c, scale=1/2)\nh = add(p, a)\n" + norm, "param c [3, 1, 1]"),
       false},
      {"reshaped twice",
       Images(product +
              "a = reshape(c, dims=[1, 3])\ne = reshape(a, dims=[3, 1, 1])\n"
              "h = add(p, e)\n" +
              norm),
       false},
      {"shared by two layers",
       Images("h1 = conv(x, k, c, pad=[1, 1, 1, 1])\nh2 = relu(h1)\nh = conv(h2, k2, c)\n" + norm,
              "param c [3]\nparam k2 [3, 3, 3, 3]")},
      {"shared by two norms",
       Images("h1 = conv(x, k, c, pad=[1, 1, 1, 1])\nn1 = batch_norm(h1, g, b, m1, v1)\n"
              "h = conv(n1, k2, c)\n" +
                  norm,
              "param c [3]\nparam k2 [3, 3, 3, 3]", kMore),
       false},
      {"part of the weights, too",
       Images("e = reshape(c, dims=[3, 1, 1, 1])\nw = add(k, e)\np = conv(x, w)\n" + sum + norm,
              "param c [3, 1, 1]")},
      {"a mean that never moves", Images(conv + "n = batch_norm(h, g, b, m, v, momentum=0)"),
       false},
      {"a mean that another norm reads",
       Images(conv + "n1 = batch_norm(h, g, b, m, v)\n"
                     "n = batch_norm(n1, g, b, m, v, mode=eval)"),
       false},
      {"the axis before the last of three",
       Rows("t = reshape(x, dims=[6, 1, 5])\np = matmul(t, w)\nh = add(p, c)\n"
            "a = reshape(h, dims=[6, 3])\nn = batch_norm(a, g, b, m, v)",
            "param c [3]\nparam w [6, 5, 3]"),
       false},
  };
}

TEST(GaugeTest, NearMissesAreOrdinaryTensors) {
  for (const NearMiss& miss : NearMisses()) {
    EXPECT_THAT(Found(miss.text), IsEmpty()) << miss.why << "\n" << miss.text;
  }
}

// Those that a step does not move by 0 would be free of their bounds.
TEST(GaugeTest, NearMissesHaveGradients) {
  for (const NearMiss& miss : NearMisses()) {
    if (!miss.has_gradient) continue;
    EXPECT_GT(GradientOf("c", miss.text), 1e-6) << miss.why;
  }
}

TEST(GaugeTest, WhatIsNotTrainedIsNone) {
  EXPECT_THAT(Found(Images("h2 = conv(x, k, c)\nn2 = batch_norm(h2, g, b, m1, v1)\n"
                           "h = conv(x, k)" +
                               std::string(kNorm),
                           "param c [3]", kMore)),
              IsEmpty());
}

}  // namespace
}  // namespace flair::program
