// Refs of a hub repository: names that move by compare-and-swap.
//
// Place: hub/meta. A move, its reflog row and its audit row are one transaction.
// Names: "heads/x", "tags/x", "aliases/x"; proposals are rows of their own table.
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

struct Ref {
  std::string name;
  CommitId commit;
};

// "heads/", "tags/" or "aliases/" and a name that CheckRepoPath accepts, without spaces,
// '@', '~', '^', '*', '?', '['. Errors: kInvalidArgument.
Status CheckRefName(std::string_view name);

Result<std::optional<CommitId>> ReadRef(Database& db, std::string_view repo_id,
                                        std::string_view name);
Result<std::vector<Ref>> ListRefs(Database& db, std::string_view repo_id);

struct RefMove {
  std::string repo_id;
  std::string name;
  std::optional<CommitId> expected_old;  // absent: the ref must not exist yet
  std::optional<CommitId> to;            // absent: delete it
  std::string actor;                     // wallet, base58
  std::string reason;                    // "push", "merge of #3, #4", ...
};
// REQUIRES: inside HubDb::Write. Errors: kConflict when the ref is not where
// `expected_old` says ("heads/main is at 12ab34…, not …").
Status MoveRef(Database& db, const RefMove& move, std::int64_t now_s);

}  // namespace flair::hub
