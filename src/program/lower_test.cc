// Programs as circuits: which numbers they have, and what is refused. What a step computes is
// train_test.cc's.
// SPDX-License-Identifier: Apache-2.0
#include "program/lower.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "program/program_testing.h"

namespace flair::program {
namespace {

TEST(LowerTest, OneProgramIsOneCircuit) {
  const auto a = Lower(Parsed(kMlp)), b = Lower(Parsed(kMlp));
  ASSERT_TRUE(a.ok() && b.ok());
  ASSERT_EQ(a->circuit.values.size(), b->circuit.values.size());
  for (std::size_t i = 0; i < a->circuit.values.size(); ++i) {
    EXPECT_EQ(a->circuit.values[i].name, b->circuit.values[i].name);
  }
}

// The bill of protocol.md: a linear output with relu costs y, b, r, dz, r'; a logit d, e, h, p,
// onehot and two remainders; a weight its state and one remainder.
TEST(LowerTest, APerceptronHasTheNumbersOfTheDesign) {
  const auto lowered = Lower(Parsed(kMlp));
  ASSERT_TRUE(lowered.ok());
  // The bias of the last layer needs no remainder: 1/8 of 1/8 of 2^-24 is the unit of a weight.
  std::map<std::string, int> numbers;
  for (const circuit::Value& value : lowered->circuit.values) {
    if (value.kind == circuit::Value::Kind::kNumber) ++numbers[value.name];
  }
  const std::map<std::string, int> expected = {
      {"x", 1},
      {"y", 1},
      {"y.onehot", 1},
      {"fc1.weight", 1},
      {"fc1.weight.remainder", 1},
      {"fc1.bias", 1},
      {"fc1.bias.remainder", 1},
      {"fc2.weight", 1},
      {"fc2.weight.remainder", 1},
      {"fc2.bias", 1},
      {"h", 1},
      {"h.positive", 1},
      {"h.remainder", 1},
      {"z.softmax.logit.remainder", 1},
      {"z.softmax.maximum", 1},
      {"z.softmax.distance", 1},
      {"z.softmax.exponential", 1},
      {"z.softmax.largest", 1},
      {"z.softmax.reciprocal", 1},
      {"z.softmax.reciprocal.remainder", 1},
      {"z.softmax.reciprocal.gap", 1},
      {"z.softmax", 1},
      {"z.softmax.remainder", 1},
      {"grad h", 1},
      {"grad h.remainder", 1},
  };
  EXPECT_EQ(numbers, expected);
}

std::string WhyRefused(std::string text, std::string_view what, std::string_view instead) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos);
  text.replace(at, what.size(), instead);
  const auto lowered = Lower(Parsed(text));
  EXPECT_FALSE(lowered.ok());
  return lowered.ok() ? "" : lowered.error().message();
}

TEST(LowerTest, WhatHasNoCircuitIsRefusedInOneLine) {
  const std::string mlp(kMlp);
  EXPECT_EQ(WhyRefused(mlp, "1/8", "1/10"),
            "schedule: the learning rates' denominator 10 is no power of two");
  EXPECT_EQ(WhyRefused(mlp, "sgd()", "adam(eps=1)"), "optimiser: eps is not below 1");
  EXPECT_EQ(WhyRefused(mlp, "sgd()", "adam(beta2=4294967295/4294967296)"),
            "optimiser: beta2 is within 2^-30 of 1");
  EXPECT_EQ(WhyRefused(mlp, "sgd()", "adam(beta1=4294967295/4294967296)"),
            "optimiser: beta1 is within 2^-29 of 1");
  EXPECT_EQ(WhyRefused(mlp, "sgd()", "adam()"),
            "optimiser: its learning rates need fewer bits in the profile's line adam_mean, or a "
            "smaller scale in adam_update");
  EXPECT_EQ(WhyRefused(mlp, "schedule 1/8", "schedule 1/8\nclip norm(limit=1000)"),
            "clip: the limit 1000 is no norm in the profile's line clip_norm");
  EXPECT_EQ(
      WhyRefused(mlp, "schedule 1/8", "schedule 1/8\nclip norm(limit=1)\nprofile clip_norm 31 32"),
      "profile: the scale of clip_norm is 0 or more, and below that of update_gradient");
  EXPECT_EQ(WhyRefused(mlp, "sgd()", "sgd(dampening=1/10, rule=keras)"),
            "optimiser: keras' sgd has no dampening");
  EXPECT_EQ(WhyRefused(mlp, "l = cross_entropy(z, y)",
                       "c = cross_entropy(z, y)\nf = reshape(z, dims=[4, 10])\n"
                       "n = mul(f, f)\nm = reduce(n, axes=[0, 1])\nl = add(c, m)"),
            "node 'x': [8, 12] would be cut along the batch");
  EXPECT_EQ(WhyRefused(mlp, "h = linear(x",
                       "f = reshape(x, dims=[8, 3, 4])\nk = reshape(x, dims=[8, 4, 3])\n"
                       "h = linear(x"),
            "node 'x': [8, 12] and what it is reshaped to have no common factors");
}

