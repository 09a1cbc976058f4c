// SPDX-License-Identifier: Apache-2.0
#include "hub/receipts.h"

#include <algorithm>

#include "base/hex.h"

namespace flair::hub {
namespace {

Result<RepoId> IdOfRepo(const RepoRow& repo) {
  FLAIR_TRY(const Bytes bytes, FromHex(repo.id));
  RepoId id{};
  if (bytes.size() != id.size()) {
    return Error(ErrorCode::kCorrupt, "a repository's id has 16 bytes: " + repo.id);
  }
  std::ranges::copy(bytes, id.begin());
  return id;
}

Attachment Signed(const HubContext& hub, const CommitId& subject, const Receipt& receipt) {
  Attachment a;
  a.subject = subject;
  a.kind = AttachmentKind::kReceipt;
  a.payload = EncodeReceipt(receipt);
  a.time_s = static_cast<std::uint64_t>(hub.env.NowSeconds());
  SignAttachment(a, hub.wallet);
  return a;
}

}  // namespace

Result<Attachment> MakeReceipt(const HubContext& hub, ReceiptKind kind, const RepoRow& repo,
                               std::string_view branch, std::string_view wallet,
                               const CommitId& commit) {
  Accepted accepted{.branch = std::string(branch), .on_branch = kind == ReceiptKind::kBranch};
  FLAIR_TRY(accepted.repo, IdOfRepo(repo));
  FLAIR_TRY(accepted.brought_by, Wallet::FromBase58(wallet));
  return Signed(hub, commit, accepted);
}

Result<Attachment> MakeTicket(const HubContext& hub, const RepoRow& repo, std::string_view wallet,
                              const Digest& card, const CommitId& parent) {
  Ticket ticket{.card = card};
  FLAIR_TRY(ticket.repo, IdOfRepo(repo));
  FLAIR_TRY(ticket.wallet, Wallet::FromBase58(wallet));
  hub.env.RandomBytes(ticket.nonce.bytes);
  return Signed(hub, parent, ticket);
}

Status StoreAttachments(RepoStore& store, const std::vector<Attachment>& attachments) {
  const auto lock = store.WriteLock();
  FLAIR_TRY(const std::unique_ptr<ObjectBatch> batch, store.objects().Begin());
  for (const Attachment& a : attachments) {
    FLAIR_DO(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(a)));
  }
  return batch->Commit();
}

}  // namespace flair::hub
