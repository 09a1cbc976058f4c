// Messages of data cards and tickets.
//
// `raw` is the hub's JSON as it came, for `--json`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "object/attachment.h"
#include "wire/json.h"

namespace flair::wire {

// {"card": "<card.json>"}
std::string EncodeCardRequest(std::string_view card_text);

struct CardInfo {
  Digest card;
  std::string wallet;  // base58
  std::string registered_at;
  std::string text;  // of one that was asked for
  std::string raw;
};
Result<CardInfo> DecodeCardInfo(std::string_view text);

struct TicketRequest {
  CommitId parent;
  Digest card;
};
std::string Encode(const TicketRequest& m);

struct TicketInfo {
  Attachment ticket;  // not checked yet
  std::string raw;
};
// Errors: kInvalidArgument; those of DecodeAttachment().
Result<TicketInfo> DecodeTicketInfo(std::string_view text);

}  // namespace flair::wire
