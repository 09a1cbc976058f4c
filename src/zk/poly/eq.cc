// SPDX-License-Identifier: Apache-2.0
#include "zk/poly/eq.h"

namespace flair::zk {

// Variable i doubles the table: x and x + 2^i share everything below.
std::vector<Fp2> EqTable(std::span<const Fp2> r) {
  std::vector<Fp2> table(std::size_t{1} << r.size());
  table[0] = Fp2(1);
  std::size_t size = 1;
  for (const Fp2& coordinate : r) {
    for (std::size_t x = 0; x < size; ++x) {
      table[x + size] = table[x] * coordinate;
      table[x] -= table[x + size];
    }
    size *= 2;
  }
  return table;
}

Fp2 EqAt(std::span<const Fp2> r, std::uint64_t x) {
  Fp2 product(1);
  for (std::size_t i = 0; i < r.size(); ++i) product *= x >> i & 1 ? r[i] : Fp2(1) - r[i];
  return product;
}

// From the highest variable down: where n has bit i, all x that agree above and have 0 there.
Fp2 EqPrefixSum(std::span<const Fp2> r, std::uint64_t n) {
  if (n >> r.size() != 0) return {1};
  Fp2 sum;
  Fp2 above(1);
  for (std::size_t i = r.size(); i-- > 0;) {
    if (n >> i & 1) {
      sum += above * (Fp2(1) - r[i]);
      above *= r[i];
    } else {
      above *= Fp2(1) - r[i];
    }
  }
  return sum;
}

}  // namespace flair::zk
