// SPDX-License-Identifier: Apache-2.0
#include "tensor/elements.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/hex.h"
#include "tensor/convert.h"

namespace flair {
namespace {

constexpr DType kFloats[] = {DType::kF8E4M3, DType::kF8E5M2, DType::kF16,
                             DType::kBF16,   DType::kF32,    DType::kF64};

// Every pattern of the small types; the exponents of the large ones with some mantissas.
std::vector<Bytes> Patterns(DType dtype) {
  const std::size_t bytes = DTypeBytes(dtype);
  std::vector<Bytes> patterns;
  for (std::uint64_t k = 0; k < (bytes == 1 ? 1U << 8 : 1U << 16); ++k) {
    for (const std::uint64_t low : {0, 1, -1}) {
      const std::uint64_t word = bytes <= 2 ? k : k << (8 * bytes - 16) | (low >> (80 - 8 * bytes));
      Bytes pattern;
      for (std::size_t j = 0; j < bytes; ++j) {
        pattern.push_back(static_cast<std::byte>(word >> (8 * j)));
      }
      patterns.push_back(std::move(pattern));
    }
  }
  return patterns;
}

TEST(Elements, NonFiniteIsWhatArithmeticSays) {
  for (const DType dtype : kFloats) {
    for (const Bytes& pattern : Patterns(dtype)) {
      double value = 0;
      LoadAsDouble(dtype, pattern, std::span(&value, 1));
      ASSERT_EQ(HasNonFinite(dtype, pattern), !std::isfinite(value))
          << DTypeName(dtype) << " " << ToHex(pattern);
    }
  }
}

TEST(Elements, OneNonFiniteIsFoundWhereverItStands) {
  const float bad = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(5000, -3.0e38f);
  const auto bytes = [&] { return std::as_bytes(std::span(values)); };
  EXPECT_FALSE(HasNonFinite(DType::kF32, bytes()));
  for (const std::size_t k : {0, 1, 1023, 1024, 4096, 4999}) {
    values[k] = bad;
    EXPECT_TRUE(HasNonFinite(DType::kF32, bytes())) << k;
    EXPECT_TRUE(HasNonFinite(DType::kC64, bytes())) << k;
    EXPECT_FALSE(HasNonFinite(DType::kI32, bytes()));
    values[k] = 0;
  }
  EXPECT_FALSE(HasNonFinite(DType::kF32, {}));
}

TEST(Elements, DifferencesAreCountedOnceForEachElement) {
  std::mt19937_64 random(1);
  for (const std::uint64_t w : {1, 2, 4, 8, 16}) {
    for (const std::uint64_t n : {0, 1, 3, 255, 256, 257, 5001, 70000}) {
      Bytes a(n * w);
      for (std::byte& x : a) x = static_cast<std::byte>(random());
      Bytes b = a;
      std::uint64_t expected = 0;
      for (std::uint64_t k = 0; k < n; ++k) {
        if (random() % 3 == 0) continue;
        ++expected;
        for (std::uint64_t j = random() % w; j < w; ++j) b[k * w + j] ^= std::byte{1};
      }
      EXPECT_EQ(CountDifferent(a, b, w), expected) << w << " " << n;
    }
  }
}

}  // namespace
}  // namespace flair
