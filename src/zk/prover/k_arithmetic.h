// Products in K and sums of them over the lanes of one lanes_*.h, each from products in F:
// for lanes that have nothing better (k_arithmetic_ifma.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "zk/prover/k_wide.h"

namespace flair::zk {
namespace {

FLAIR_LANES Word Times7(Word x) {
  const Word x2 = Lanes::Add(x, x);
  const Word x3 = Lanes::Add(x2, x);
  return Lanes::Add(Lanes::Add(x3, x3), x);
}
// (a + b phi)(c + d phi) = ac + 7 bd + ((a + b)(c + d) - ac - bd) phi
FLAIR_LANES Wide MulK(Wide x, Wide y) {
  const Word ac = Lanes::Mul(x.a, y.a);
  const Word bd = Lanes::Mul(x.b, y.b);
  const Word all = Lanes::Mul(Lanes::Add(x.a, x.b), Lanes::Add(y.a, y.b));
  return {Lanes::Add(ac, Times7(bd)), Lanes::Sub(Lanes::Sub(all, ac), bd)};
}
// c + x y.
FLAIR_LANES Wide MulAddK(Wide c, Wide x, Wide y) { return AddK(c, MulK(x, y)); }
// x y + z w.
FLAIR_LANES Wide TwoProducts(Wide x, Wide y, Wide z, Wide w) {
  return AddK(MulK(x, y), MulK(z, w));
}
// c + x y over F.
FLAIR_LANES Word MulAddF(Word c, Word x, Word y) { return Lanes::Add(c, Lanes::Mul(x, y)); }
// c + x y, y over F.
FLAIR_LANES Wide MulAddBase(Wide c, Wide x, Word y) {
  return AddK(c, {Lanes::Mul(x.a, y), Lanes::Mul(x.b, y)});
}

// A sum of products that are added up before they are reduced, where lanes can. No more than
// kProductsAtOnce between two calls of Settle().
constexpr std::size_t kProductsAtOnce = ~std::size_t{0};

class SumOfProducts {
 public:
  FLAIR_LANES void Add(Wide x, Wide y) { sum_ = MulAddK(sum_, x, y); }
  FLAIR_LANES void Settle() {}
  FLAIR_LANES Wide Get() const { return sum_; }

 private:
  Wide sum_ = BroadcastK(0, 0);
};

class SumOfBaseProducts {
 public:
  FLAIR_LANES void Add(Wide x, Word y) { sum_ = MulAddBase(sum_, x, y); }
  FLAIR_LANES void Settle() {}
  FLAIR_LANES Wide Get() const { return sum_; }

 private:
  Wide sum_ = BroadcastK(0, 0);
};

}  // namespace
}  // namespace flair::zk
