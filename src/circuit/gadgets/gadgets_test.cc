// Gadgets by themselves: what they compute, and that nothing else passes.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "circuit/changes_testing.h"
#include "circuit/circuit_testing.h"
#include "circuit/gadgets/exponential.h"
#include "circuit/gadgets/maximum.h"
#include "circuit/gadgets/root.h"
#include "circuit/gadgets/softmax.h"

namespace flair::circuit {
namespace {

Circuit Finished(Builder&& b) {
  auto made = std::move(b).Finish();
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message());
  return made.ok() ? std::move(*made) : Circuit{};
}

// A form with the cells of data.
ValueId FormOf(Builder& b, ValueId x) {
  return b.AddForm(b[x].name + ".form", b[x].axes,
                   {.terms = {{.coefficient = 1, .factors = {b.At(x)}, .windows = {}}}});
}

TEST(GadgetsTest, DivisionRoundsHalfUpByEveryDivisor) {
  for (const std::int64_t divisor : {1, 2, 3, 5, 8, 10, 125, 1000, 1024}) {
    Builder b;
    const AxisId n = b.AddAxis("n", 41);
    const ValueId x = b.AddData("x", {n}, Signed(12, 8, "data"), 0);
    const ValueId y = b.Divide("y", FormOf(b, x), divisor, Signed(13, 8, "y"));
    const Circuit c = Finished(std::move(b));
    StepInputs inputs{.cells = std::vector<Ints>(c.values.size())};
    for (std::int64_t v = -20; v <= 20; ++v) inputs.cells[x].push_back(v * 51 + (v & 1));
    const StepValues values = RunStep(c, inputs).value();
    for (std::size_t i = 0; i < inputs.cells[x].size(); ++i) {
      const double exact = static_cast<double>(inputs.cells[x][i]) / static_cast<double>(divisor);
      EXPECT_EQ(values.now[y][i], std::floor(exact + 0.5)) << inputs.cells[x][i] << "/" << divisor;
    }
    EXPECT_GT(ExpectEveryChangeIsRefused(c, values), 100U);
  }
}

// 5 y + r = x + 2 has a second solution with r < 8, which the limbs of r alone would let pass.
TEST(GadgetsTest, ARemainderAboveTheDivisorIsRefused) {
  Builder b;
  const AxisId n = b.AddAxis("n", 1);
  const ValueId x = b.AddData("x", {n}, Signed(8, 8, "data"), 0);
  const ValueId y = b.Divide("y", FormOf(b, x), 5, Signed(8, 8, "y"));
  const Circuit c = Finished(std::move(b));
  StepInputs inputs{.cells = std::vector<Ints>(c.values.size())};
  inputs.cells[x] = {24};
  StepValues values = RunStep(c, inputs).value();
  for (ValueId id = 0; id < c.values.size(); ++id) {
    if (c[id].name == "y.remainder") values.now[id][0] += 5;
    if (c[id].name == "y.gap") values.now[id][0] = 0;
  }
  values.now[y][0] -= 1;
  EXPECT_EQ(Judge(c, LimbsOf(c, values), values.now), "y.gap");
}

TEST(GadgetsTest, ExponentialsAreTheNearestIntegers) {
  for (const int scale : {14, 3, 0, 20}) {
    const std::vector<std::int32_t> e = Exponentials(16, scale, 24);
    for (std::size_t d = 0; d < e.size(); ++d) {
      const long double exact =
          16'777'215.0L * std::exp(-std::ldexp(static_cast<long double>(d), -scale));
      EXPECT_EQ(e[d], std::llroundl(exact)) << d << " of scale " << scale;
    }
  }
}

struct SoftmaxCircuit {
  Circuit circuit;
  ValueId x, p;
};

SoftmaxCircuit MakeSoftmax(std::size_t rows, std::size_t classes, std::int64_t divisor,
                           unsigned bits) {
  Builder b;
  const AxisId n = b.AddAxis("batch", rows);
  const AxisId k = b.AddAxis("class", classes);
  SoftmaxCircuit s{};
  s.x = b.AddData("x", {n, k}, Signed(18, 20, "data"), 0);
  const TableId table = AddExponentials(b, 12, 8, bits);
  s.p = Softmax(b, "p", FormOf(b, s.x), divisor, {n}, {k}, table,
                {.distance = Unsigned(12, 12, "logit"),
                 .maximum = Signed(14, 20, "activation"),
                 .probability_bits = bits,
                 .limb_bits = 20});
  s.circuit = Finished(std::move(b));
  return s;
}

TEST(GadgetsTest, SoftmaxIsCloseToTheExactOneAndUnique) {
  for (const std::int64_t divisor : {1, 16, 10}) {
    const std::size_t rows = 4, classes = 5;
    const SoftmaxCircuit s = MakeSoftmax(rows, classes, divisor, 20);
    StepInputs inputs{.cells = std::vector<Ints>(s.circuit.values.size())};
    std::mt19937_64 random(11);
    for (std::size_t i = 0; i < rows * classes; ++i) {
      inputs.cells[s.x].push_back((static_cast<std::int64_t>(random() % 1024) - 512) * divisor + 1);
    }
    // A tie in the last row: which of the two largest cells is selected is nobody's concern.
    Ints& x = inputs.cells[s.x];
    std::fill(x.end() - 5, x.end(), 7 * divisor);
    const StepValues values = RunStep(s.circuit, inputs).value();
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = 0;
      const auto of = [&](std::size_t c) {
        const double y = std::floor(
            static_cast<double>(x[r * classes + c]) / static_cast<double>(divisor) + 0.5);
        return std::exp(y / 256);
      };
      for (std::size_t c = 0; c < classes; ++c) sum += of(c);
      for (std::size_t c = 0; c < classes; ++c) {
        const auto p = static_cast<double>(values.now[s.p][r * classes + c]) / (1 << 20);
        EXPECT_NEAR(p, of(c) / sum, 1e-5) << r << " " << c;
      }
    }
    EXPECT_GT(ExpectEveryChangeIsRefused(s.circuit, values), 300U);
  }
}

