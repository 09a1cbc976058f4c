// SPDX-License-Identifier: Apache-2.0
#include "zk/mask/masked.h"

#include "base/check.h"

namespace flair::zk {

Constraints::Combination Constraints::Combine(Fp2 mu, std::uint64_t num_pads) const {
  Combination sum{.coefficients = std::vector<Fp2>(num_pads), .target = Fp2()};
  Fp2 power(1);
  for (const Masked& zero : zeros_) {
    power *= mu;
    sum.target -= power * zero.known();
    for (const Masked::Term& term : zero.terms()) {
      FLAIR_CHECK(term.pad < num_pads) << "pad " << term.pad << " was never committed";
      sum.coefficients[term.pad] += power * term.coefficient;
    }
  }
  return sum;
}

}  // namespace flair::zk
