// Receipt: what a hub puts its name to, as the payload of an attachment of kind kReceipt.
//
// Signed by the hub's wallet, whose key flair.toml names: a clone checks what the hub
// accepted and which tickets it gave without trusting the hub's database. Layout:
// docs/formats/object.md; the seed: docs/formats/ticket.md.
//
// Place: object. Thread safety: values and functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "object/attachment.h"

namespace flair {

using RepoId = std::array<std::byte, 16>;

// The attachment's subject was accepted: on a branch, or as a proposal for it.
struct Accepted {
  RepoId repo{};
  std::string branch;
  Wallet brought_by;
  bool on_branch = false;
  bool operator==(const Accepted&) const = default;
};

// A wallet may train from the subject on the data of a card, in the order that the nonce
// fixes. The hub knew the card when it drew the nonce, and draws one for each (subject, card,
// wallet): nobody tries seeds until one pleases.
struct Ticket {
  RepoId repo{};
  Wallet wallet;
  Digest card;   // its id
  Digest nonce;  // 32 random bytes
  bool operator==(const Ticket&) const = default;
};

using Receipt = std::variant<Accepted, Ticket>;

Bytes EncodeReceipt(const Receipt& receipt);
// Errors: kCorrupt; kUnsupported for a receipt of a later version.
Result<Receipt> DecodeReceipt(ByteView payload);

// The ticket that an attachment is, checked: its signature, and that `hub` made it.
// Errors: kRejected says what is wrong; kCorrupt.
Result<Ticket> TicketOf(const Attachment& a, const Wallet& hub);

// SHA-256("flair.seed.v1" || nonce || parent || card || wallet): what batches and masks of a run
// from `parent` follow from.
Digest SeedOf(const Ticket& ticket, const CommitId& parent);

}  // namespace flair
