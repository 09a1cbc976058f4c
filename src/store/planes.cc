// The loops are written for the compiler's vectoriser and compiled once per
// instruction set; no intrinsics, so there is one text to be right.
// SPDX-License-Identifier: Apache-2.0
#include "store/planes.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/check.h"

namespace flair {
namespace {

static_assert(std::endian::native == std::endian::little, "planes load elements as they lie");

#define FLAIR_INLINE inline __attribute__((always_inline))

enum class Map { kPlain, kRotate, kDeltaInt, kDeltaFloat };

// The arithmetic runs in at least 32 bits; W is the working type.
template <typename U>
using Work = std::conditional_t<(sizeof(U) < 4), std::uint32_t, U>;

template <typename U>
inline constexpr U kTop = static_cast<U>(U{1} << (8 * sizeof(U) - 1));

template <typename U>
FLAIR_INLINE U Order(U x) {
  return static_cast<U>((x & kTop<U>) != 0 ? ~x : x | kTop<U>);
}
template <typename U>
FLAIR_INLINE U Disorder(U x) {
  return static_cast<U>((x & kTop<U>) != 0 ? x & static_cast<U>(~kTop<U>) : ~x);
}

template <typename U, Map M>
FLAIR_INLINE U Forward(U x, U b) {
  constexpr int kBits = 8 * sizeof(U);
  if constexpr (M == Map::kPlain) return x;
  if constexpr (M == Map::kRotate) return static_cast<U>((x << 1) | (x >> (kBits - 1)));
  if constexpr (M == Map::kDeltaFloat) {
    x = Order(x);
    b = Order(b);
  }
  const U d = static_cast<U>(x - b);
  return static_cast<U>((d << 1) ^ static_cast<U>(-static_cast<Work<U>>(d >> (kBits - 1))));
}

template <typename U, Map M>
FLAIR_INLINE U Backward(U z, U b) {
  constexpr int kBits = 8 * sizeof(U);
  if constexpr (M == Map::kPlain) return z;
  if constexpr (M == Map::kRotate) return static_cast<U>((z >> 1) | (z << (kBits - 1)));
  const U d = static_cast<U>((z >> 1) ^ static_cast<U>(-static_cast<Work<U>>(z & 1U)));
  if constexpr (M == Map::kDeltaFloat) return Disorder(static_cast<U>(Order(b) + d));
  return static_cast<U>(b + d);
}

template <typename U>
FLAIR_INLINE U LoadAt(const std::byte* p, std::size_t i) {
  U v;
  std::memcpy(&v, p + i * sizeof(U), sizeof(U));
  return v;
}

// Elements go through in pieces that stay in the first-level cache: mapped there,
// then cut into planes one plane at a time, which vectorises for every width.
constexpr std::size_t kPiece = 1024;

template <typename U, Map M>
FLAIR_INLINE void Split(const std::byte* block, const std::byte* base, std::size_t n,
                        std::byte* __restrict planes) {
  U mapped[kPiece];
  for (std::size_t at = 0; at < n; at += kPiece) {
    const std::size_t count = n - at < kPiece ? n - at : kPiece;
    const std::byte* const x = block + at * sizeof(U);
    const std::byte* const b = base + at * sizeof(U);
    for (std::size_t i = 0; i < count; ++i) {
      U from_base = 0;
      if constexpr (M == Map::kDeltaInt || M == Map::kDeltaFloat) from_base = LoadAt<U>(b, i);
      mapped[i] = Forward<U, M>(LoadAt<U>(x, i), from_base);
    }
    for (std::size_t j = 0; j < sizeof(U); ++j) {
      auto* const plane = reinterpret_cast<std::uint8_t*>(planes) + j * n + at;
      for (std::size_t i = 0; i < count; ++i) {
        plane[i] = static_cast<std::uint8_t>(mapped[i] >> (8 * j));
      }
    }
  }
}

template <typename U, Map M>
FLAIR_INLINE void Merge(const std::byte* planes, const std::byte* base, std::size_t n,
                        std::byte* __restrict block) {
  U mapped[kPiece];
  for (std::size_t at = 0; at < n; at += kPiece) {
    const std::size_t count = n - at < kPiece ? n - at : kPiece;
    for (std::size_t j = 0; j < sizeof(U); ++j) {
      const auto* const plane = reinterpret_cast<const std::uint8_t*>(planes) + j * n + at;
      if (j == 0) {
        for (std::size_t i = 0; i < count; ++i) mapped[i] = plane[i];
      } else {
        for (std::size_t i = 0; i < count; ++i) {
          mapped[i] = static_cast<U>(mapped[i] | static_cast<U>(U{plane[i]} << (8 * j)));
        }
      }
    }
    std::byte* const out = block + at * sizeof(U);
    const std::byte* const b = base + at * sizeof(U);
    for (std::size_t i = 0; i < count; ++i) {
      U from_base = 0;
      if constexpr (M == Map::kDeltaInt || M == Map::kDeltaFloat) from_base = LoadAt<U>(b, i);
      const U x = Backward<U, M>(mapped[i], from_base);
      std::memcpy(out + i * sizeof(U), &x, sizeof(U));
    }
  }
}

enum class Direction { kSplit, kMerge };

template <Direction D, typename U>
FLAIR_INLINE void RunAs(Map map, const std::byte* in, const std::byte* base, std::size_t n,
                        std::byte* out) {
  const auto run = [&]<Map M>() __attribute__((always_inline)) {
    if constexpr (D == Direction::kSplit) {
      Split<U, M>(in, base, n, out);
    } else {
      Merge<U, M>(in, base, n, out);
    }
  };
  switch (map) {
    case Map::kPlain:
      return run.template operator()<Map::kPlain>();
    case Map::kRotate:
      return run.template operator()<Map::kRotate>();
    case Map::kDeltaInt:
      return run.template operator()<Map::kDeltaInt>();
    case Map::kDeltaFloat:
      return run.template operator()<Map::kDeltaFloat>();
  }
}

template <Direction D>
FLAIR_INLINE void RunAny(Map map, std::uint8_t log2_bytes, const std::byte* in,
                         const std::byte* base, std::size_t n, std::byte* out) {
  switch (log2_bytes) {
    case 0:
      return RunAs<D, std::uint8_t>(map, in, base, n, out);
    case 1:
      return RunAs<D, std::uint16_t>(map, in, base, n, out);
    case 2:
      return RunAs<D, std::uint32_t>(map, in, base, n, out);
    default:
      return RunAs<D, std::uint64_t>(map, in, base, n, out);
  }
}

using Kernel = void (*)(Map, std::uint8_t, const std::byte*, const std::byte*, std::size_t,
                        std::byte*);

#define FLAIR_KERNELS(name, attribute)                                               \
  attribute void Split##name(Map map, std::uint8_t log2_bytes, const std::byte* in,  \
                             const std::byte* base, std::size_t n, std::byte* out) { \
    RunAny<Direction::kSplit>(map, log2_bytes, in, base, n, out);                    \
  }                                                                                  \
  attribute void Merge##name(Map map, std::uint8_t log2_bytes, const std::byte* in,  \
                             const std::byte* base, std::size_t n, std::byte* out) { \
    RunAny<Direction::kMerge>(map, log2_bytes, in, base, n, out);                    \
  }

