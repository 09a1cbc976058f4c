// Eight elements of F at a time, canonical in and out. For files compiled with -mavx512f
// -mavx512dq.
//
// Ranges, as in fp.h: the product is lo + 2^64 (l + 2^32 h); t = lo - h, less epsilon on a
// borrow; r = t + l epsilon, plus epsilon on a carry; then one conditional subtraction of p.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace flair::zk {
namespace {

struct Lanes {
  using Word = __m512i;
  static constexpr std::size_t kWidth = 8;
  static constexpr std::uint64_t kP = 0xFFFF'FFFF'0000'0001;
  static constexpr std::uint64_t kEpsilon = 0xFFFF'FFFF;

  static Word Load(const std::uint64_t* p) { return _mm512_loadu_si512(p); }
  static void Store(std::uint64_t* p, Word v) { _mm512_storeu_si512(p, v); }
  // Integers, negative ones as p - |v|.
  static Word LoadInts(const std::int32_t* p) {
    const __m512i wide =
        _mm512_cvtepi32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_mask_add_epi64(wide, _mm512_movepi64_mask(wide), wide, Broadcast(kP));
  }
  // Of the 16 elements of a, then b: those of even and of odd index.
  static Word Even(Word a, Word b) {
    return _mm512_permutex2var_epi64(a, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), b);
  }
  static Word Odd(Word a, Word b) {
    return _mm512_permutex2var_epi64(a, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1), b);
  }
  static Word Broadcast(std::uint64_t v) { return _mm512_set1_epi64(static_cast<long long>(v)); }
  // v < 2p -> v mod p: v - p wraps upwards exactly when v < p.
  static Word Canonical(Word v) { return _mm512_min_epu64(v, _mm512_sub_epi64(v, Broadcast(kP))); }

  static Word Add(Word a, Word b) {
    // a + b = a - (p - b), plus p when that is negative.
    const Word negative = _mm512_sub_epi64(Broadcast(kP), b);
    const Word difference = _mm512_sub_epi64(a, negative);
    return _mm512_mask_add_epi64(difference, _mm512_cmplt_epu64_mask(a, negative), difference,
                                 Broadcast(kP));
  }
  static Word Sub(Word a, Word b) {
    const Word difference = _mm512_sub_epi64(a, b);
    return _mm512_mask_add_epi64(difference, _mm512_cmplt_epu64_mask(a, b), difference,
                                 Broadcast(kP));
  }
  static Word Mul(Word x, Word y) {
    const Word low_mask = Broadcast(kEpsilon);
    const Word xh = _mm512_srli_epi64(x, 32);
    const Word yh = _mm512_srli_epi64(y, 32);
    const Word ll = _mm512_mul_epu32(x, y);
    const Word lh = _mm512_mul_epu32(x, yh);
    const Word hl = _mm512_mul_epu32(xh, y);
    const Word hh = _mm512_mul_epu32(xh, yh);
    const Word t0 = _mm512_add_epi64(hl, _mm512_srli_epi64(ll, 32));       // < 2^64 - 2^32
    const Word t1 = _mm512_add_epi64(lh, _mm512_and_si512(t0, low_mask));  // < 2^64 - 2^32
    const Word low = _mm512_or_si512(_mm512_slli_epi64(t1, 32), _mm512_and_si512(ll, low_mask));
    const Word high = _mm512_add_epi64(_mm512_add_epi64(hh, _mm512_srli_epi64(t0, 32)),
                                       _mm512_srli_epi64(t1, 32));
    return Reduce(low, high);
  }
  // x i, i = 2^48 a root of order 4: nothing is multiplied.
  static Word MulByI(Word x) { return Reduce(_mm512_slli_epi64(x, 48), _mm512_srli_epi64(x, 16)); }
  // low + 2^64 high.
  static Word Reduce(Word low, Word high) {
    const Word low_mask = Broadcast(kEpsilon);
    const Word h = _mm512_srli_epi64(high, 32);
    Word t = _mm512_sub_epi64(low, h);
    t = _mm512_mask_sub_epi64(t, _mm512_cmplt_epu64_mask(low, h), t, low_mask);
    const Word m = _mm512_mul_epu32(high, low_mask);  // its low half times epsilon
    Word r = _mm512_add_epi64(t, m);
    r = _mm512_mask_add_epi64(r, _mm512_cmplt_epu64_mask(r, t), r, low_mask);
    return Canonical(r);
  }
};

}  // namespace
}  // namespace flair::zk
