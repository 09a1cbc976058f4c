// SPDX-License-Identifier: Apache-2.0
#include "hub/receipts.h"

#include "base/hex.h"
#include "object/encoding.h"

namespace flair::hub {

Result<Attachment> MakeReceipt(const HubContext& hub, ReceiptKind kind, const RepoRow& repo,
                               std::string_view branch, std::string_view wallet,
                               const CommitId& commit) {
  FLAIR_TRY(const Bytes repo_id, FromHex(repo.id));
  FLAIR_TRY(const Wallet brought_by, Wallet::FromBase58(wallet));
  MessageEncoder payload;
  payload.Uint(1, static_cast<std::uint64_t>(kind));
  payload.Raw(2, repo_id);
  payload.Text(3, branch);
  payload.Raw(4, brought_by.view());
  Attachment receipt;
  receipt.subject = commit;
  receipt.kind = AttachmentKind::kReceipt;
  receipt.payload = payload.Take();
  receipt.time_s = static_cast<std::uint64_t>(hub.env.NowSeconds());
  SignAttachment(receipt, hub.wallet);
  return receipt;
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
