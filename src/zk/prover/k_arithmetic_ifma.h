// Products in K and sums of them by 52-bit multiply-adds (AVX-512 IFMA), eight at a time;
// k_arithmetic.h says what each is. For files compiled with -mavx512ifma as well.
//
// x = x0 + 2^52 x1, x1 < 2^12, and x y = x0 y0 + 2^52 (x0 y1 + x1 y0) + 2^104 x1 y1; the
// instructions read the low 52 bits of their operands. Products are added up in three words
// of weight 1, 2^52 and 2^104 and reduced once: a reduction costs as much as two products.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "zk/prover/k_wide.h"

namespace flair::zk {
namespace {

// p0 + 2^52 p1 + 2^104 p2 >= 0. A product adds less than 2^52, 3 * 2^52 and 2^25.
struct Unreduced {
  Word p0;
  Word p1;
  Word p2;
};

FLAIR_LANES Unreduced Nothing() {
  const Word zero = Lanes::Broadcast(0);
  return {zero, zero, zero};
}
FLAIR_LANES Unreduced Of(Word x) {
  return {_mm512_and_si512(x, Lanes::Broadcast((std::uint64_t{1} << 52) - 1)),
          _mm512_srli_epi64(x, 52), Lanes::Broadcast(0)};
}
FLAIR_LANES Unreduced MulAdd(Unreduced s, Word x, Word y) {
  const Word x1 = _mm512_srli_epi64(x, 52);
  const Word y1 = _mm512_srli_epi64(y, 52);
  s.p0 = _mm512_madd52lo_epu64(s.p0, x, y);
  s.p1 = _mm512_madd52hi_epu64(s.p1, x, y);
  s.p2 = _mm512_madd52hi_epu64(s.p2, x, y1);
  s.p1 = _mm512_madd52lo_epu64(s.p1, x, y1);
  s.p2 = _mm512_madd52hi_epu64(s.p2, x1, y);
  s.p1 = _mm512_madd52lo_epu64(s.p1, x1, y);
  s.p2 = _mm512_madd52lo_epu64(s.p2, x1, y1);
  return s;
}
FLAIR_LANES Unreduced Plus(Unreduced s, Unreduced t) {
  return {_mm512_add_epi64(s.p0, t.p0), _mm512_add_epi64(s.p1, t.p1), _mm512_add_epi64(s.p2, t.p2)};
}
FLAIR_LANES Word Sevenfold(Word x) { return _mm512_sub_epi64(_mm512_slli_epi64(x, 3), x); }
// REQUIRES: words below 2^61.
FLAIR_LANES Unreduced Sevenfold(Unreduced s) {
  return {Sevenfold(s.p0), Sevenfold(s.p1), Sevenfold(s.p2)};
}
// p0 < 2^52 afterwards.
FLAIR_LANES Unreduced Carry(Unreduced s) {
  const Word low_mask = Lanes::Broadcast((std::uint64_t{1} << 52) - 1);
  s.p1 = _mm512_add_epi64(s.p1, _mm512_srli_epi64(s.p0, 52));
  s.p0 = _mm512_and_si512(s.p0, low_mask);
  return s;
}
// p1 < 2^52, too.
FLAIR_LANES Unreduced Settled(Unreduced s) {
  const Word low_mask = Lanes::Broadcast((std::uint64_t{1} << 52) - 1);
  s = Carry(s);
  s.p2 = _mm512_add_epi64(s.p2, _mm512_srli_epi64(s.p1, 52));
  s.p1 = _mm512_and_si512(s.p1, low_mask);
  return s;
}
// REQUIRES: p1 < 2^63, p2 < 2^55. With low = the sum mod 2^64, the rest is h0 + 2^32 h1, and
// 2^64 = epsilon, 2^96 = -1 mod p: low - h1 + epsilon h0.
FLAIR_LANES Word Reduce(Unreduced s) {
  const Word epsilon = Lanes::Broadcast(Lanes::kEpsilon);
  s = Carry(s);
  const Word low = _mm512_or_si512(s.p0, _mm512_slli_epi64(s.p1, 52));
  const Word h = _mm512_srli_epi64(s.p1, 12);  // its low half is h0
  const Word h1 = _mm512_add_epi64(_mm512_srli_epi64(h, 32), _mm512_slli_epi64(s.p2, 8));
  Word t = _mm512_sub_epi64(low, h1);
  t = _mm512_mask_sub_epi64(t, _mm512_cmplt_epu64_mask(low, h1), t, epsilon);
  const Word m = _mm512_mul_epu32(h, epsilon);
  Word r = _mm512_add_epi64(t, m);
  r = _mm512_mask_add_epi64(r, _mm512_cmplt_epu64_mask(r, m), r, epsilon);
  return Lanes::Canonical(r);
}

// The products of x y: ac, bd, ad + bc.
struct Products {
  Unreduced ac = Nothing();
  Unreduced bd = Nothing();
  Unreduced cross = Nothing();

  FLAIR_LANES void Add(Wide x, Wide y) {
    ac = MulAdd(ac, x.a, y.a);
    bd = MulAdd(bd, x.b, y.b);
    cross = MulAdd(MulAdd(cross, x.a, y.b), x.b, y.a);
  }
};
FLAIR_LANES Wide ReduceK(const Products& s) {
  return {Reduce(Plus(s.ac, Sevenfold(s.bd))), Reduce(s.cross)};
}
FLAIR_LANES Wide MulAddK(Wide c, Wide x, Wide y) {
  Products s;
  s.ac = Of(c.a);
  s.cross = Of(c.b);
  s.Add(x, y);
  return ReduceK(s);
}
FLAIR_LANES Wide MulK(Wide x, Wide y) {
  Products s;
  s.Add(x, y);
  return ReduceK(s);
}
FLAIR_LANES Wide TwoProducts(Wide x, Wide y, Wide z, Wide w) {
  Products s;
  s.Add(x, y);
  s.Add(z, w);
  return ReduceK(s);
}
FLAIR_LANES Word MulAddF(Word c, Word x, Word y) { return Reduce(MulAdd(Of(c), x, y)); }
FLAIR_LANES Wide MulAddBase(Wide c, Wide x, Word y) {
  return {Reduce(MulAdd(Of(c.a), x.a, y)), Reduce(MulAdd(Of(c.b), x.b, y))};
}

// cross.p1 grows by less than 6 * 2^52 a product: 256 of them stay below 2^63.
constexpr std::size_t kProductsAtOnce = 256;

class SumOfProducts {
 public:
  FLAIR_LANES void Add(Wide x, Wide y) { sum_.Add(x, y); }
  FLAIR_LANES void Settle() { sum_ = {Settled(sum_.ac), Settled(sum_.bd), Settled(sum_.cross)}; }
  FLAIR_LANES Wide Get() {
    Settle();
    return ReduceK(sum_);
  }

 private:
  Products sum_;
};

class SumOfBaseProducts {
 public:
  FLAIR_LANES void Add(Wide x, Word y) {
    a_ = MulAdd(a_, x.a, y);
    b_ = MulAdd(b_, x.b, y);
  }
  FLAIR_LANES void Settle() {
    a_ = Settled(a_);
    b_ = Settled(b_);
  }
  FLAIR_LANES Wide Get() const { return {Reduce(a_), Reduce(b_)}; }

 private:
  Unreduced a_ = Nothing();
  Unreduced b_ = Nothing();
};

}  // namespace
}  // namespace flair::zk
