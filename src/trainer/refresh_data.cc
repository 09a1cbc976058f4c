// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_data.h"

#include <utility>

#include "base/path.h"
#include "data/prover/registered.h"
#include "proof/prover/refresh_commitment.h"

namespace flair::trainer {

Result<RefreshedData> RefreshDataProven(Env& env, const std::string& folder, const Digest& wallet) {
  FLAIR_TRY(data::CommittedAnew anew, data::CommitAnew(env, folder));
  FLAIR_TRY(proof::OpeningBook book,
            proof::OpeningBook::Open(env, JoinPath(folder, std::string(data::kOpeningsFolder))));
  auto proven = proof::ProveRefreshClaim(proof::RefreshClaimOf(wallet, anew.old_card, anew.card),
                                         {anew.before, book}, {anew.after, book}, env);
  if (!proven.ok()) {
    if (proven.error().code() != ErrorCode::kConflict) return std::move(proven).error();
    return std::move(proven).error().WithHint(
        "--no-proof commits anew without a proof that the data are the same");
  }
  const std::string name = "refresh-" + std::to_string(anew.card.generation);
  RefreshedData made{.card = std::move(anew.card),
                     .claim = proven->claim,
                     .proof_path = JoinPath(folder, name + ".proof"),
                     .statement_path = JoinPath(folder, name + ".statement.json"),
                     .proof_bytes = proven->proof.size()};
  FLAIR_DO(proof::KeepRefresh(*proven, book, book, env, made.proof_path, made.statement_path));
  FLAIR_DO(data::ReplaceCard(env, folder, made.card));
  return made;
}

}  // namespace flair::trainer