TEST(GadgetsTest, ASpreadBeyondTheTableNamesTheProfileLine) {
  const SoftmaxCircuit s = MakeSoftmax(1, 2, 1, 20);
  StepInputs inputs{.cells = std::vector<Ints>(s.circuit.values.size())};
  inputs.cells[s.x] = {0, 4096};
  const auto run = RunStep(s.circuit, inputs);
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().hint(), "raise the profile's line 'logit'");
}

TEST(GadgetsTest, AShiftedMaximumIsRefused) {
  const SoftmaxCircuit s = MakeSoftmax(1, 3, 1, 20);
  StepInputs inputs{.cells = std::vector<Ints>(s.circuit.values.size())};
  inputs.cells[s.x] = {10, 20, 30};
  const auto find = [&](std::string_view name, Value::Kind kind) {
    for (ValueId id = 0; id < s.circuit.values.size(); ++id) {
      if (s.circuit[id].name == name && s.circuit[id].kind == kind) return id;
    }
    ADD_FAILURE() << name;
    return ValueId{0};
  };
  // M one higher, every distance with it, and all that follows from them: a witness that only
  // lacks a cell of distance 0.
  Circuit tampered = s.circuit;
  tampered.values[find("p.below", Value::Kind::kForm)].form.constant += 1;
  StepValues forged = RunStep(tampered, inputs).value();
  forged.now[find("p.maximum", Value::Kind::kNumber)][0] += 1;
  forged.now[find("p.largest", Value::Kind::kNumber)] = {0, 0, 0};
  EXPECT_EQ(Judge(s.circuit, LimbsOf(s.circuit, forged), forged.now), "p.largest");
}

// Windows of three over five cells, or over three and one cell of padding at either end.
struct MaximumCircuit {
  Circuit circuit;
  ValueId x, y, h, g;
};

MaximumCircuit MakeMaximum(bool padded) {
  Builder b;
  MaximumCircuit m{};
  const AxisId in = b.AddAxis("in", padded ? 3 : 5);
  const AxisId out = b.AddAxis("out", 3);
  const AxisId k = b.AddAxis("kernel", 3);
  m.x = b.AddData("x", {in}, Signed(6, 8, "data"), 0);
  const Windows windows{.rows = {out},
                        .kernel = {k},
                        .slides = {{.out = out, .kernel = k, .in = in, .offset = padded ? -1 : 0}},
                        .padded = padded};
  const Maximum made =
      AddMaximum(b, "y", b.At(m.x), 1, -32, windows, Signed(6, 4, "activation"), Sign::kUnread);
  m.y = made.value;
  m.h = made.selector;
  m.circuit = Finished(std::move(b));
  for (ValueId id = 0; id < m.circuit.values.size(); ++id) {
    if (m.circuit[id].name == "y.gap") m.g = id;
  }
  return m;
}

StepInputs InputsOf(const MaximumCircuit& m, Ints x) {
  StepInputs inputs{.cells = std::vector<Ints>(m.circuit.values.size())};
  inputs.cells[m.x] = std::move(x);
  return inputs;
}

TEST(GadgetsTest, AMaximumIsTheFirstLargestCell) {
  const MaximumCircuit m = MakeMaximum(false);
  const StepValues values = RunStep(m.circuit, InputsOf(m, {5, 9, 9, -2, -32})).value();
  EXPECT_EQ(values.now[m.y], Ints({9, 9, 9}));
  EXPECT_EQ(values.now[m.h], Ints({0, 1, 0, 1, 0, 0, 1, 0, 0}));
  EXPECT_GT(ExpectEveryChangeIsRefused(m.circuit, values), 50U);
  // The second of two largest cells: the first would be one above it.
  StepValues forged = values;
  forged.now[m.h] = {0, 0, 1, 1, 0, 0, 1, 0, 0};
  forged.now[m.g] = {3, -1, 0, 0, 0, 11, 0, 11, 41};
  EXPECT_NE(Judge(m.circuit, LimbsOf(m.circuit, forged), values.now), "");
  // Another cell, y with it: the largest has no gap.
  forged = values;
  forged.now[m.y][0] = 5;
  forged.now[m.h] = {1, 0, 0, 1, 0, 0, 1, 0, 0};
  forged.now[m.g] = {0, -4, -4, 0, 0, 11, 0, 11, 41};
  EXPECT_NE(Judge(m.circuit, LimbsOf(m.circuit, forged), values.now), "");
  // More than the largest, selected nowhere near it.
  forged = values;
  forged.now[m.y][0] = 10;
  forged.now[m.g] = values.now[m.g];
  for (std::size_t i = 0; i < 3; ++i) ++forged.now[m.g][i];
  EXPECT_EQ(Judge(m.circuit, LimbsOf(m.circuit, forged), values.now),
            "y.gap is no row of 'chosen 4'");
}