TEST(LowerTest, NodesWithoutARelationAreRefused) {
  const auto why = [](const std::string& declared, const std::string& nodes,
                      const std::string& optimiser = "sgd()") {
    return Lower(Parsed("flair program 1\nbatch 4\ndata x [3] bits 8 scale 4\nlabel y classes 2\n"
                        "param w [2, 3]\n" +
                        declared + nodes + "loss l\noptimiser " + optimiser + "\n"))
        .error()
        .message();
  };
  const std::string rate = "\nschedule 1/1024", z = "z = linear(x, w)\n",
                    loss = "l = cross_entropy(z, y)\n";
  EXPECT_EQ(why("", "c = affine(x, scale=0, shift=1)\nr = relu(c)\nz = linear(r, w)\n" + loss,
                "sgd()" + rate),
            "node 'c': relu of a constant");
  EXPECT_EQ(why("", "v = linear(x, w)\nz = affine(v, scale=0, shift=1)\n" + loss, "sgd()" + rate),
            "node 'grad z': cross_entropy of a constant");
  EXPECT_EQ(
      why("param g [3]\nparam b [3]\nbuffer m [3]\nbuffer v [3]\n",
          "n = batch_norm(x, g, b, m, v)\no = batch_norm(n, g, b, m, v)\nz = linear(o, w)\n" + loss,
          "sgd()" + rate),
      "buffer 'm': more than one batch_norm moves it");
  EXPECT_EQ(why("", z + "c = cross_entropy(z, y)\nr = reduce(w, axes=[0, 1])\nl = add(c, r)\n",
                "sgd()" + rate),
            "node 'grad w': a gradient with a constant part");
  EXPECT_EQ(why("", z + loss, "sgd(weight_decay=2, momentum=1/2, rule=keras)" + rate),
            "optimiser: weight_decay is not below 1");
  EXPECT_EQ(why("", z + loss, "adam()" + rate + "\nprofile adam_update 32 60"),
            "optimiser: adam_update is too fine for learning rates in units of 1/1024");
  EXPECT_EQ(why("", z + loss,
                "adam(eps=999999/1000000, beta2=1048575/1048576)" + rate +
                    "\nprofile adam_gradient 31 40\nprofile adam_mean 37 50"),
            "optimiser: eps is too large");
}

TEST(LowerTest, ALongChainOfSumsIsRefusedBeforeItFillsTheMemory) {
  constexpr int kSums = 4000;
  std::string text = "flair program 1\nbatch 4\ndata x [8] bits 12 scale 8\nlabel y classes 3\n";
  for (int i = 0; i < kSums; ++i) text += "param p" + std::to_string(i) + " [8]\n";
  text += "param w [3, 8]\n";
  std::string last = "x";
  for (int i = 0; i < kSums; ++i) {
    const std::string name = "e" + std::to_string(i);
    text.append(name).append(" = add(").append(last).append(", p" + std::to_string(i) + ")\n");
    last = name;
  }
  text += "z = linear(" + last + ", w)\nl = cross_entropy(z, y)\nloss l\noptimiser sgd()\n" +
          "schedule 1/16\nprofile gradient 24 23\n";
  const auto lowered = Lower(Parsed(text));
  ASSERT_FALSE(lowered.ok());
  EXPECT_NE(lowered.error().message().find("sums of sums have too many terms"), std::string::npos);
}

// Regression: the process ended.
TEST(LowerTest, BuffersAreCutAsTheNormThatMovesThem) {
  EXPECT_TRUE(Lower(Parsed(R"(flair program 1
batch 2
data x [4] bits 9 scale 8
param f [2, 2]
param g [4]
param b [4]
buffer m [4]
buffer v [4]
r = reshape(f, dims=[4])
s = add(x, r)
n = batch_norm(s, g, b, m, v)
l = mse(n, x)
loss l
optimiser sgd()
schedule 1/32
)"))
                  .ok());
}

// Regression: refused as a diagonal.
TEST(LowerTest, ClassesMayLieAlongTheBatch) {
  EXPECT_TRUE(Lower(Parsed(R"(flair program 1
batch 3
data x [3] bits 8 scale 4
label y classes 3
param w [3, 3]
h = linear(x, w)
p = permute(h, axes=[1, 0])
l = cross_entropy(p, y)
loss l
optimiser sgd()
schedule 1/32
)"))
                  .ok());
}

// Regression: the constant was left out.
TEST(LowerTest, AConstantOfTooManyBitsIsRefused) {
  const auto lowered = Lower(Parsed(R"(flair program 1
batch 2
data x [2] bits 8 scale 4
param w [2]
m = mul(x, w)
a = affine(m, shift=1/2305843009213693951)
c = affine(a, shift=1/2305843009213693921)
l = mse(c, x)
loss l
optimiser sgd()
schedule 1/32
)"));
  ASSERT_FALSE(lowered.ok());
  EXPECT_NE(lowered.error().message().find("pass 62 bits"), std::string::npos);
}

}  // namespace
}  // namespace flair::program
