// F and K: the field's laws, edges, and the vectors of reference/field.py.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "zk/field/fp.h"
#include "zk/field/fp2.h"
#include "zk/vectors_testing.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kP = Fp::kModulus;

// Values around every border that a reduction has.
std::vector<std::uint64_t> Edges() {
  std::vector<std::uint64_t> edges;
  for (const std::uint64_t base : {std::uint64_t{0}, std::uint64_t{1} << 31, std::uint64_t{1} << 32,
                                   std::uint64_t{1} << 63, kP, ~std::uint64_t{0}}) {
    for (std::uint64_t d = 0; d < 3; ++d) {
      edges.push_back(base + d);
      edges.push_back(base - d);
    }
  }
  return edges;
}

Fp Slow(std::uint64_t a, std::uint64_t b) {
  return Fp(static_cast<std::uint64_t>(static_cast<Uint128>(a % kP) * (b % kP) % kP));
}

TEST(FpTest, ArithmeticIsThatOfIntegersModuloP) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values = Edges();
  for (int i = 0; i < 200; ++i) values.push_back(random());
  for (const std::uint64_t a : values) {
    for (const std::uint64_t b : values) {
      const Uint128 sum = static_cast<Uint128>(a % kP) + b % kP;
      EXPECT_EQ((Fp(a) + Fp(b)).value(), static_cast<std::uint64_t>(sum % kP));
      EXPECT_EQ(Fp(a) - Fp(b) + Fp(b), Fp(a));
      EXPECT_EQ(Fp(a) * Fp(b), Slow(a, b)) << a << " " << b;
    }
    EXPECT_LT(Fp(a).value(), kP);
    EXPECT_EQ(Fp(a) + -Fp(a), Fp());
    if (!Fp(a).is_zero()) {
      EXPECT_EQ(Fp(a) * Fp(a).Inverse(), Fp(1));
    }
  }
}

TEST(FpTest, IntegersAndSpellings) {
  EXPECT_EQ(Fp::FromInt(-1).value(), kP - 1);
  EXPECT_EQ(Fp::FromInt(INT64_MIN) + Fp(std::uint64_t{1} << 63), Fp());
  EXPECT_TRUE(Fp::FromCanonical(kP - 1).has_value());
  EXPECT_FALSE(Fp::FromCanonical(kP).has_value());
  EXPECT_FALSE(Fp::FromCanonical(~std::uint64_t{0}).has_value());
}

// The constants by what they must do, not by what they are.
TEST(FpTest, RootsOfOneHaveTheirOrder) {
  EXPECT_EQ(Fp(Fp::kGenerator).Pow((kP - 1) >> 32), Fp(Fp::kRoot32));
  for (unsigned log = 1; log <= Fp::kTwoAdicity; ++log) {
    const Fp root = RootOfUnity(log);
    EXPECT_EQ(root.Pow(std::uint64_t{1} << (log - 1)), Fp::FromInt(-1)) << log;
    EXPECT_EQ(root * root, RootOfUnity(log - 1));
  }
  // 7 generates F*: its order misses no prime of p - 1 = 2^32 * 3 * 5 * 17 * 257 * 65537.
  Uint128 product = 1;
  for (const std::uint64_t prime : {2, 3, 5, 17, 257, 65'537}) {
    EXPECT_NE(Fp(Fp::kGenerator).Pow((kP - 1) / prime), Fp(1)) << prime;
    product *= prime == 2 ? std::uint64_t{1} << 32 : prime;
  }
  EXPECT_TRUE(product == kP - 1);
}

TEST(Fp2Test, IsAFieldOverF) {
  std::mt19937_64 random(2);
  const auto draw = [&] { return Fp2(Fp(random()), Fp(random())); };
  EXPECT_EQ(Fp2(0, 1) * Fp2(0, 1), Fp2(7));
  EXPECT_EQ(Fp(7).Pow((kP - 1) / 2), Fp::FromInt(-1)) << "7 is no square";
  for (int i = 0; i < 300; ++i) {
    const Fp2 x = draw();
    const Fp2 y = draw();
    const Fp2 z = draw();
    EXPECT_EQ(x * y, y * x);
    EXPECT_EQ((x * y) * z, x * (y * z));
    EXPECT_EQ(x * (y + z), x * y + x * z);
    EXPECT_EQ(x - y + y, x);
    EXPECT_EQ(x * x.Inverse(), Fp2(1));
    EXPECT_EQ(x * y.a, x * Fp2(y.a));
    EXPECT_EQ(x.Pow(5), x * x * x * x * x);
    // Frobenius: x^p is the conjugate.
    EXPECT_EQ(x.Pow(kP), Fp2(x.a, -x.b));
  }
}

TEST(FieldVectorsTest, ReferenceProductsAndInverses) {
  const json::value vectors = ReadVectors("zk_foundation.json").at("field");
  const auto fp = [](const json::value& v) { return Fp(Word(v)); };
  for (const json::value& v : vectors.at("products").as_array()) {
    EXPECT_EQ(fp(v.at("a")) * fp(v.at("b")), fp(v.at("product")));
    EXPECT_EQ(fp(v.at("a")) + fp(v.at("b")), fp(v.at("sum")));
    EXPECT_EQ(fp(v.at("a")) - fp(v.at("b")), fp(v.at("difference")));
  }
  for (const json::value& v : vectors.at("extension").as_array()) {
    EXPECT_EQ(Ext(v.at("a")) * Ext(v.at("b")), Ext(v.at("product")));
    EXPECT_EQ(Ext(v.at("a")).Inverse(), Ext(v.at("inverse_of_a")));
  }
  for (const json::value& v : vectors.at("roots").as_array()) {
    EXPECT_EQ(RootOfUnity(static_cast<unsigned>(v.at("log").as_int64())), fp(v.at("root")));
  }
  EXPECT_GE(vectors.at("products").as_array().size(), 30U);
}

}  // namespace
}  // namespace flair::zk
