// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/weights_verifier.h"

#include <utility>
#include <vector>

#include "zk/training/training_proof.h"
#include "zk/verifier/batch_verifier.h"
#include "zk/verifier/lookup_verifier.h"

namespace flair::zk {

Status VerifyWeights(const WeightsPlan& plan, ByteView bytes) {
  FLAIR_TRY(TrainingProof proof, DecodeProof(plan.batch(), bytes));
  if (proof.statement != plan.statement().Hash()) {
    return Error(ErrorCode::kRejected, "the proof is about another statement");
  }
  std::vector<Digest> roots = {proof.witness_root};
  for (const WeightsStatement::Matrix& m : plan.statement().matrices) roots.push_back(m.root);
  FLAIR_TRY(BatchVerifier values, BatchVerifier::Begin(plan.batch(), std::move(roots),
                                                       proof.companion_roots, proof.opening));
  Transcript transcript(kWeightsProtocol);
  plan.statement().Absorb(transcript);
  values.AbsorbRoots(transcript);
  FLAIR_TRY(std::vector<Claim> claims,
            CheckLookups(plan.layout().lookups(), proof.lookup_nonce, transcript, values));
  for (Claim& claim : plan.RunScript(transcript, values, nullptr, nullptr)) {
    claims.push_back(std::move(claim));
  }
  return values.Check(transcript, claims);
}

}  // namespace flair::zk
