// A network of two layers as a circuit: what its rules compute, and what its relations refuse.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "circuit/changes_testing.h"
#include "circuit/circuit_testing.h"

namespace flair::circuit {
namespace {

using testing::HasSubstr;

TEST(CircuitTest, AStepComputesWhatItsRulesSay) {
  const Perceptron p = MakePerceptron({});
  const StepValues values = RunStep(p.circuit, RandomInputs(p, 1)).value();
  const Ints& x = values.now[p.x];
  const Ints& w = values.now[p.w1];
  const Ints& y = values.now[p.h];
  for (std::size_t b = 0; b < p.sizes.batch; ++b) {
    for (std::size_t o = 0; o < p.sizes.hidden; ++o) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < p.sizes.in; ++i) {
        const std::int64_t middle =
            2 * (w[o * p.sizes.in + i] >> kLowBits) + 1;  // of the cell, in half units
        sum += x[b * p.sizes.in + i] * middle;
      }
      const std::int64_t rounded = (sum + (1 << (kForwardShift - 1))) >> kForwardShift;
      EXPECT_EQ(y[b * p.sizes.hidden + o], rounded);
      EXPECT_EQ(values.now[p.h_positive][b * p.sizes.hidden + o], rounded > 0 ? 1 : 0);
    }
  }
  EXPECT_NE(values.next[p.w1], values.now[p.w1]);
  EXPECT_EQ(Judge(p.circuit, LimbsOf(p.circuit, values), values.now), "");
}

TEST(CircuitTest, EveryChangedCellIsRefused) {
  const Perceptron p = MakePerceptron({});
  const StepValues values = RunStep(p.circuit, RandomInputs(p, 2)).value();
  EXPECT_GT(ExpectEveryChangeIsRefused(p.circuit, values), 500U);
}

TEST(CircuitTest, AValueOutOfRangeNamesTensorCellAndProfileLine) {
  const Perceptron p = MakePerceptron({.activation_bits = 7});
  const auto run = RunStep(p.circuit, RandomInputs(p, 3));
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.error().message(), HasSubstr("'h' is "));
  EXPECT_THAT(run.error().hint(), HasSubstr("'activation'"));
}

TEST(CircuitTest, SumsThatMayPassTheFieldAreRefused) {
  Builder b;
  const AxisId i = b.AddAxis("i", 1 << 20);
  const ValueId x = b.AddData("x", {i}, Signed(30, 15, "data"), 0);
  b.AddForm("energy", {}, {.terms = {{.coefficient = 1, .factors = {b.At(x), b.At(x)}}}});
  const auto made = std::move(b).Finish();
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message(), HasSubstr("'energy': the sum of its terms can pass 2^62"));
}

// Their factors' sizes would be multiplied beyond any integer.
TEST(CircuitTest, TermsTimesZeroAreLeftOut) {
  Builder b;
  const AxisId i = b.AddAxis("i", 3);
  const ValueId x = b.AddData("x", {i}, Signed(60, 20, "data"), 0);
  const ValueId rate = b.AddPublic("rate", {}, 0, std::int64_t{1} << 60);
  const ValueId form = b.AddForm(
      "nothing", {i},
      {.terms = {{.coefficient = 0, .factors = {b.At(x), b.At(x), b.At(rate)}, .windows = {}}},
       .constant = 5});
  EXPECT_TRUE(b[form].form.terms.empty());
  EXPECT_EQ(b[form].hi, 5);
  EXPECT_TRUE(std::move(b).Finish().ok());
}

TEST(CircuitTest, ALimbThatNoTableBoundsIsRefused) {
  Builder b;
  const AxisId i = b.AddAxis("i", 3);
  const ValueId x = b.AddData("x", {i}, Signed(8, 4, "data"), 0);
  const ValueId free =
      b.AddNumber("free", {i}, Unsigned(8, 4, ""),
                  {.kind = RuleKind::kPositive, .inputs = {b.At(x)}, .parameters = {}}, false);
  b.AddLookup({.table = b.Range(4), .v = {free, 0}});
  const auto made = std::move(b).Finish();
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message(), HasSubstr("'free': limb 1 is in no lookup"));
}

