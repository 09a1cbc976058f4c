// SPDX-License-Identifier: Apache-2.0
#include "repo/tickets.h"

#include <string>

#include "base/path.h"
#include "crypto/blake3.h"

namespace flair {
namespace {

std::string FileOf(const Repository& repo, const TicketPurpose& purpose) {
  Bytes key;
  Append(key, purpose.parent.digest.view());
  Append(key, purpose.card.view());
  Append(key, purpose.wallet.view());
  return JoinPath(JoinPath(repo.flair_dir(), "tickets"), Blake3(key).ToHex());
}

}  // namespace

Status CheckPurpose(const Attachment& a, const Ticket& ticket, const TicketPurpose& purpose) {
  const auto wrong = [](const std::string& what) {
    return Error(ErrorCode::kRejected, "the ticket is for another " + what);
  };
  if (a.subject != purpose.parent) return wrong("commit, " + a.subject.Short());
  if (ticket.card != purpose.card) return wrong("data card, " + ticket.card.ToHex().substr(0, 12));
  if (ticket.wallet != purpose.wallet) return wrong("wallet, " + ticket.wallet.ToBase58());
  return OkStatus();
}

Result<std::optional<Attachment>> FindTicket(Repository& repo, const TicketPurpose& purpose) {
  const std::string path = FileOf(repo, purpose);
  if (!Exists(repo.env(), path)) return std::optional<Attachment>();
  FLAIR_TRY(const Bytes bytes, ReadFile(repo.env(), path, kMaxAttachmentBytes));
  const auto corrupt = [&](const Error& error) {
    return Error(ErrorCode::kCorrupt, path + ": " + error.message())
        .WithHint("remove the file; `flair ticket` asks the hub for it again");
  };
  auto attachment = DecodeAttachment(bytes);
  if (!attachment.ok()) return corrupt(attachment.error());
  const auto ticket = TicketOf(*attachment, attachment->author);
  if (!ticket.ok()) return corrupt(ticket.error());
  if (const Status fits = CheckPurpose(*attachment, *ticket, purpose); !fits.ok()) {
    return corrupt(fits.error());
  }
  return std::optional(std::move(*attachment));
}

Status SaveTicket(Repository& repo, const TicketPurpose& purpose, const Attachment& ticket) {
  const std::string path = FileOf(repo, purpose);
  if (Exists(repo.env(), path)) return OkStatus();
  FLAIR_DO(MakeDirs(repo.env(), ParentPath(path)));
  return WriteFileAtomically(repo.env(), path, EncodeAttachment(ticket));
}

}  // namespace flair
