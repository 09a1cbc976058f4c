// Four elements of F at a time, canonical in and out. For files compiled with -mavx2.
//
// AVX2 compares signed numbers only: with the top bit flipped the order is that of unsigned
// ones. Ranges as in fp.h and lanes_avx512.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace flair::zk {
namespace {

struct Lanes {
  using Word = __m256i;
  static constexpr std::size_t kWidth = 4;
  static constexpr std::uint64_t kP = 0xFFFF'FFFF'0000'0001;
  static constexpr std::uint64_t kEpsilon = 0xFFFF'FFFF;
  static constexpr std::uint64_t kTop = 0x8000'0000'0000'0000;

  static Word Load(const std::uint64_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void Store(std::uint64_t* p, Word v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  // Integers, negative ones as p - |v|.
  static Word LoadInts(const std::int32_t* p) {
    const __m256i wide =
        _mm256_cvtepi32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), wide);
    return _mm256_add_epi64(wide, _mm256_and_si256(negative, Broadcast(kP)));
  }
  // Of the 8 elements of a, then b: those of even and of odd index.
  static Word Even(Word a, Word b) {
    return _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(a, b), 0b11'01'10'00);
  }
  static Word Odd(Word a, Word b) {
    return _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(a, b), 0b11'01'10'00);
  }
  static Word Broadcast(std::uint64_t v) { return _mm256_set1_epi64x(static_cast<long long>(v)); }
  // All ones where a < b.
  static Word Below(Word a, Word b) {
    const Word top = Broadcast(kTop);
    return _mm256_cmpgt_epi64(_mm256_xor_si256(b, top), _mm256_xor_si256(a, top));
  }

  static Word Add(Word a, Word b) {
    // a + b = a - (p - b), plus p when that is negative.
    const Word negative = _mm256_sub_epi64(Broadcast(kP), b);
    const Word correction = _mm256_and_si256(Below(a, negative), Broadcast(kP));
    return _mm256_add_epi64(_mm256_sub_epi64(a, negative), correction);
  }
  static Word Sub(Word a, Word b) {
    const Word correction = _mm256_and_si256(Below(a, b), Broadcast(kP));
    return _mm256_add_epi64(_mm256_sub_epi64(a, b), correction);
  }
  static Word Mul(Word x, Word y) {
    const Word low_mask = Broadcast(kEpsilon);
    const Word xh = _mm256_srli_epi64(x, 32);
    const Word yh = _mm256_srli_epi64(y, 32);
    const Word ll = _mm256_mul_epu32(x, y);
    const Word lh = _mm256_mul_epu32(x, yh);
    const Word hl = _mm256_mul_epu32(xh, y);
    const Word hh = _mm256_mul_epu32(xh, yh);
    const Word t0 = _mm256_add_epi64(hl, _mm256_srli_epi64(ll, 32));
    const Word t1 = _mm256_add_epi64(lh, _mm256_and_si256(t0, low_mask));
    const Word low = _mm256_or_si256(_mm256_slli_epi64(t1, 32), _mm256_and_si256(ll, low_mask));
    const Word high = _mm256_add_epi64(_mm256_add_epi64(hh, _mm256_srli_epi64(t0, 32)),
                                       _mm256_srli_epi64(t1, 32));
    return Reduce(low, high);
  }
  // x i, i = 2^48 a root of order 4: nothing is multiplied.
  static Word MulByI(Word x) { return Reduce(_mm256_slli_epi64(x, 48), _mm256_srli_epi64(x, 16)); }
  // low + 2^64 high.
  static Word Reduce(Word low, Word high) {
    const Word low_mask = Broadcast(kEpsilon);
    const Word h = _mm256_srli_epi64(high, 32);
    const Word borrow = _mm256_and_si256(Below(low, h), low_mask);
    const Word t = _mm256_sub_epi64(_mm256_sub_epi64(low, h), borrow);
    const Word m = _mm256_mul_epu32(high, low_mask);  // its low half times epsilon
    Word r = _mm256_add_epi64(t, m);
    r = _mm256_add_epi64(r, _mm256_and_si256(Below(r, t), low_mask));
    const Word p = Broadcast(kP);
    return _mm256_sub_epi64(r, _mm256_andnot_si256(Below(r, p), p));
  }
};

}  // namespace
}  // namespace flair::zk
