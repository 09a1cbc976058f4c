// Tickets: the hub's signed nonce for the next run, asked for and checked.
//
// Place: remote, over HubApi. docs/formats/ticket.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "remote/hub_api.h"
#include "repo/tickets.h"

namespace flair {

struct TicketWish {
  CommitId parent;
  std::string card_text;  // card.json
  Wallet wallet;
  // Whose word counts: hub.key of flair.toml. Absent: that of the hub that answers.
  std::optional<Wallet> hub_key;
};

// Registers the card, which is nothing where it is registered, and asks for the ticket.
// Errors: kRejected when what the hub gave is not a ticket of it for this; the hub's own.
Result<Attachment> RequestTicket(HubApi& api, const RepoAddress& repo, const TicketWish& wish);

}  // namespace flair
