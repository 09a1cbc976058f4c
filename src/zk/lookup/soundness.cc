// SPDX-License-Identifier: Apache-2.0
#include "zk/lookup/soundness.h"

namespace flair::zk {

// The sum of fractions: N/|K| under alpha and the betas, which come after the work. Layer l: 2/|K|
// for each of its l rounds, and 1/|K| each for mu and rho; together L (L - 1) + 2 L.
std::vector<SoundnessTerm> SoundnessTerms(const LookupPlan& plan) {
  const Uint128 layers = plan.num_layers();
  return {OverField("lookups", plan.num_leaves(), plan.work_bits()),
          OverField("lookup layers", layers * (layers + 1))};
}

}  // namespace flair::zk
