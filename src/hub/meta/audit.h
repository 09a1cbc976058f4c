// The audit log: who did what, when; append-only and hash-chained.
//
// Place: hub/meta. Each row's hash is BLAKE3 over the previous row's hash and the
// row's own text, so that a changed, removed or inserted row breaks every later one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "repo/sqlite.h"

namespace flair::hub {

struct AuditEntry {
  std::int64_t number = 0;  // 1, 2, ... over the whole hub
  std::int64_t time_s = 0;
  std::string repo_id;  // empty: not about one repository
  std::string actor;    // wallet; empty: the hub itself
  std::string action;   // "ref.move", "member.set", "proposal.open", ...
  std::string detail;   // one JSON object
  Digest hash;
};

// REQUIRES: inside HubDb::Write, in the transaction that does the thing.
Status AppendAudit(Database& db, std::int64_t now_s, std::string_view repo_id,
                   std::string_view actor, std::string_view action, std::string_view detail);

Result<std::vector<AuditEntry>> ListAudit(Database& db, std::string_view repo_id,
                                          std::int64_t after, std::int64_t limit);
// Walks the whole chain. Errors: kCorrupt names the first row that does not fit.
Status VerifyAudit(Database& db);

}  // namespace flair::hub
