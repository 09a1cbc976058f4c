// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/refresh_verifier.h"

#include <utility>
#include <vector>

#include "zk/training/training_proof.h"
#include "zk/verifier/batch_verifier.h"

namespace flair::zk {

Status VerifyRefresh(const RefreshPlan& plan, ByteView bytes) {
  FLAIR_TRY(TrainingProof proof, DecodeProof(plan.batch(), bytes));
  if (proof.statement != plan.statement().Hash()) {
    return Error(ErrorCode::kRejected, "the proof is about another statement");
  }
  // One statement has one reading: nothing is looked up.
  if (proof.lookup_nonce != 0) return Error(ErrorCode::kRejected, "work that nobody asked for");
  std::vector<Digest> roots = {proof.witness_root};
  for (const RefreshStatement::Matrix& m : plan.statement().matrices) roots.push_back(m.root);
  FLAIR_TRY(BatchVerifier values, BatchVerifier::Begin(plan.batch(), std::move(roots),
                                                       proof.companion_roots, proof.opening));
  Transcript transcript(kRefreshProtocol);
  plan.statement().Absorb(transcript);
  values.AbsorbRoots(transcript);
  const std::vector<Claim> claims = plan.RunScript(transcript, values, nullptr);
  return values.Check(transcript, claims);
}

}  // namespace flair::zk