FLAIR_KERNELS(Portable, )
#if defined(__x86_64__)
FLAIR_KERNELS(Avx2, __attribute__((target("avx2"))))
FLAIR_KERNELS(Avx512, __attribute__((target("avx2,avx512f,avx512bw,avx512vl"))))
#endif

PlaneKernels DetectKernels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return PlaneKernels::kAvx512;
  }
  if (__builtin_cpu_supports("avx2")) return PlaneKernels::kAvx2;
#endif
  return PlaneKernels::kPortable;
}

std::atomic<PlaneKernels>& Chosen() {
  static std::atomic<PlaneKernels> chosen{BestPlaneKernels()};
  return chosen;
}

Kernel Pick(Direction direction) {
  const bool split = direction == Direction::kSplit;
#if defined(__x86_64__)
  switch (Chosen().load(std::memory_order_relaxed)) {
    case PlaneKernels::kAvx512:
      return split ? SplitAvx512 : MergeAvx512;
    case PlaneKernels::kAvx2:
      return split ? SplitAvx2 : MergeAvx2;
    case PlaneKernels::kPortable:
      break;
  }
#endif
  return split ? SplitPortable : MergePortable;
}

std::size_t Elements(std::size_t bytes, ElementShape shape) { return bytes >> shape.log2_bytes; }

}  // namespace

void SplitPlanes(ByteView block, ElementShape shape, MutableByteView planes) {
  const std::size_t n = Elements(block.size(), shape);
  FLAIR_CHECK(planes.size() >= n << shape.log2_bytes);
  Pick(Direction::kSplit)(shape.is_float ? Map::kRotate : Map::kPlain, shape.log2_bytes,
                          block.data(), block.data(), n, planes.data());
}

void SplitDelta(ByteView block, ByteView base, ElementShape shape, MutableByteView planes) {
  const std::size_t n = Elements(block.size(), shape);
  FLAIR_CHECK(planes.size() >= n << shape.log2_bytes && base.size() >= block.size());
  Pick(Direction::kSplit)(shape.is_float ? Map::kDeltaFloat : Map::kDeltaInt, shape.log2_bytes,
                          block.data(), base.data(), n, planes.data());
}

void MergePlanes(ByteView planes, ElementShape shape, MutableByteView block) {
  const std::size_t n = Elements(block.size(), shape);
  FLAIR_CHECK(planes.size() >= n << shape.log2_bytes);
  Pick(Direction::kMerge)(shape.is_float ? Map::kRotate : Map::kPlain, shape.log2_bytes,
                          planes.data(), planes.data(), n, block.data());
}

void MergeDelta(ByteView planes, ByteView base, ElementShape shape, MutableByteView block) {
  const std::size_t n = Elements(block.size(), shape);
  FLAIR_CHECK(planes.size() >= n << shape.log2_bytes && base.size() >= block.size());
  Pick(Direction::kMerge)(shape.is_float ? Map::kDeltaFloat : Map::kDeltaInt, shape.log2_bytes,
                          planes.data(), base.data(), n, block.data());
}

PlaneKernels BestPlaneKernels() {
  static const PlaneKernels best = DetectKernels();
  return best;
}

void UsePlaneKernels(PlaneKernels kernels) {
  FLAIR_CHECK(kernels <= BestPlaneKernels());
  Chosen() = kernels;
}

}  // namespace flair
