// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_data.h"

#include <optional>
#include <utility>

#include "base/path.h"
#include "data/prover/registered.h"
#include "proof/prover/refresh_commitment.h"

namespace flair::trainer {
namespace {

// Whoever replaces the card, or opens what it commits to, has the book: it is the folder's lock.
Result<proof::OpeningBook> LockedBook(Env& env, const std::string& folder) {
  FLAIR_DO(data::ReadCard(env, folder));  // nothing is made in a folder of something else
  return proof::OpeningBook::Open(env, JoinPath(folder, std::string(data::kOpeningsFolder)));
}

std::string PendingPath(const std::string& folder) {
  return JoinPath(folder, proof::kPendingRefresh);
}

Error WithHint(Error error) {
  if (error.code() != ErrorCode::kConflict) return error;
  return std::move(error).WithHint(
      "--no-proof commits anew without a proof that the data are the same");
}

// Of a refresh of this card that was stopped, before the new card was written or after that.
bool IsOf(const proof::ProvenRefresh& pending, const data::DataCard& card, const Digest& wallet) {
  const proof::RefreshClaim& claim = pending.claim;
  return claim.wallet == wallet && claim.cards &&
         ((*claim.cards)[0] == card || (*claim.cards)[1] == card);
}

Result<proof::ProvenRefresh> ProveAnew(Env& env, const std::string& folder, const Digest& wallet,
                                       proof::OpeningBook& book) {
  FLAIR_TRY(data::CommittedAnew anew, data::CommitAnew(env, folder));
  auto proven = proof::ProveRefreshClaim(
      proof::RefreshClaimOf(wallet, std::move(anew.old_card), std::move(anew.card)),
      {anew.before, book}, {anew.after, book}, env);
  if (!proven.ok()) return WithHint(std::move(proven).error());
  FLAIR_DO(proof::WritePendingRefresh(env, PendingPath(folder), *proven));
  return proven;
}

}  // namespace

Result<RefreshedData> RefreshDataProven(Env& env, const std::string& folder, const Digest& wallet) {
  FLAIR_TRY(proof::OpeningBook book, LockedBook(env, folder));
  FLAIR_TRY(const data::DataCard card, data::ReadCard(env, folder));
  FLAIR_TRY(auto proven, proof::ReadPendingRefresh(env, PendingPath(folder)));
  if (!proven || !IsOf(*proven, card, wallet)) {
    FLAIR_TRY(proven, ProveAnew(env, folder, wallet, book));
  }
  RefreshedData made{.card = (*proven->claim.cards)[1],
                     .claim = proven->claim,
                     .proof_path = {},
                     .statement_path = {},
                     .proof_bytes = proven->proof.size()};
  const std::string name = "refresh-" + std::to_string(made.card.generation);
  made.proof_path = JoinPath(folder, name + ".proof");
  made.statement_path = JoinPath(folder, name + ".statement.json");
  if (Status kept =
          proof::KeepRefresh(*proven, book, book, env, made.proof_path, made.statement_path);
      !kept.ok()) {
    // What waited since other proofs took its openings.
    if (kept.error().code() == ErrorCode::kConflict) {
      FLAIR_DO(proof::DropPendingRefresh(env, PendingPath(folder)));
    }
    return WithHint(std::move(kept).error());
  }
  FLAIR_DO(data::ReplaceCard(env, folder, made.card));
  FLAIR_DO(proof::DropPendingRefresh(env, PendingPath(folder)));
  return made;
}

Result<data::DataCard> RefreshDataUnproven(Env& env, const std::string& folder) {
  FLAIR_TRY(const proof::OpeningBook book, LockedBook(env, folder));
  FLAIR_DO(proof::DropPendingRefresh(env, PendingPath(folder)));
  return data::RefreshData(env, folder);
}

}  // namespace flair::trainer
