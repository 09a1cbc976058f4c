// Data cards and tickets over HTTP: what a run may be trained on, and in which order.
// docs/formats/ticket.md.
// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"
#include "data/card.h"
#include "hub/meta/audit.h"
#include "hub/meta/cards.h"
#include "hub/receipts.h"
#include "hub/routes/common.h"
#include "object/attachment.h"
#include "repo/commit_ops.h"

namespace flair::hub {
namespace {

// Of one wallet in one repository: a card is up to a mebibyte that the hub keeps.
constexpr std::int64_t kMaxCardsOfWallet = 1000;

json::object CardJson(const CardRow& row) {
  return {{"card", row.card.ToHex()},
          {"wallet", row.wallet},
          {"registered_at", TimeText(row.created_s)}};
}

Status StoreCard(HubContext& hub, const Call& call, CardRow& row) {
  const std::string& repo_id = call.repo->id;
  return hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(const auto found, FindCard(db, repo_id, row.card));
    if (found && found->wallet != row.wallet) {
      return Error(ErrorCode::kConflict,
                   "card " + row.card.ToHex().substr(0, 12) + " is registered by " + found->wallet)
          .WithHint("a card is its holder's; `flair data register` makes one of your own");
    }
    if (found) {
      row.created_s = found->created_s;
      return OkStatus();
    }
    FLAIR_TRY(const std::int64_t count, CountCards(db, repo_id, row.wallet));
    if (count >= kMaxCardsOfWallet) {
      return Error(ErrorCode::kConflict, "you have registered " + std::to_string(count) +
                                             " cards here, and there may be no more");
    }
    FLAIR_DO(InsertCard(db, repo_id, row));
    return AppendAudit(db, row.created_s, repo_id, row.wallet, "card.register",
                       ToText(json::object{{"card", row.card.ToHex()}}));
  });
}

// The same card again is the same registration.
Result<Response> RegisterCard(HubContext& hub, Call& call) {
  // A card is a text in a text: its quotes are escaped.
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request, 2 * data::kMaxCardBytes));
  CardRow row{.wallet = call.wallet(), .created_s = hub.env.NowSeconds()};
  FLAIR_TRY(row.text, GetString(body, "card"));
  auto card = data::DecodeCard(row.text);
  if (!card.ok()) {
    return Error(ErrorCode::kInvalidArgument, "'card': " + card.error().message())
        .WithHint("send card.json as `flair data register` wrote it");
  }
  row.card = data::CardId(*card);
  FLAIR_DO(hub.CheckDisk());
  FLAIR_DO(StoreCard(hub, call, row));
  return JsonResponse(CardJson(row), 201);
}

Result<Response> GetCards(HubContext& hub, Call& call) {
  auto listed = Query(hub.db, [&](Database& db) { return ListCards(db, call.repo->id); });
  FLAIR_TRY(const std::vector<CardRow> rows, std::move(listed));
  json::array cards;
  for (const CardRow& row : rows) cards.push_back(CardJson(row));
  return JsonResponse(json::object{{"cards", std::move(cards)}});
}

Error NoCard(std::string_view card) {
  return Error(ErrorCode::kNotFound, "no card " + std::string(card.substr(0, 64)));
}

Result<Response> GetCard(HubContext& hub, Call& call) {
  const auto id = Digest::FromHex(call.parameter("card"));
  if (!id.ok()) return NoCard(call.parameter("card"));
  auto found = Query(hub.db, [&](Database& db) { return FindCard(db, call.repo->id, *id); });
  FLAIR_TRY(const std::optional<CardRow> row, std::move(found));
  if (!row) return NoCard(id->ToHex());
  json::object out = CardJson(*row);
  out["text"] = row->text;
  return JsonResponse(out);
}

Result<TicketKey> KeyOf(const Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  TicketKey key{.wallet = call.wallet()};
  FLAIR_TRY(const std::string parent, GetString(body, "parent"));
  FLAIR_TRY(key.parent, CommitId::FromHex(parent));
  FLAIR_TRY(const std::string card, GetString(body, "card"));
  FLAIR_TRY(key.card, Digest::FromHex(card));
  return key;
}

Status CheckKey(Database& db, const std::string& repo_id, const TicketKey& key) {
  FLAIR_TRY(const bool accepted, IsAccepted(db, repo_id, key.parent));
  if (!accepted) return Error(ErrorCode::kNotFound, "no commit " + key.parent.Short());
  FLAIR_TRY(const auto card, FindCard(db, repo_id, key.card));
  if (!card) return NoCard(key.card.ToHex());
  if (card->wallet == key.wallet) return OkStatus();
  return Error(ErrorCode::kUnauthorised, "card " + key.card.ToHex().substr(0, 12) +
                                             " is registered by " + card->wallet + ", you are " +
                                             key.wallet);
}

// One for each (parent, card, wallet), whoever asks how often: no nonce is drawn again.
Result<Response> RequestTicket(HubContext& hub, Call& call) {
  FLAIR_TRY(const TicketKey key, KeyOf(call));
  const std::string& repo_id = call.repo->id;
  auto known = Query(hub.db, [&](Database& db) -> Result<std::optional<AttachmentId>> {
    FLAIR_DO(CheckKey(db, repo_id, key));
    return FindTicket(db, repo_id, key);
  });
  FLAIR_TRY(std::optional<AttachmentId> id, std::move(known));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  if (!id) {
    FLAIR_DO(hub.CheckDisk());
    FLAIR_TRY(const Attachment made, MakeTicket(hub, *call.repo, key.wallet, key.card, key.parent));
    FLAIR_DO(StoreAttachments(*store, {made}));
    const std::int64_t now_s = hub.env.NowSeconds();
    auto stored = Update(hub.db, [&](Database& db) -> Result<AttachmentId> {
      FLAIR_DO(CheckKey(db, repo_id, key));
      FLAIR_TRY(const auto first, FindTicket(db, repo_id, key));
      if (first) return *first;  // somebody asked at the same time
      FLAIR_DO(InsertTicket(db, repo_id, key, IdOf(made), now_s));
      FLAIR_DO(InsertAttachment(db, repo_id, key.parent,
                                {IdOf(made), static_cast<std::uint8_t>(made.kind)}));
      FLAIR_DO(AppendAudit(db, now_s, repo_id, key.wallet, "ticket.give",
                           ToText(json::object{{"parent", key.parent.ToHex()},
                                               {"card", key.card.ToHex()},
                                               {"ticket", IdOf(made).ToHex()}})));
      return IdOf(made);
    });
    FLAIR_TRY(id, std::move(stored));
  }
  FLAIR_TRY(const Attachment ticket, ReadAttachment(store->objects(), *id));
  return JsonResponse(json::object{{"ticket", id->ToHex()},
                                   {"parent", key.parent.ToHex()},
                                   {"card", key.card.ToHex()},
                                   {"wallet", key.wallet},
                                   {"given_at", TimeText(static_cast<std::int64_t>(ticket.time_s))},
                                   {"attachment", ToHex(EncodeAttachment(ticket))}},
                      201);
}

}  // namespace

void AddTicketRoutes(Handlers& handlers) {
  handlers.Add("registerCard", RegisterCard);
  handlers.Add("listCards", GetCards);
  handlers.Add("getCard", GetCard);
  handlers.Add("requestTicket", RequestTicket);
}

}  // namespace flair::hub