TEST(CircuitTest, ACompanionOfOtherAxesIsRefused) {
  for (const bool is_turned : {false, true}) {
    Builder b;
    const AxisId i = b.AddAxis("i", 3);
    const AxisId j = b.AddAxis("j", 5);
    const ValueId v = b.AddData("v", {i, j}, Signed(4, 4, "data"), 0);
    const ValueId sign = b.AddNumber(
        "sign", is_turned ? std::vector<AxisId>{j, i} : std::vector<AxisId>{i, j},
        Unsigned(1, 1, ""), {.kind = RuleKind::kPositive, .inputs = {b.At(v)}, .parameters = {}});
    b.AddLookup({.table = b.Sign(4), .v = {v, 0}, .c1 = LimbRef{sign, 0}});
    const auto made = std::move(b).Finish();
    ASSERT_EQ(made.ok(), !is_turned);
    if (is_turned) {
      EXPECT_THAT(made.error().message(), HasSubstr("'sign': a companion of 'v' with other axes"));
    }
  }
}

// A proof takes forms apart by their factors' axes: what it could not is refused.
TEST(CircuitTest, FormsThatCannotBeTakenApartAreRefused) {
  struct Made {
    Builder b;
    AxisId i, j, k, m;
    ValueId x, y, rate;
  };
  const auto form = [](Made& made, Term term) {
    made.b.AddForm("f", {}, {.terms = {std::move(term)}});
  };
  const struct {
    const char* message;
    std::function<void(Made&)> misuse;
  } kCases[] = {
      {"an axis of size 0", [](Made& m) { m.b.AddAxis("none", 0); }},
      {"an axis in two windows",
       [&](Made& m) {
         form(m, {.factors = {m.b.At(m.x)},
                  .windows = {{.out = m.i, .kernel = m.k, .in = m.m},
                              {.out = m.j, .kernel = m.k, .in = m.b.AddAxis("in", 9)}}});
       }},
      {"a public value along a window",
       [&](Made& m) {
         form(m, {.factors = {m.b.At(m.x), m.b.At(m.rate)},
                  .windows = {{.out = m.i, .kernel = m.k, .in = m.m}}});
       }},
      {"a window between three axes of factors",
       [&](Made& m) {
         form(m, {.factors = {m.b.At(m.x), m.b.At(m.y)},
                  .windows = {{.out = m.i, .kernel = m.k, .in = m.j}}});
       }},
      {"a window without stride or dilation",
       [&](Made& m) {
         form(m, {.factors = {m.b.At(m.x)},
                  .windows = {{.out = m.i, .kernel = m.k, .in = m.m, .stride = 0}}});
       }},
      {"a public value along an axis of its own",
       [&](Made& m) {
         Read rate = m.b.At(m.rate);
         rate.axes = {m.m};
         form(m, {.factors = {m.b.At(m.x), rate}, .windows = {}});
       }},
      {"reads a value that comes later",
       [&](Made& m) { form(m, {.factors = {Read{.value = 99, .axes = {}}}, .windows = {}}); }},
      {"reads 'x' with other axes",
       [&](Made& m) { form(m, {.factors = {Read{.value = m.x, .axes = {m.i}}}, .windows = {}}); }},
      {"reads 'x' with axes of other sizes",
       [&](Made& m) {
         form(m, {.factors = {Read{.value = m.x, .axes = {m.i, m.k}}}, .windows = {}});
       }},
      {"reads 'x' along a diagonal",
       [&](Made& m) {
         form(m, {.factors = {Read{.value = m.x, .axes = {m.i, m.i}}}, .windows = {}});
       }},
      {"no state has a next value",
       [&](Made& m) {
         Read next = m.b.At(m.x);
         next.moment = Moment::kNext;
         form(m, {.factors = {next}, .windows = {}});
       }},
      {"a term has one or two factors that are not public",
       [&](Made& m) {
         form(m, {.factors = {m.b.At(m.x), m.b.At(m.x), m.b.At(m.x)}, .windows = {}});
       }},
      {"a number has 1 to 61 bits, a limb 1 to 24",
       [](Made& m) { m.b.AddState("wide", {}, Unsigned(62, 20, ""), Carried::Role::kState); }},
      {"a tie zone of 6 bits leaves more than one limb above it",
       [](Made& m) { m.b.DivideSigned("y", m.x, 1, Signed(20, 8, ""), 6); }},
      // Of two terms each is below 2^62; of one a factor of no size comes last.
      {"can pass 2^62",
       [](Made& m) {
         const Term term{.coefficient = std::int64_t{1} << 54, .factors = {m.b.At(m.y)}};
         m.b.AddForm("f", {m.k}, {.terms = {term, term}});
       }},
      {"can pass 2^62",
       [&](Made& m) {
         const ValueId none = m.b.AddPublic("none", {}, 0, 0);
         form(m, {.coefficient = std::int64_t{1} << 60,
                  .factors = {m.b.At(m.y), m.b.At(none)},
                  .windows = {}});
       }},
  };
  for (const auto& wrong : kCases) {
    Made made;
    made.i = made.b.AddAxis("i", 3);
    made.j = made.b.AddAxis("j", 3);
    made.k = made.b.AddAxis("k", 2);
    made.m = made.b.AddAxis("m", 3);
    made.x = made.b.AddData("x", {made.i, made.j}, Signed(8, 8, ""), 0);
    made.y = made.b.AddData("y", {made.k}, Signed(8, 8, ""), 0);
    made.rate = made.b.AddPublic("rate", {made.i}, 0, 1);
    wrong.misuse(made);
    EXPECT_THAT(std::move(made.b).Finish().error().message(), HasSubstr(wrong.message));
  }
}

