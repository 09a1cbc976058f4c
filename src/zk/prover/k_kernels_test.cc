// Every kernel against Fp2, element by element.
// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_kernels.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace flair::zk {
namespace {

constexpr std::size_t kSize = 48;

class KKernelsTest : public testing::TestWithParam<const KKernels*> {
 protected:
  const KKernels& kernels() const { return *GetParam(); }
  Fp2 Random() { return {Extreme(), Extreme()}; }
  KVector RandomVector(std::size_t size) {
    KVector v(size);
    for (std::size_t i = 0; i < size; ++i) v.span().Set(i, Random());
    return v;
  }

 private:
  // Half of them at the borders of the field and of 32 bits.
  Fp Extreme() {
    constexpr std::uint64_t kBorders[] = {0, 1, 0xFFFF'FFFF, 0x1'0000'0000, Fp::kModulus - 1};
    return random_() % 2 == 0 ? Fp(random_()) : Fp(kBorders[random_() % std::size(kBorders)]);
  }
  std::mt19937_64 random_{7};
};

INSTANTIATE_TEST_SUITE_P(All, KKernelsTest, testing::ValuesIn(AllKKernels()),
                         [](const auto& test) { return std::string(test.param->name); });

TEST_P(KKernelsTest, PairsAreTakenApartCombinedAndMixed) {
  const KVector in = RandomVector(2 * kSize);
  const KVector p0(kSize);
  const KVector p1(kSize);
  kernels().deinterleave(in.span(), p0.span(), p1.span(), kSize);
  const KVector q0 = RandomVector(kSize);
  const KVector q1 = RandomVector(kSize);
  const KVector p(kSize);
  const KVector q(kSize);
  const FractionPairs pairs{p0.span(), q0.span(), p1.span(), q1.span()};
  kernels().combine(pairs, p.span(), q.span(), kSize);
  const Fp2 mu = Random();
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(p0.at(i), in.at(2 * i));
    EXPECT_EQ(p1.at(i), in.at(2 * i + 1));
    EXPECT_EQ(p.at(i), p0.at(i) * q1.at(i) + p1.at(i) * q0.at(i));
    EXPECT_EQ(q.at(i), q0.at(i) * q1.at(i));
  }
  kernels().add_scaled(p0.span(), q0.span(), mu, kSize);
  for (std::size_t i = 0; i < kSize; ++i) EXPECT_EQ(p0.at(i), in.at(2 * i) + mu * q0.at(i));
}

TEST_P(KKernelsTest, FoldAndRound) {
  const KVector x[4] = {RandomVector(2 * kSize), RandomVector(2 * kSize), RandomVector(2 * kSize),
                        RandomVector(2 * kSize)};
  const Fp2 r = Random();
  const KVector folded(kSize);
  kernels().fold(x[0].span(), r, folded.span(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(folded.at(i), x[0].at(2 * i) + r * (x[0].at(2 * i + 1) - x[0].at(2 * i)));
  }

  const KVector eq = RandomVector(kSize);
  const KVector sums(2 * kSumLanes);
  kernels().round({x[0].span(), x[1].span(), x[2].span(), x[3].span()}, eq.span(), kSize,
                  sums.span());
  Fp2 expected[2];
  Fp2 made[2];
  for (const std::uint64_t at : {0, 2}) {
    for (std::size_t i = 0; i < kSize; ++i) {
      const auto value = [&](std::size_t table) {
        const Fp2 even = x[table].at(2 * i);
        return even + Fp2(at) * (x[table].at(2 * i + 1) - even);
      };
      expected[at / 2] += eq.at(i) * (value(0) * value(3) + value(2) * value(1));
    }
    for (std::size_t i = 0; i < kSumLanes; ++i) made[at / 2] += sums.at(at / 2 * kSumLanes + i);
    EXPECT_EQ(made[at / 2], expected[at / 2]) << at;
  }
}

TEST_P(KKernelsTest, OnesAreFractionsLikeOthers) {
  const KVector q0 = RandomVector(2 * kSize);
  const KVector q1 = RandomVector(2 * kSize);
  const KVector eq = RandomVector(kSize);
  const Fp2 mu = Random();
  const KVector one(2 * kSize);
  const KVector mixed(2 * kSize);
  for (std::size_t i = 0; i < 2 * kSize; ++i) {
    one.span().Set(i, Fp2(1));
    mixed.span().Set(i, Fp2(1) + mu * q0.at(i));
  }
  const KVector p(2 * kSize);
  const KVector q(2 * kSize);
  const KVector p_of_ones(2 * kSize);
  const KVector q_of_ones(2 * kSize);
  kernels().combine({one.span(), q0.span(), one.span(), q1.span()}, p.span(), q.span(), 2 * kSize);
  kernels().combine_ones(q0.span(), q1.span(), p_of_ones.span(), q_of_ones.span(), 2 * kSize);
  for (std::size_t i = 0; i < 2 * kSize; ++i) {
    EXPECT_EQ(p_of_ones.at(i), p.at(i));
    EXPECT_EQ(q_of_ones.at(i), q.at(i));
  }
  const KVector sums(2 * kSumLanes);
  const KVector sums_of_ones(2 * kSumLanes);
  kernels().round({mixed.span(), q0.span(), one.span(), q1.span()}, eq.span(), kSize, sums.span());
  kernels().round_of_ones(q0.span(), q1.span(), eq.span(), mu, kSize, sums_of_ones.span());
  for (const std::size_t part : {std::size_t{0}, kSumLanes}) {
    Fp2 sum;
    Fp2 of_ones;
    for (std::size_t i = 0; i < kSumLanes; ++i) {
      sum += sums.at(part + i);
      of_ones += sums_of_ones.at(part + i);
    }
    EXPECT_EQ(of_ones, sum);
  }
}

TEST_P(KKernelsTest, IntegersAreLeavesLikeOthers) {
  std::vector<std::int32_t> v(4 * kSize);
  for (std::size_t i = 0; i < v.size(); ++i) {
    constexpr std::int32_t kBorders[] = {0, 1, -1, INT32_MAX, INT32_MIN};
    v[i] = i % 3 == 0 ? kBorders[i % std::size(kBorders)]
                      : static_cast<std::int32_t>(Random().a.value() >> 33U);
  }
  const Fp2 base = Random();
  const KVector q0(2 * kSize);
  const KVector q1(2 * kSize);
  for (std::size_t i = 0; i < 2 * kSize; ++i) {
    q0.span().Set(i, base - Fp2(Fp::FromInt(v[2 * i])));
    q1.span().Set(i, base - Fp2(Fp::FromInt(v[2 * i + 1])));
  }
  const KVector p(2 * kSize);
  const KVector q(2 * kSize);
  kernels().combine_ones(q0.span(), q1.span(), p.span(), q.span(), 2 * kSize);
  const KVector made[4] = {KVector(kSize), KVector(kSize), KVector(kSize), KVector(kSize)};
  kernels().children_of_ints(
      base, v.data(), {made[0].span(), made[1].span(), made[2].span(), made[3].span()}, kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(made[0].at(i), p.at(2 * i));
    EXPECT_EQ(made[1].at(i), q.at(2 * i));
    EXPECT_EQ(made[2].at(i), p.at(2 * i + 1));
    EXPECT_EQ(made[3].at(i), q.at(2 * i + 1));
  }

  const Fp2 r = Random();
  const KVector folded[2] = {KVector(kSize), KVector(kSize)};
  const KVector folded_ints[2] = {KVector(kSize), KVector(kSize)};
  kernels().fold(q0.span(), r, folded[0].span(), kSize);
  kernels().fold(q1.span(), r, folded[1].span(), kSize);
  kernels().fold_of_ints(base, v.data(), r, folded_ints[0].span(), folded_ints[1].span(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(folded_ints[0].at(i), folded[0].at(i));
    EXPECT_EQ(folded_ints[1].at(i), folded[1].at(i));
  }

  const KVector eq = RandomVector(kSize);
  const KVector sums(4 * kSumLanes);
  kernels().round_of_ints(v.data(), eq.span(), kSize, sums.span());
  Fp2 expected[4];
  for (std::size_t i = 0; i < kSize; ++i) {
    const auto at = [&](std::size_t k, int x) {
      const Fp v0 = Fp::FromInt(v[4 * i + k]);
      return v0 + Fp::FromInt(x) * (Fp::FromInt(v[4 * i + k + 2]) - v0);
    };
    for (const int x : {0, 2}) {
      expected[x / 2] += eq.at(i) * (at(0, x) + at(1, x));
      expected[2 + x / 2] += eq.at(i) * (at(0, x) * at(1, x));
    }
  }
  for (std::size_t part = 0; part < 4; ++part) {
    Fp2 sum;
    for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(part * kSumLanes + i);
    EXPECT_EQ(sum, expected[part]) << part;
  }
}

TEST_P(KKernelsTest, ProductsOverTheBaseFieldAreThoseInK) {
  std::vector<std::uint64_t> x(2 * kSize);
  std::vector<std::uint64_t> y(2 * kSize);
  for (std::size_t i = 0; i < 2 * kSize; ++i) {
    x[i] = Random().a.value();
    y[i] = Random().a.value();
  }
  const KVector eq = RandomVector(kSize);
  const KVector sums(3 * kSumLanes);
  kernels().round_of_base_product(x.data(), y.data(), eq.span(), kSize, sums.span());
  for (std::uint64_t at = 0; at < 3; ++at) {
    Fp2 expected;
    const auto value = [&](const std::vector<std::uint64_t>& table, std::size_t i) {
      return Fp(table[2 * i]) + Fp(at) * (Fp(table[2 * i + 1]) - Fp(table[2 * i]));
    };
    for (std::size_t i = 0; i < kSize; ++i) expected += eq.at(i) * (value(x, i) * value(y, i));
    Fp2 sum;
    for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(at * kSumLanes + i);
    EXPECT_EQ(sum, expected) << at;
  }
}

TEST_P(KKernelsTest, WeightedProductsAreTheirSums) {
  const KVector x = RandomVector(2 * kSize);
  const KVector y = RandomVector(2 * kSize);
  const KVector eq = RandomVector(kSize);
  std::vector<std::uint64_t> base(kSize);
  for (std::uint64_t& v : base) v = Random().a.value();
  const auto total = [](const KVector& sums, std::size_t part) {
    Fp2 sum;
    for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(part * kSumLanes + i);
    return sum;
  };
  Fp2 of_base;
  Fp2 of_cells;
  Fp2 rounds[2];
  for (std::size_t i = 0; i < kSize; ++i) {
    of_base += x.at(i) * Fp(base[i]);
    of_cells += eq.at(i) * x.at(i) * y.at(i);
    for (const std::uint64_t at : {0, 2}) {
      const auto value = [&](const KVector& table) {
        return table.at(2 * i) + Fp2(at) * (table.at(2 * i + 1) - table.at(2 * i));
      };
      rounds[at / 2] += eq.at(i) * value(x) * value(y);
    }
  }
  const KVector sums(2 * kSumLanes);
  kernels().dot_base(x.span(), base.data(), kSize, sums.span());
  EXPECT_EQ(total(sums, 0), of_base);
  kernels().weighted_dot(x.span(), y.span(), eq.span(), kSize, sums.span());
  EXPECT_EQ(total(sums, 0), of_cells);
  kernels().weighted_round(x.span(), y.span(), eq.span(), kSize, sums.span());
  EXPECT_EQ(total(sums, 0), rounds[0]);
  EXPECT_EQ(total(sums, 1), rounds[1]);
}

TEST_P(KKernelsTest, ProductsSumsAndSteps) {
  const KVector x = RandomVector(2 * kSize);
  const KVector y = RandomVector(2 * kSize);
  const Fp2 c = Random();
  const KVector product(kSize);
  const KVector more(kSize);
  const KVector sum(kSize);
  const KVector scaled(kSize);
  const KVector even(kSize);
  const KVector step(kSize);
  const KVector dot(kSumLanes);
  kernels().multiply(x.span(), y.span(), product.span(), kSize);
  kernels().multiply(x.span(), y.span(), more.span(), kSize);
  kernels().add_product(x.span(), x.span(), more.span(), kSize);
  kernels().add(x.span(), y.span(), sum.span(), kSize);
  kernels().scale(x.span(), c, scaled.span(), kSize);
  kernels().split(x.span(), even.span(), step.span(), kSize);
  kernels().dot(x.span(), y.span(), kSize, dot.span());
  Fp2 expected;
  Fp2 made;
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(product.at(i), x.at(i) * y.at(i));
    EXPECT_EQ(more.at(i), x.at(i) * y.at(i) + x.at(i) * x.at(i));
    EXPECT_EQ(sum.at(i), x.at(i) + y.at(i));
    EXPECT_EQ(scaled.at(i), c * x.at(i));
    EXPECT_EQ(even.at(i), x.at(2 * i));
    EXPECT_EQ(step.at(i), x.at(2 * i + 1) - x.at(2 * i));
    expected += x.at(i) * y.at(i);
  }
  for (std::size_t i = 0; i < kSumLanes; ++i) made += dot.at(i);
  EXPECT_EQ(made, expected);
}

TEST_P(KKernelsTest, RoundsOfProductsAndOfTheBaseField) {
  const KVector w = RandomVector(2 * kSize);
  const KVector y = RandomVector(2 * kSize);
  const Fp2 r = Random();
  const KVector product(2 * kSumLanes);
  const KVector base(3 * kSumLanes);
  const KVector folded(kSize);
  const KVector scaled(kSize);
  kernels().round_of_product(w.span(), y.span(), kSize, product.span());
  kernels().round_of_base(w.span(), y.span().a, kSize, base.span());
  kernels().fold_base(y.span().a, r, folded.span(), kSize);
  kernels().scale(w.span(), r, scaled.span(), kSize);
  kernels().add_scaled_base(scaled.span(), r, y.span().a, kSize);
  const auto at = [](const KVector& v, std::size_t i, std::uint64_t x) {
    return v.at(2 * i) + Fp2(x) * (v.at(2 * i + 1) - v.at(2 * i));
  };
  Fp2 of_product[3];
  Fp2 of_base[3];
  for (std::size_t i = 0; i < kSize; ++i) {
    const Fp2 y0(y.at(2 * i).a);
    const Fp2 y1(y.at(2 * i + 1).a);
    for (std::uint64_t x = 0; x < 3; ++x) {
      of_product[x] += at(w, i, x) * at(y, i, x);
      of_base[x] += at(w, i, x) * (y0 + Fp2(x) * (y1 - y0));
    }
    EXPECT_EQ(folded.at(i), y0 + r * (y1 - y0));
    EXPECT_EQ(scaled.at(i), r * w.at(i) + r * Fp2(y.at(i).a));
  }
  const auto sum = [](const KVector& sums, std::size_t part) {
    Fp2 total;
    for (std::size_t i = 0; i < kSumLanes; ++i) total += sums.at(part * kSumLanes + i);
    return total;
  };
  EXPECT_EQ(sum(product, 0), of_product[0]);
  EXPECT_EQ(sum(product, 1), of_product[2]);
  for (std::size_t x = 0; x < 3; ++x) EXPECT_EQ(sum(base, x), of_base[x]);
}

TEST_P(KKernelsTest, IntegersAreSubtracted) {
  std::vector<std::int32_t> v(kSize);
  for (std::size_t i = 0; i < kSize; ++i) v[i] = static_cast<std::int32_t>(i * 123'456'789);
  v[0] = std::numeric_limits<std::int32_t>::min();
  const Fp2 base = Random();
  const Fp2 factor = Random();
  const KVector out(kSize);
  kernels().subtract_ints(base, v.data(), out.span(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(out.at(i), base - Fp2(Fp::FromInt(v[i])));
  }
  kernels().subtract_scaled_ints(out.span(), factor, v.data(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(out.at(i), base - Fp2(Fp::FromInt(v[i])) - factor * Fp::FromInt(v[i]));
  }
}

// Sums are reduced once in a while (k_arithmetic_ifma.h): what comes in between must fit.
TEST_P(KKernelsTest, LongSumsOfTheLargestElementsDoNotOverflow) {
  constexpr std::size_t kLong = 8 * 1024 + 8;
  const Fp2 largest(Fp(Fp::kModulus - 1), Fp(Fp::kModulus - 1));
  const KVector x(2 * kLong);
  for (std::size_t i = 0; i < 2 * kLong; ++i) x.span().Set(i, largest);
  const std::vector<std::uint64_t> base(2 * kLong, Fp::kModulus - 1);
  const KVector sums(3 * kSumLanes);
  const auto total = [&](std::size_t part) {
    Fp2 sum;
    for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(part * kSumLanes + i);
    return sum;
  };
  const Fp2 n(kLong);
  kernels().dot(x.span(), x.span(), kLong, sums.span());
  EXPECT_EQ(total(0), n * largest * largest);
  kernels().round_of_product(x.span(), x.span(), kLong, sums.span());
  for (const std::size_t part : {0U, 1U}) EXPECT_EQ(total(part), n * largest * largest);
  kernels().round_of_base(x.span(), base.data(), kLong, sums.span());
  for (const std::size_t part : {0U, 1U, 2U}) EXPECT_EQ(total(part), n * largest * largest.a);
  const FractionPairs pairs{x.span(), x.span(), x.span(), x.span()};
  kernels().round(pairs, x.span(), kLong, sums.span());
  for (const std::size_t part : {0U, 1U}) {
    EXPECT_EQ(total(part), n * Fp2(2) * largest * largest * largest);
  }
}

}  // namespace
}  // namespace flair::zk
