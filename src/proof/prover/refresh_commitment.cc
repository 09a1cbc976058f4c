// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/refresh_commitment.h"

#include <utility>

#include "proof/prover/commit_state.h"
#include "zk/prover/refresh_prover.h"

namespace flair::proof {

Result<ProvenRefresh> ProveRefreshClaim(RefreshClaim claim, const BookedMatrix& before,
                                        const BookedMatrix& after, Env& env) {
  ProvenRefresh proven{.claim = std::move(claim), .proof = {}, .shown = {}};
  const std::array ids = {proven.claim.before, proven.claim.after};
  const std::array books = {&before.book, &after.book};
  FLAIR_TRY(const zk::RefreshPlan plan, PlanOfRefresh(proven.claim));
  FLAIR_TRY(proven.proof,
            zk::ProveRefresh(plan, before.matrix, after.matrix, env,
                             [&](std::size_t matrix, std::span<const std::uint64_t> columns) {
                               proven.shown[matrix].assign(columns.begin(), columns.end());
                               return books[matrix]->Check(ids[matrix], columns);
                             }));
  FLAIR_TRY([[maybe_unused]] const double bits, VerifyRefresh(proven.claim, proven.proof));
  return proven;
}

Status KeepRefresh(const ProvenRefresh& proven, OpeningBook& before, OpeningBook& after, Env& env,
                   const std::string& proof_path, const std::string& statement_path) {
  FLAIR_DO(before.Reserve(proven.claim.before, proven.shown[0]));
  FLAIR_DO(after.Reserve(proven.claim.after, proven.shown[1]));
  FLAIR_DO(WriteFileAtomically(env, proof_path, proven.proof));
  return WriteFileAtomically(env, statement_path, AsBytes(EncodeRefresh(proven.claim)));
}

}  // namespace flair::proof