// Convolution in both directions against plain loops.
TEST(CircuitTest, WindowsConvolveBothWays) {
  const std::uint64_t size = 7, kernel = 3, stride = 2, pad = 1, dilation = 1;
  const std::uint64_t out_size = (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  std::vector<Axis> axes = {{"in", size}, {"kernel", kernel}, {"out", out_size}, {"row", 2}};
  const Window window{
      .out = 2, .kernel = 1, .in = 0, .stride = stride, .dilation = dilation, .offset = -1};
  std::mt19937_64 random(5);
  const auto fill = [&](std::size_t n) {
    Ints v(n);
    for (auto& e : v) e = static_cast<std::int64_t>(random() % 19) - 9;
    return v;
  };
  const Ints x = fill(2 * size), w = fill(kernel), dz = fill(2 * out_size);
  Ints forward(2 * out_size), data_gradient(2 * size), weight_gradient(kernel);
  AddTerm(axes, {3, 2},
          {.coefficient = 1, .factors = {{.axes = {3, 0}}, {.axes = {1}}}, .windows = {window}},
          {x, w}, forward);
  AddTerm(axes, {3, 0},
          {.coefficient = 1, .factors = {{.axes = {3, 2}}, {.axes = {1}}}, .windows = {window}},
          {dz, w}, data_gradient);
  AddTerm(axes, {1},
          {.coefficient = 3, .factors = {{.axes = {3, 2}}, {.axes = {3, 0}}}, .windows = {window}},
          {dz, x}, weight_gradient);
  Ints z(2 * out_size), dx(2 * size), dw(kernel);
  for (std::uint64_t r = 0; r < 2; ++r) {
    for (std::uint64_t o = 0; o < out_size; ++o) {
      for (std::uint64_t k = 0; k < kernel; ++k) {
        const std::uint64_t at = stride * o + dilation * k;
        if (at < pad || at - pad >= size) continue;
        z[r * out_size + o] += x[r * size + at - pad] * w[k];
        dx[r * size + at - pad] += dz[r * out_size + o] * w[k];
        dw[k] += 3 * dz[r * out_size + o] * x[r * size + at - pad];
      }
    }
  }
  EXPECT_EQ(forward, z);
  EXPECT_EQ(data_gradient, dx);
  EXPECT_EQ(weight_gradient, dw);
}

}  // namespace
}  // namespace flair::circuit
