// SPDX-License-Identifier: Apache-2.0
#include "zk/training/opening_plan.h"

#include <utility>

#include "zk/lookup/soundness.h"
#include "zk/training/long_lived.h"

namespace flair::zk {

Result<BatchPlan> PlanOpening(const Counted& counted, std::vector<MatrixShape> long_lived,
                              QueryPolicy policy) {
  FLAIR_TRY(const MatrixShape witness, WitnessShape(counted.num_cells));
  std::uint64_t pads = counted.script.num_pads();
  std::uint64_t triples = counted.script.num_triples();
  // SOUNDNESS: what the script and the lookups draw counts. Attack: a proof whose opening alone is
  // sound enough. Test: TrainingTest.APlanCountsEveryDraw.
  std::vector<SoundnessTerm> besides;
  if (counted.lookups != nullptr) {
    besides = SoundnessTerms(*counted.lookups);
    pads += counted.lookups->num_pads();
    triples += counted.lookups->num_triples();
  }
  besides.push_back(OverField("script", counted.script.degrees()));
  return BatchPlan::Make(witness, std::move(long_lived), pads, triples, policy, std::move(besides));
}

}  // namespace flair::zk
