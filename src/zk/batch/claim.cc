// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/claim.h"

#include "base/check.h"
#include "zk/poly/eq.h"

namespace flair::zk {

Fp2 WeightAt(const Claim& claim, std::span<const Fp2> r) {
  Fp2 sum;
  for (const Block& block : claim.blocks) {
    const std::size_t k = block.point.size();
    FLAIR_CHECK(k <= r.size()) << "a block larger than its matrix";
    Fp2 product = block.coefficient * EqAt(r.subspan(k), block.offset >> k);
    for (std::size_t i = 0; i < k; ++i) {
      product *= r[i] * block.point[i] + (Fp2(1) - r[i]) * (Fp2(1) - block.point[i]);
    }
    sum += product;
  }
  return sum;
}

void AddWeights(const Claim& claim, Fp2 factor, std::span<Fp2> into) {
  for (const Block& block : claim.blocks) {
    const std::vector<Fp2> eq = EqTable(block.point);
    FLAIR_CHECK(block.offset % eq.size() == 0 && block.offset + eq.size() <= into.size())
        << "a block outside of its matrix";
    const Fp2 scale = factor * block.coefficient;
    for (std::size_t x = 0; x < eq.size(); ++x) into[block.offset + x] += scale * eq[x];
  }
}

}  // namespace flair::zk