TEST(GadgetsTest, PaddingIsNeverTheLargest) {
  const MaximumCircuit m = MakeMaximum(true);
  const StepValues values = RunStep(m.circuit, InputsOf(m, {-32, -7, -9})).value();
  EXPECT_EQ(values.now[m.y], Ints({-7, -7, -7}));
  EXPECT_GT(ExpectEveryChangeIsRefused(m.circuit, values), 50U);
  // 0, chosen outside of the tensor.
  StepValues forged = values;
  forged.now[m.y][0] = 0;
  forged.now[m.h] = {1, 0, 0, 0, 1, 0, 1, 0, 0};
  forged.now[m.g] = {0, 32, 7, 24, 0, 2, 0, 2, 0};
  EXPECT_EQ(Judge(m.circuit, LimbsOf(m.circuit, forged), values.now), "y.outside");
}

TEST(GadgetsTest, RootsAndReciprocalsLieBetweenBrackets) {
  Builder b;
  const AxisId n = b.AddAxis("n", 8);
  const ValueId x = b.AddData("x", {n}, Unsigned(40, 20, "data"), 0);
  const ValueId s = Root(b, "s", x, Unsigned(20, 10, "root"));
  const ValueId q = Reciprocal(b, "q", s, std::int64_t{1} << 35, Unsigned(36, 20, "inverse"));
  const Circuit c = Finished(std::move(b));
  StepInputs inputs{.cells = std::vector<Ints>(c.values.size())};
  inputs.cells[x] = {1, 3, 4, 8, 9, 999'999, 1'000'000, (1LL << 40) - 1};
  StepValues values = RunStep(c, inputs).value();
  EXPECT_EQ(values.now[s], Ints({1, 1, 2, 2, 3, 999, 1000, (1 << 20) - 1}));
  EXPECT_EQ(values.now[q][4], (1LL << 35) / 3);
  EXPECT_GT(ExpectEveryChangeIsRefused(c, values), 200U);
  // Right sums, wrong brackets: 8 = 1^2 + 7, and a quotient that is one less.
  const auto set = [&](std::string_view name, std::size_t cell, std::int64_t v) {
    for (ValueId id = 0; id < c.values.size(); ++id) {
      if (c[id].name == name && c[id].kind == Value::Kind::kNumber) values.now[id][cell] = v;
    }
  };
  const StepValues honest = values;
  set("s", 3, 1);
  set("s.remainder", 3, 7);
  set("s.gap", 3, 2 - 7);
  set("q", 3, 1LL << 35);
  set("q.remainder", 3, 0);
  set("q.gap", 3, 0);
  EXPECT_EQ(Judge(c, LimbsOf(c, values), honest.now), "s.gap");
  values = honest;
  set("q", 4, (1LL << 35) / 3 - 1);
  set("q.remainder", 4, 2 + 3);
  set("q.gap", 4, 0);
  EXPECT_EQ(Judge(c, LimbsOf(c, values), honest.now), "q.gap");
  // The reciprocal of nothing is an error, not a value.
  inputs.cells[x][0] = 0;
  EXPECT_FALSE(RunStep(c, inputs).ok());
}

TEST(GadgetsTest, OneHotIsTheClass) {
  Builder b;
  const AxisId n = b.AddAxis("batch", 3);
  const AxisId k = b.AddAxis("class", 5);
  const ValueId label = b.AddData("label", {n}, Unsigned(3, 20, "data"), 0);
  const ValueId places = b.AddPublic("places", {k}, 0, 4);
  const ValueId bits = OneHot(b, "onehot", label, {k}, places);
  const Circuit c = Finished(std::move(b));
  StepInputs inputs{.cells = std::vector<Ints>(c.values.size())};
  inputs.cells[label] = {4, 0, 2};
  inputs.cells[places] = {0, 1, 2, 3, 4};
  const StepValues values = RunStep(c, inputs).value();
  EXPECT_EQ(values.now[bits], Ints({0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(ExpectEveryChangeIsRefused(c, values), 45U);
  LimbValues other = LimbsOf(c, values);  // still one, of another class
  std::swap(other.now[bits][0][3], other.now[bits][0][4]);
  EXPECT_NE(Judge(c, other, values.now), "");
  inputs.cells[label] = {4, 7, 2};  // no class
  const StepValues wrong = RunStep(c, inputs).value();
  EXPECT_NE(Judge(c, LimbsOf(c, wrong), wrong.now), "");
}

}  // namespace
}  // namespace flair::circuit
