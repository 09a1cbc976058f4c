// Receipts: the hub's signed word that it accepted a commit, and its tickets
// (object/receipt.h).
//
// Place: hub. A clone checks them with the hub's key from flair.toml, without the hub's
// database.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "hub/context.h"
#include "object/receipt.h"

namespace flair::hub {

enum class ReceiptKind : std::uint8_t { kBranch = 1, kProposal = 2 };

Result<Attachment> MakeReceipt(const HubContext& hub, ReceiptKind kind, const RepoRow& repo,
                               std::string_view branch, std::string_view wallet,
                               const CommitId& commit);

// A ticket with a nonce drawn now. That there is no other for the three is for the caller.
Result<Attachment> MakeTicket(const HubContext& hub, const RepoRow& repo, std::string_view wallet,
                              const Digest& card, const CommitId& parent);

// Stores attachments durably. REQUIRES: the caller holds no write lock of the store.
Status StoreAttachments(RepoStore& store, const std::vector<Attachment>& attachments);

}  // namespace flair::hub
