// SPDX-License-Identifier: Apache-2.0
#include "tensor/elements.h"

#include <algorithm>
#include <cstring>

namespace flair {
namespace {

// Words are loaded into arrays of this many bytes, so that compilers see aligned loops of a
// known length.
constexpr std::size_t kTileBytes = 4096;

// A float is finite when its bits without the sign are at most those of the largest number.
template <typename Word>
bool AnyAbove(ByteView in, Word max_finite) {
  constexpr auto kMagnitude = static_cast<Word>(static_cast<Word>(~Word{0}) >> 1);
  Word words[kTileBytes / sizeof(Word)] = {};
  for (std::size_t at = 0; at < in.size(); at += kTileBytes) {
    const std::size_t n = std::min(kTileBytes, in.size() - at);
    std::memcpy(words, in.data() + at, n);
    unsigned found = 0;
    for (std::size_t k = 0; k < n / sizeof(Word); ++k) {
      found |= static_cast<Word>(words[k] & kMagnitude) > max_finite ? 1U : 0U;
    }
    if (found != 0) return true;
  }
  return false;
}

template <typename Word>
std::uint64_t CountWords(ByteView a, ByteView b) {
  Word x[kTileBytes / sizeof(Word)];
  Word y[kTileBytes / sizeof(Word)];
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < a.size(); at += kTileBytes) {
    const std::size_t n = std::min(kTileBytes, a.size() - at);
    std::memcpy(x, a.data() + at, n);
    std::memcpy(y, b.data() + at, n);
    std::uint32_t differ = 0;
    for (std::size_t k = 0; k < n / sizeof(Word); ++k) differ += x[k] != y[k] ? 1U : 0U;
    count += differ;
  }
  return count;
}

struct Pair {
  std::uint64_t low;
  std::uint64_t high;
};

std::uint64_t CountPairs(ByteView a, ByteView b) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < a.size(); at += sizeof(Pair)) {
    Pair x;
    Pair y;
    std::memcpy(&x, a.data() + at, sizeof(Pair));
    std::memcpy(&y, b.data() + at, sizeof(Pair));
    count += ((x.low ^ y.low) | (x.high ^ y.high)) != 0 ? 1U : 0U;
  }
  return count;
}

}  // namespace

bool HasNonFinite(DType dtype, ByteView in) {
  switch (dtype) {
    case DType::kF8E4M3:  // has no infinity
      return AnyAbove<std::uint8_t>(in, 0x7e);
    case DType::kF8E5M2:
      return AnyAbove<std::uint8_t>(in, 0x7b);
    case DType::kF16:
      return AnyAbove<std::uint16_t>(in, 0x7bff);
    case DType::kBF16:
      return AnyAbove<std::uint16_t>(in, 0x7f7f);
    case DType::kF32:
    case DType::kC64:
      return AnyAbove<std::uint32_t>(in, 0x7f7f'ffff);
    case DType::kF64:
    case DType::kC128:
      return AnyAbove<std::uint64_t>(in, 0x7fef'ffff'ffff'ffff);
    default:
      return false;
  }
}

std::uint64_t CountDifferent(ByteView a, ByteView b, std::uint64_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return CountWords<std::uint8_t>(a, b);
    case 2:
      return CountWords<std::uint16_t>(a, b);
    case 4:
      return CountWords<std::uint32_t>(a, b);
    case 8:
      return CountWords<std::uint64_t>(a, b);
    default:
      return CountPairs(a, b);
  }
}

}  // namespace flair
