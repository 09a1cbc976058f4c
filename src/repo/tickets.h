// Tickets that this repository's hub gave, kept in `.flair/tickets`: a run can be recorded
// offline once its ticket is here. docs/formats/ticket.md.
//
// Place: repo. Thread safety: functions; files are replaced whole.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "object/receipt.h"
#include "repo/repository.h"

namespace flair {

// What a ticket is for.
struct TicketPurpose {
  CommitId parent;
  Digest card;  // its id
  Wallet wallet;
};

// Errors: kCorrupt for a file that holds no ticket for this.
Result<std::optional<Attachment>> FindTicket(Repository& repo, const TicketPurpose& purpose);
// Whoever has another one for the same purpose already keeps that.
// REQUIRES: TicketOf(ticket) is ok and for this purpose.
Status SaveTicket(Repository& repo, const TicketPurpose& purpose, const Attachment& ticket);

// Is it for this, in this repository? Errors: kRejected names what is different.
Status CheckPurpose(const Attachment& a, const Ticket& ticket, const TicketPurpose& purpose);

}  // namespace flair
