// Every kernel gives the bits of Fp, on edges and on random values; the transforms are the sums.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "zk/field/fft.h"
#include "zk/field/tile.h"

namespace flair::zk {
namespace {

using Values = std::vector<std::uint64_t>;

constexpr std::uint64_t kEdges[] = {0,
                                    1,
                                    2,
                                    0xFFFF'FFFE,
                                    0xFFFF'FFFF,
                                    0x1'0000'0000,
                                    0x7FFF'FFFF'FFFF'FFFF,
                                    0x8000'0000'0000'0000,
                                    0xFFFF'FFFE'FFFF'FFFF,
                                    0xFFFF'FFFF'0000'0000};  // p - 1

// Canonical: a third of them edges.
Values Canonical(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Values values(n);
  for (std::uint64_t& v : values) {
    v = random() % 3 == 0 ? kEdges[random() % std::size(kEdges)] : Fp(random()).value();
  }
  return values;
}

class KernelTest : public testing::TestWithParam<const TileKernels*> {};

TEST_P(KernelTest, ElementwiseOperationsAreThoseOfF) {
  const TileKernels& k = *GetParam();
  const std::size_t n = 64 * kTileRows;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Values x = Canonical(n, 2 * seed);
    const Values y = Canonical(n, 2 * seed + 1);
    const std::uint64_t c = y[seed];
    Values product = x;
    Values sum = x;
    Values difference = x;
    Values scaled = x;
    Values columns = x;
    k.multiply(product.data(), y.data(), n);
    k.add(sum.data(), y.data(), n);
    k.subtract(difference.data(), y.data(), n);
    k.add_scaled(scaled.data(), y.data(), c, n);
    k.scale_columns(columns.data(), y.data(), columns.data(), n / kTileRows);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(product[i], (Fp(x[i]) * Fp(y[i])).value()) << x[i] << " * " << y[i];
      ASSERT_EQ(sum[i], (Fp(x[i]) + Fp(y[i])).value()) << x[i] << " + " << y[i];
      ASSERT_EQ(difference[i], (Fp(x[i]) - Fp(y[i])).value()) << x[i] << " - " << y[i];
      ASSERT_EQ(scaled[i], (Fp(x[i]) + Fp(y[i]) * Fp(c)).value());
      ASSERT_EQ(columns[i], (Fp(x[i]) * Fp(y[i / kTileRows])).value());
    }
  }
}

TEST_P(KernelTest, EveryPairOfEdges) {
  const TileKernels& k = *GetParam();
  for (const std::uint64_t a : kEdges) {
    for (const std::uint64_t b : kEdges) {
      Values product(kTileRows, a);
      Values sum(kTileRows, a);
      const Values y(kTileRows, b);
      k.multiply(product.data(), y.data(), kTileRows);
      k.add(sum.data(), y.data(), kTileRows);
      EXPECT_EQ(product[7], (Fp(a) * Fp(b)).value());
      EXPECT_EQ(sum[7], (Fp(a) + Fp(b)).value());
    }
  }
}

TEST_P(KernelTest, TransformsAreTheSums) {
  for (unsigned log = 0; log <= 7; ++log) {
    const Fft fft(log);
    const std::size_t n = fft.size();
    const Values x = Canonical(n * kTileRows, log);
    Values tile = x;
    fft.Forward(tile, *GetParam());
    const Fp w = RootOfUnity(log);
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t k = ReverseBits(j, log);
      for (std::size_t row = 0; row < kTileRows; ++row) {
        Fp sum;
        for (std::size_t i = 0; i < n; ++i) sum += Fp(x[i * kTileRows + row]) * w.Pow(i * k);
        ASSERT_EQ(tile[j * kTileRows + row], sum.value()) << "2^" << log << ", " << k;
      }
    }
  }
}

// Larger ones, where blocks leave the cache, against the portable kernel.
TEST_P(KernelTest, LargeTransformsAgree) {
  for (const unsigned log : {11U, 12U, 13U}) {
    const Fft fft(log);
    Values expected = Canonical(fft.size() * kTileRows, log);
    Values tile = expected;
    fft.Forward(expected, *AllKernels().front());
    fft.Forward(tile, *GetParam());
    EXPECT_EQ(tile, expected);
  }
}

TEST_P(KernelTest, ColumnsThatAreAskedForAreThoseOfTheWholeTransform) {
  for (const unsigned log : {0U, 1U, 4U, 7U, 10U, 11U}) {
    const Fft fft(log);
    const Values x = Canonical(fft.size() * kTileRows, log);
    Values expected = x;
    fft.Forward(expected, *GetParam());
    const std::uint64_t last = fft.size() - 1;
    for (const std::vector<std::uint64_t>& columns :
         {std::vector<std::uint64_t>{}, {0}, {last}, {last / 3, last / 2, last}}) {
      Values tile = x;
      fft.ForwardAt(tile, columns, *GetParam());
      for (const std::uint64_t column : columns) {
        for (std::size_t row = 0; row < kTileRows; ++row) {
          const std::size_t at = column * kTileRows + row;
          ASSERT_EQ(tile[at], expected[at]) << "2^" << log << ", " << column;
        }
      }
    }
  }
}

TEST_P(KernelTest, ScaledColumnsAreTransformedWhereTheyAre) {
  for (const unsigned log : {0U, 1U, 2U, 5U, 8U, 11U}) {
    const Fft fft(log);
    for (const std::size_t own : {std::size_t{0}, fft.size() / 5, fft.size()}) {
      const Values first = Canonical(own * kTileRows, log + 20);
      const Values columns = Canonical(fft.size() * kTileRows, log);
      const Values factors = Canonical(fft.size(), log + 40);
      Values expected = columns;
      std::copy(first.begin(), first.end(), expected.begin());
      GetParam()->scale_columns(expected.data(), factors.data(), expected.data(), fft.size());
      fft.Forward(expected, *GetParam());
      const ScaledColumns in{.first = first, .columns = columns, .factors = factors};
      Values tile(columns.size());
      fft.ForwardScaled(in, tile, *GetParam());
      EXPECT_EQ(tile, expected) << "2^" << log << ", " << own;
      const std::vector<std::uint64_t> asked = {fft.size() / 3};
      Values part(columns.size());
      fft.ForwardScaledAt(in, part, asked, *GetParam());
      for (std::size_t at = asked[0] * kTileRows; at < (asked[0] + 1) * kTileRows; ++at) {
        EXPECT_EQ(part[at], expected[at]) << "2^" << log << ", " << own;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KernelTest,
                         testing::ValuesIn(AllKernels().begin(), AllKernels().end()),
                         [](const auto& kernel) { return std::string(kernel.param->name); });

TEST(KernelsTest, TheFastestRunnableIsUsed) {
  EXPECT_EQ(AllKernels().front()->name, "portable");
  EXPECT_EQ(&Kernels(), AllKernels().back());
}

}  // namespace
}  // namespace flair::zk
