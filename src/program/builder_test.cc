// SPDX-License-Identifier: Apache-2.0
#include "program/builder.h"

#include <gtest/gtest.h>

#include "program/encoding.h"
#include "program/program_testing.h"
#include "program/schedule.h"

namespace flair::program {
namespace {

using Integers = Builder::Integers;

constexpr std::string_view kCnn = R"(flair program 1
batch 4
data image [3, 8, 8] bits 8 scale 7
label y classes 10
param c.weight [6, 3, 3, 3]
param n.weight [6] decay no
param n.bias [6] decay no
param fc.weight [10, 96] scale -2
param fc.bias [10]
buffer n.mean [6]
buffer n.variance [6]
c = conv(image, c.weight, pad=[1, 1, 1, 1])
n = batch_norm(c, n.weight, n.bias, n.mean, n.variance, eps=0.001, running_variance=biased)
r = relu(n)
p = max_pool(r)
d = dropout(p, p=1/4)
f = flatten(d)
z = linear(f, fc.weight, fc.bias)
l = cross_entropy(z, y)
loss l
optimiser adamw(weight_decay=1/20, rule=keras)
schedule 1/100 x 50, 1/200
clip norm(limit=2)
profile activation 22 16
profile c activation 24 18
profile z gradient 26 24
)";

// A linear layer whose parameters come with it, as a front end makes one.
Builder::Value Linear(Builder& b, const std::string& name, Builder::Value x,
                      const std::string& layer, std::uint64_t in, std::uint64_t out,
                      std::int8_t scale = 0) {
  const auto weight = b.AddParameter(layer + ".weight", {out, in}, scale);
  const auto bias = b.AddParameter(layer + ".bias", {out});
  return b.Add(name, OpCode::kLinear, {x, weight, bias});
}

Builder Mlp() {
  Builder b(8);
  const auto x = b.Data("x", {12}, {.bits = 16, .scale = 12});
  const auto y = b.Label("y", 5);
  const auto h = Linear(b, "h", x, "fc1", 12, 16);
  const auto a = b.Add("a", OpCode::kRelu, {h});
  const auto z = Linear(b, "z", a, "fc2", 16, 5);
  b.SetLoss(b.Add("l", OpCode::kCrossEntropy, {z, y}));
  b.SetOptimiser(OptimiserCode::kSgd);
  b.SetSchedule(*ConstantSchedule({1, 8}));
  return b;
}

TEST(BuilderTest, AnMlpIsItsText) {
  const auto p = Mlp().Finish();
  ASSERT_TRUE(p.ok()) << p.error().message();
  EXPECT_EQ(*p, Parsed(kMlp));
  EXPECT_EQ(EncodeProgram(*p), EncodeProgram(Parsed(kMlp)));
}

TEST(BuilderTest, ACnnIsItsText) {
  Builder b(4);
  const auto image = b.Data("image", {3, 8, 8}, {.bits = 8, .scale = 7});
  const auto weight = b.AddParameter("c.weight", {6, 3, 3, 3});
  const auto c = b.Add("c", OpCode::kConv, {image, weight}, {{"pad", Integers{1, 1, 1, 1}}});
  b.SetActivation(c, {.bits = 24, .scale = 18});
  const auto gamma = b.AddParameter("n.weight", {6}, 0, Builder::Decay::kNone);
  const auto beta = b.AddParameter("n.bias", {6}, 0, Builder::Decay::kNone);
  const auto mean = b.AddBuffer("n.mean", {6});
  const auto variance = b.AddBuffer("n.variance", {6});
  const auto n = b.Add("n", OpCode::kBatchNorm, {c, gamma, beta, mean, variance},
                       {{"eps", Rational{1, 1000}}, {"running_variance", "biased"}});
  const auto r = b.Add("r", OpCode::kRelu, {n});
  const auto p = b.Add("p", OpCode::kMaxPool, {r});
  const auto d = b.Add("d", OpCode::kDropout, {p}, {{"p", Rational{1, 4}}});
  const auto f = b.Add("f", OpCode::kFlatten, {d});
  const auto z = Linear(b, "z", f, "fc", 96, 10, -2);
  b.SetGradient(z, {.bits = 26, .scale = 24});
  const auto y = b.Label("y", 10);
  b.SetLoss(b.Add("l", OpCode::kCrossEntropy, {z, y}));
  b.SetOptimiser(OptimiserCode::kAdamW, {{"weight_decay", Rational{1, 20}}, {"rule", "keras"}});
  b.SetSchedule(*StepSchedule({1, 100}, {1, 2}, 50, 1));
  b.SetClip(ClipCode::kNorm, {{"limit", Rational{2, 1}}});
  b.SetProfile(ProfileLine::kActivation, {.bits = 22, .scale = 16});
  const auto program = b.Finish();
  ASSERT_TRUE(program.ok()) << program.error().message();
  EXPECT_EQ(PrintProgram(*program), PrintProgram(Parsed(kCnn)));
  EXPECT_EQ(*program, Parsed(kCnn));
}

TEST(BuilderTest, MistakesAreNamed) {
  const struct {
    const char* message;
    void (*change)(Builder& b);
  } kCases[] = {
      {"node 'u': relu has no attribute 'p'",
       [](Builder& b) {
         b.Add("u", OpCode::kRelu, {}, {{"p", Rational{1, 2}}});
       }},
      {"node 'u': dropout takes another kind of 'p'",
       [](Builder& b) {
         b.Add("u", OpCode::kDropout, {}, {{"p", 1}});
       }},
      {"node 'u': reduce takes another kind of 'by'",
       [](Builder& b) {
         b.Add("u", OpCode::kReduce, {}, {{"by", "median"}});
       }},
      {"node 'u': relu with 0 inputs", [](Builder& b) { b.Add("u", OpCode::kRelu, {}); }},
      {"node 'u': it reads a value that comes later",
       [](Builder& b) {
         Builder other = Mlp();
         b.Add("u", OpCode::kRelu, {other.Add("far", OpCode::kRelu, {})});
       }},
      {"node 'h': the name is taken",
       [](Builder& b) { b.Add("h", OpCode::kRelu, {b.Data("w", {1}, {.bits = 8, .scale = 0})}); }},
      {"column 'w': a label of no classes", [](Builder& b) { b.Label("w", 0); }},
      {"optimiser: sgd has no attribute 'beta1'",
       [](Builder& b) {
         b.SetOptimiser(OptimiserCode::kSgd, {{"beta1", Rational{1, 2}}});
       }},
      {"loss is no node", [](Builder& b) { b.SetLoss(b.AddBuffer("q", {})); }},
      {"schedule: no learning rate", [](Builder& b) { b.SetSchedule({}); }},
      {"profile 'limb': 30 bits; 8 to 24 are possible",
       [](Builder& b) { b.SetProfile(ProfileLine::kLimb, {.bits = 30, .scale = 0}); }},
  };
  for (const auto& c : kCases) {
    Builder b = Mlp();
    c.change(b);
    const auto p = b.Finish();
    ASSERT_FALSE(p.ok()) << c.message;
    EXPECT_EQ(p.error().message(), c.message);
    EXPECT_EQ(p.error().code(), ErrorCode::kInvalidArgument) << c.message;
  }
  Builder b(1);
  EXPECT_EQ(b.Finish().error().message(), "no loss");
  b.SetLoss(b.Add("l", OpCode::kReduce, {b.AddParameter("w", {})}));
  EXPECT_EQ(b.Finish().error().message(), "no optimiser");
}

}  // namespace
}  // namespace flair::program
