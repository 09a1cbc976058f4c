// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/proof_check.h"

#include <utility>

#include "zk/training/training_proof.h"
#include "zk/verifier/lookup_verifier.h"

namespace flair::zk {

ReadClaims AfterLookups(
    const LookupPlan& lookups,
    std::function<std::vector<Claim>(Transcript& transcript, BatchVerifier& values)> script) {
  return
      [&lookups, script = std::move(script)](std::uint64_t nonce, Transcript& transcript,
                                             BatchVerifier& values) -> Result<std::vector<Claim>> {
        FLAIR_TRY(std::vector<Claim> claims, CheckLookups(lookups, nonce, transcript, values));
        for (Claim& claim : script(transcript, values)) claims.push_back(std::move(claim));
        return claims;
      };
}

Status CheckProof(const BatchPlan& plan, ProofSubject subject, ByteView bytes,
                  Transcript& transcript, const ReadClaims& read_claims) {
  FLAIR_TRY(const TrainingProof proof, DecodeProof(plan, bytes));
  if (proof.statement != subject.statement) {
    return Error(ErrorCode::kRejected, "the proof is about another statement");
  }
  std::vector<Digest> roots = std::move(subject.roots);
  roots.insert(roots.begin(), proof.witness_root);
  FLAIR_TRY(BatchVerifier values,
            BatchVerifier::Begin(plan, std::move(roots), proof.companion_roots, proof.opening));
  values.AbsorbRoots(transcript);
  FLAIR_TRY(const std::vector<Claim> claims, read_claims(proof.lookup_nonce, transcript, values));
  return values.Check(transcript, claims);
}

}  // namespace flair::zk
