// SPDX-License-Identifier: Apache-2.0
#include "wire/tickets.h"

#include "base/hex.h"

namespace flair::wire {

std::string EncodeCardRequest(std::string_view card_text) {
  return ToText(json::object{{"card", card_text}});
}

Result<CardInfo> DecodeCardInfo(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  CardInfo m;
  FLAIR_TRY(const std::string card, GetString(o, "card"));
  FLAIR_TRY(m.card, Digest::FromHex(card));
  FLAIR_TRY(m.wallet, GetString(o, "wallet"));
  FLAIR_TRY(m.registered_at, GetStringOr(o, "registered_at", ""));
  FLAIR_TRY(m.text, GetStringOr(o, "text", ""));
  m.raw = text;
  return m;
}

std::string Encode(const TicketRequest& m) {
  return ToText(json::object{{"parent", m.parent.ToHex()}, {"card", m.card.ToHex()}});
}

Result<TicketInfo> DecodeTicketInfo(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  TicketInfo m;
  FLAIR_TRY(const std::string hex, GetString(o, "attachment"));
  FLAIR_TRY(const Bytes bytes, FromHex(hex));
  FLAIR_TRY(m.ticket, DecodeAttachment(bytes));
  m.raw = text;
  return m;
}

}  // namespace flair::wire
