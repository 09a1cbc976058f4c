// Every way to compute a term against the loops that define it.
// SPDX-License-Identifier: Apache-2.0
#include "circuit/product.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "circuit/contract.h"

namespace flair::circuit {
namespace {

struct Case {
  std::string name;
  std::vector<Axis> axes;
  std::vector<AxisId> out;
  Term term;

  std::uint64_t SizeOf(const std::vector<AxisId>& of) const {
    std::uint64_t size = 1;
    for (const AxisId axis : of) size *= axes[axis].size;
    return size;
  }
};

// Axes of a convolution of `channels` to `wide`, and of what surrounds it.
enum : AxisId { kBatch, kChannel, kWide, kInY, kInX, kKernelY, kKernelX, kOutY, kOutX };

std::vector<Case> Convolutions(const std::string& name, std::uint64_t batch, std::uint64_t channels,
                               std::uint64_t wide, std::uint64_t size, std::uint64_t kernel,
                               std::uint64_t stride, std::uint64_t dilation, std::uint64_t pad) {
  const std::uint64_t out = (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  const std::vector<Axis> axes = {{"n", batch},   {"c", channels}, {"o", wide},
                                  {"y", size},    {"x", size + 1}, {"ky", kernel},
                                  {"kx", kernel}, {"oy", out},     {"ox", out}};
  std::vector<Window> windows;
  for (AxisId i = 0; i < 2; ++i) {
    windows.push_back({.out = kOutY + i,
                       .kernel = kKernelY + i,
                       .in = kInY + i,
                       .stride = stride,
                       .dilation = dilation,
                       .offset = -static_cast<std::int64_t>(pad)});
  }
  const std::vector<AxisId> x = {kBatch, kChannel, kInY, kInX};
  const std::vector<AxisId> w = {kWide, kChannel, kKernelY, kKernelX};
  const std::vector<AxisId> z = {kBatch, kWide, kOutY, kOutX};
  const auto term = [&](std::int64_t c, const std::vector<AxisId>& a,
                        const std::vector<AxisId>& b) {
    return Term{.coefficient = c, .factors = {{.axes = a}, {.axes = b}}, .windows = windows};
  };
  return {{name + ", forward", axes, z, term(1, x, w)},
          {name + ", data gradient", axes, x, term(-3, z, w)},
          {name + ", weight gradient", axes, w, term(5, x, z)},
          {name + ", channel by channel",
           axes,
           {kBatch, kChannel, kOutY, kOutX},
           term(2, x, {kChannel, kKernelY, kKernelX})}};
}

// Matrices: a list of axes for the result and each factor, of sizes 7, 9, 33, 5.
Case Matrices(const std::string& name, const std::vector<AxisId>& out,
              const std::vector<std::vector<AxisId>>& factors, std::int64_t coefficient) {
  Case made{name, {{"i", 7}, {"j", 9}, {"k", 33}, {"b", 5}}, out, {.coefficient = coefficient}};
  for (const auto& axes : factors) made.term.factors.push_back({.axes = axes});
  return made;
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {
      Matrices("matrix product", {0, 1}, {{0, 2}, {1, 2}}, 1),
      Matrices("matrix product, result turned", {1, 0}, {{0, 2}, {1, 2}}, -1),
      Matrices("matrix product, factors turned", {0, 1}, {{2, 1}, {2, 0}}, 4),
      Matrices("matrix products of a batch", {3, 0, 1}, {{3, 0, 2}, {1, 3, 2}}, 1),
      Matrices("batch summed", {0, 1}, {{3, 0, 2}, {3, 1, 2}}, 1),
      Matrices("an axis of the result alone", {0, 1, 3}, {{0, 2}, {1, 2}}, 1),
      Matrices("an axis of one factor alone", {0, 1}, {{0, 2, 3}, {1, 2}}, 1),
      Matrices("outer product", {0, 1, 2}, {{0, 2}, {1}}, 1),
      Matrices("element by element", {3, 2}, {{3, 2}, {2, 3}}, 7),
      Matrices("one factor", {3, 2}, {{2}}, -2),
      Matrices("one factor, summed", {1}, {{2, 1, 0}}, 3),
      Matrices("everything summed", {}, {{2, 1}, {2, 1}}, 1),
      Matrices("three factors", {0, 1}, {{0, 2}, {1, 2}, {2}}, 1),
      Matrices("a scalar and two factors", {0, 1}, {{}, {0, 2}, {1, 2}}, 3),
      Matrices("two scalars and a factor", {0, 1}, {{}, {0, 1}, {}}, 2),
      Matrices("scalars alone", {0, 1}, {{}, {}}, 2),
  };
  Case large{"one loop for threads", {{"i", 300}, {"j", 500}}, {0, 1}, {}};
  large.term = {.coefficient = 3, .factors = {{.axes = {0, 1}}}, .windows = {}};
  cases.push_back(large);
  Case blocks{"many blocks", {{"i", 140}, {"j", 270}, {"k", 200}}, {0, 1}, {}};
  blocks.term = {.coefficient = 1, .factors = {{.axes = {0, 2}}, {.axes = {2, 1}}}, .windows = {}};
  cases.push_back(blocks);
  const auto add = [&](std::vector<Case> more) {
    for (Case& c : more) cases.push_back(std::move(c));
  };
  add(Convolutions("3x3", 3, 5, 6, 11, 3, 1, 1, 1));
  add(Convolutions("3x3 of stride 2", 2, 4, 9, 12, 3, 2, 1, 1));
  add(Convolutions("2x2, dilated", 2, 8, 4, 9, 2, 1, 3, 0));
  add(Convolutions("5x5 of a wide picture", 2, 2, 5, 19, 5, 1, 1, 2));
  add(Convolutions("3x3 of many channels", 2, 40, 150, 6, 3, 1, 1, 1));
  add(Convolutions("1x1", 4, 9, 8, 5, 1, 1, 1, 0));
  return cases;
}

// Cells of so many bits, with a sign.
Ints Cells(std::uint64_t n, unsigned bits, std::mt19937_64& random) {
  Ints cells(n);
  for (auto& v : cells) {
    v = static_cast<std::int64_t>(random() >> (64 - bits)) - (std::int64_t{1} << (bits - 1));
  }
  return cells;
}

class ProductTest : public testing::Test {
 protected:
  void Fill(const Case& c, std::vector<unsigned> bits, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    cells_.clear();
    for (std::size_t f = 0; f < c.term.factors.size(); ++f) {
      cells_.push_back(Cells(c.SizeOf(c.term.factors[f].axes), bits[f % bits.size()], random));
    }
    factors_.assign(cells_.begin(), cells_.end());
    out_ = Cells(c.SizeOf(c.out), 20, random);
  }
  std::vector<Ints> cells_;
  std::vector<std::span<const std::int64_t>> factors_;
  Ints out_;
};

// Exact in doubles by whole blocks, by short ones, on their very edge, and in integers alone.
const std::vector<unsigned> kBits[] = {{8, 12}, {24, 24}, {20, 30}, {24, 27}, {26, 26}};

TEST_F(ProductTest, TermsAreWhatTheirLoopsSay) {
  for (const Case& c : Cases()) {
    for (const auto& bits : kBits) {
      Fill(c, c.term.factors.size() > 2 ? kBits[0] : bits, 11);
      Ints expected = out_;
      AddTermByLoops(c.axes, c.out, c.term, factors_, expected);
      AddTerm(c.axes, c.out, c.term, factors_, out_);
      EXPECT_EQ(out_, expected) << c.name << ", " << bits[0] << " and " << bits[1] << " bits";
    }
  }
}

// Whether it pays or not, with the instructions of every machine.
TEST_F(ProductTest, BlocksAreWhatTheirLoopsSay) {
  for (const Case& c : Cases()) {
    if (c.term.factors.size() != 2) continue;
    const Nest nest = NestOf(c.axes, c.out, c.term);
    for (const ProductKernels* kernels : AllProductKernels()) {
      for (const auto& bits : kBits) {
        Fill(c, bits, 12);
        Ints expected = out_;
        AddTermByLoops(c.axes, c.out, c.term, factors_, expected);
        Product(nest, *kernels).AddTo(factors_[0], factors_[1], out_);
        EXPECT_EQ(out_, expected) << c.name << ", " << kernels->name << ", " << bits[0] << " and "
                                  << bits[1] << " bits";
      }
    }
  }
}

// Sums that a double does not hold: 2^53 + 1 and beyond.
TEST_F(ProductTest, NoSumIsRounded) {
  Case c = Matrices("edge", {0, 1}, {{0, 2}, {1, 2}}, 1);
  for (const std::int64_t largest : {(std::int64_t{1} << 26) + 1, std::int64_t{1} << 26,
                                     (std::int64_t{1} << 24) + 1, std::int64_t{94906267}}) {
    const Ints a(7 * 33, -largest);
    const Ints b(9 * 33, largest);
    Ints expected(7 * 9);
    Ints out(7 * 9);
    AddTermByLoops(c.axes, c.out, c.term, {a, b}, expected);
    Product(NestOf(c.axes, c.out, c.term)).AddTo(a, b, out);
    EXPECT_EQ(out, expected) << largest;
  }
}

// What convolutions and linear layers are is known to be products.
TEST_F(ProductTest, LayersPay) {
  std::size_t pay = 0;
  for (const Case& c : Convolutions("", 16, 64, 128, 16, 3, 1, 1, 1)) {
    pay += Product::Pays(NestOf(c.axes, c.out, c.term)) ? 1 : 0;
  }
  EXPECT_EQ(pay, 3U);  // all but channel by channel
}

// "By loops" itself, against the plainest sum.
TEST_F(ProductTest, LoopsAreSums) {
  const Case c = Matrices("", {3, 0, 1}, {{3, 0, 2}, {1, 3, 2}}, 3);
  Fill(c, {8, 12}, 13);
  Ints expected = out_;
  for (std::size_t b = 0; b < 5; ++b) {
    for (std::size_t i = 0; i < 7; ++i) {
      for (std::size_t j = 0; j < 9; ++j) {
        for (std::size_t k = 0; k < 33; ++k) {
          expected[(b * 7 + i) * 9 + j] +=
              3 * cells_[0][(b * 7 + i) * 33 + k] * cells_[1][(j * 5 + b) * 33 + k];
        }
      }
    }
  }
  AddTermByLoops(c.axes, c.out, c.term, factors_, out_);
  EXPECT_EQ(out_, expected);
}

}  // namespace
}  // namespace flair::circuit
