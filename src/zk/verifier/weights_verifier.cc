// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/weights_verifier.h"

#include "zk/verifier/proof_check.h"

namespace flair::zk {

Status VerifyWeights(const WeightsPlan& plan, ByteView bytes) {
  const WeightsStatement& statement = plan.statement();
  Transcript transcript(kWeightsProtocol);
  statement.Absorb(transcript);
  return CheckProof(
      plan.batch(), {statement.Hash(), RootsOf(statement.matrices)}, bytes, transcript,
      AfterLookups(plan.layout().lookups(), [&](Transcript& t, BatchVerifier& values) {
        return plan.RunScript(t, values, nullptr, nullptr);
      }));
}

}  // namespace flair::zk
