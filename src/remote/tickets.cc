// SPDX-License-Identifier: Apache-2.0
#include "remote/tickets.h"

#include "crypto/blake3.h"
#include "wire/json.h"

namespace flair {
namespace {

Result<Wallet> HubKey(HubApi& api) {
  FLAIR_TRY(const std::string info, api.HubInfoJson());
  FLAIR_TRY(const wire::json::object o, wire::ParseObject(info));
  FLAIR_TRY(const std::string key, wire::GetString(o, "wallet"));
  return Wallet::FromBase58(key);
}

}  // namespace

Result<Attachment> RequestTicket(HubApi& api, const RepoAddress& repo, const TicketWish& wish) {
  const Digest card = Blake3(AsBytes(wish.card_text));
  Wallet hub;
  if (wish.hub_key) {
    hub = *wish.hub_key;
  } else {
    FLAIR_TRY(hub, HubKey(api));
  }
  FLAIR_TRY(const wire::CardInfo registered, api.RegisterCard(repo, wish.card_text));
  if (registered.card != card) {
    return Error(ErrorCode::kRejected, "the hub registered another card than this one");
  }
  FLAIR_TRY(wire::TicketInfo info, api.AskTicket(repo, {.parent = wish.parent, .card = card}));
  FLAIR_TRY(const Ticket ticket, TicketOf(info.ticket, hub));
  FLAIR_DO(CheckPurpose(info.ticket, ticket,
                        {.parent = wish.parent, .card = card, .wallet = wish.wallet}));
  return std::move(info.ticket);
}

}  // namespace flair
