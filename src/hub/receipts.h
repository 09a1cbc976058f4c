// Receipts: the hub's signed word that it accepted a commit.
//
// Place: hub. An attachment of kind kReceipt, signed by the hub's wallet; payload
// (MessageEncoder): 1 what (1: accepted on a branch, 2: accepted as a proposal),
// 2 repository id (16 bytes), 3 branch, 4 wallet that brought it (32 bytes).
// A clone checks the chain with the hub's key from flair.toml, without the hub's database.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "hub/context.h"
#include "object/attachment.h"

namespace flair::hub {

enum class ReceiptKind : std::uint8_t { kBranch = 1, kProposal = 2 };

Result<Attachment> MakeReceipt(const HubContext& hub, ReceiptKind kind, const RepoRow& repo,
                               std::string_view branch, std::string_view wallet,
                               const CommitId& commit);

// Stores attachments durably. REQUIRES: the caller holds no write lock of the store.
Status StoreAttachments(RepoStore& store, const std::vector<Attachment>& attachments);

}  // namespace flair::hub
