// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/training_verifier.h"

#include <utility>
#include <vector>

#include "zk/verifier/proof_check.h"

namespace flair::zk {

Status VerifyTraining(const TrainingPlan& plan, ByteView bytes) {
  const TrainingStatement& statement = plan.statement();
  Transcript transcript(kTrainingProtocol);
  statement.Absorb(transcript);
  std::vector<Digest> roots;
  for (const Commitment& m : statement.matrices) roots.push_back(m.root);
  return CheckProof(
      plan.batch(), {statement.Hash(), std::move(roots)}, bytes, transcript,
      AfterLookups(plan.layout().lookups(), [&](Transcript& t, BatchVerifier& values) {
        return plan.RunScript(t, values, nullptr, nullptr);
      }));
}

}  // namespace flair::zk
