// Registered data cards, and the tickets that the hub gave.
//
// Place: hub/meta. A card belongs to the wallet that registered it first, in one repository. Of a
// (parent, card, wallet) there is one ticket: whoever asks again gets the same.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/ids.h"
#include "repo/sqlite.h"

namespace flair::hub {

struct CardRow {
  Digest card;  // its id
  std::string wallet;
  std::string text;  // card.json
  std::int64_t created_s = 0;
};

Result<std::optional<CardRow>> FindCard(Database& db, std::string_view repo_id, const Digest& card);
// By time; without their texts.
Result<std::vector<CardRow>> ListCards(Database& db, std::string_view repo_id);
// How many of a repository's cards a wallet registered.
Result<std::int64_t> CountCards(Database& db, std::string_view repo_id, std::string_view wallet);
// Errors: kAlreadyExists.
Status InsertCard(Database& db, std::string_view repo_id, const CardRow& card);

struct TicketKey {
  CommitId parent;
  Digest card;
  std::string wallet;
};
// The attachment's id.
Result<std::optional<AttachmentId>> FindTicket(Database& db, std::string_view repo_id,
                                               const TicketKey& key);
Status InsertTicket(Database& db, std::string_view repo_id, const TicketKey& key,
                    const AttachmentId& ticket, std::int64_t now_s);

}  // namespace flair::hub
