// SPDX-License-Identifier: Apache-2.0
#include "hub/card_check.h"

#include "hub/meta/cards.h"

namespace flair::hub {

Result<std::string> CardProblem(Database& db, std::string_view repo_id, const Commit& commit) {
  if (!commit.training || !commit.training->data_card) return std::string("names no data card");
  const Digest& card = *commit.training->data_card;
  const std::string shown = card.ToHex().substr(0, 12);
  const std::string author = commit.author.ToBase58();
  FLAIR_TRY(const std::optional<CardRow> row, FindCard(db, repo_id, card));
  if (!row) return "names data card " + shown + ", which nobody registered here";
  if (row->wallet != author) {
    return "names data card " + shown + ", which is registered by " + row->wallet +
           " and not by its author";
  }
  if (!commit.training->ticket) return std::string("names no ticket");
  if (commit.parents.empty()) return std::string("has no parent that its ticket could be for");
  FLAIR_TRY(const std::optional<AttachmentId> ticket,
            FindTicket(db, repo_id, {.parent = commit.parents[0], .card = card, .wallet = author}));
  if (!ticket || ticket->digest != *commit.training->ticket) {
    return std::string("names a ticket that is not the hub's for its parent, card and author");
  }
  return std::string();
}

}  // namespace flair::hub
