// What the tests of this module share: seeded data, and short words for results.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "base/byte_source.h"
#include "store/object_store.h"

namespace flair {

inline constexpr std::size_t kMiB = 1 << 20;

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message();
    std::abort();  // nothing after it would make sense
  }
  return std::move(result).value();
}

#define EXPECT_OK(...)                                          \
  do {                                                          \
    const auto expect_ok = (__VA_ARGS__);                       \
    EXPECT_TRUE(expect_ok.ok()) << expect_ok.error().message(); \
  } while (false)

#define EXPECT_ERROR(wanted, ...)                                                                \
  do {                                                                                           \
    const auto expect_error = (__VA_ARGS__);                                                     \
    ASSERT_FALSE(expect_error.ok());                                                             \
    EXPECT_EQ(expect_error.error().code(), ErrorCode::wanted) << expect_error.error().message(); \
  } while (false)

inline Bytes Noise(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes out(bytes);
  for (std::byte& b : out) b = static_cast<std::byte>(random());
  return out;
}

// fp32 values like trained weights: normal, sigma 0.02. Sums of uniforms, because
// std::normal_distribution differs between libraries.
inline Bytes Weights(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes out(bytes);
  for (std::size_t i = 0; i + 4 <= bytes; i += 4) {
    float sum = 0;
    for (int k = 0; k < 4; ++k) sum += static_cast<float>(random() >> 40) / (1 << 24) - 0.5F;
    sum *= 0.035F;
    std::memcpy(out.data() + i, &sum, 4);
  }
  return out;
}

// A training step: every weight moves a little.
inline Bytes Trained(const Bytes& weights, std::uint64_t seed) {
  Bytes out = weights;
  const Bytes step = Weights(weights.size(), seed);
  for (std::size_t i = 0; i + 4 <= out.size(); i += 4) {
    float w;
    float d;
    std::memcpy(&w, out.data() + i, 4);
    std::memcpy(&d, step.data() + i, 4);
    w += 0.001F * d;
    std::memcpy(out.data() + i, &w, 4);
  }
  return out;
}

// 0 in every run of the tests; `./dev soak faults` counts it up with --gtest_shuffle and
// --gtest_random_seed, and the fault loops choose another batch for each.
inline std::uint64_t SoakSeed() {
  return static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed));  // random_seed() is the clock's
}

inline Result<ContentRef> Put(ObjectBatch& batch, const Bytes& bytes, PutOptions options = {}) {
  return batch.PutContent(*SourceOfBytes(bytes), options);
}

// Begins, puts one content, commits.
inline ContentRef PutOne(ObjectStore& store, const Bytes& bytes, PutOptions options = {}) {
  const auto batch = Must(store.Begin());
  const ContentRef content = Must(Put(*batch, bytes, options));
  EXPECT_OK(batch->Commit());
  return content;
}

inline Bytes ReadAll(const ObjectStore& store, const Digest& hash) {
  Bytes out(Must(store.ContentBytes(hash)));
  EXPECT_OK(store.ReadContent(hash, 0, out));
  return out;
}

inline constexpr PutOptions kFloat32{.element_bytes = 4, .is_float = true, .base = {}};

inline PutOptions DeltaTo(const Digest& base, std::uint64_t element_bytes = 4) {
  return {.element_bytes = element_bytes, .is_float = true, .base = base};
}

}  // namespace flair
