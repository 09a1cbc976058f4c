// Repositories, members and accepted commits as rows.
//
// Place: hub/meta. A repository's id is 16 random bytes, 32 hex digits; owner and
// name may change, the id never. A commit has a row here from the moment it was
// accepted: everything it names is durable and its signature was verified.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/endpoints.h"
#include "object/ids.h"
#include "repo/sqlite.h"

namespace flair::hub {

struct RepoRow {
  std::string id;
  std::string owner;  // wallet, base58
  std::string name;
  bool is_private = true;
  std::string description;
  std::string default_branch;  // "main"
  std::int64_t created_s = 0;
};

struct MemberRow {
  std::string wallet;
  Who role = Who::kReader;
  std::string handle;  // empty: none
};

// `owner` is a wallet or a handle. Absent when there is none (deleted ones included).
Result<std::optional<RepoRow>> FindRepo(Database& db, std::string_view owner,
                                        std::string_view name);
Result<std::optional<RepoRow>> FindRepoById(Database& db, std::string_view id);
// Every repository whose owner is `owner` (empty: all) and that `wallet` (empty:
// nobody) may read; by owner and name.
Result<std::vector<RepoRow>> ListRepos(Database& db, std::string_view owner,
                                       std::string_view wallet);
// The short name of a wallet; empty when it has none.
Result<std::string> HandleOf(Database& db, std::string_view wallet);
// Errors: kAlreadyExists.
Status InsertRepo(Database& db, const RepoRow& repo);

Result<std::optional<Who>> RoleOf(Database& db, std::string_view repo_id, std::string_view wallet);
Result<std::vector<MemberRow>> ListMembers(Database& db, std::string_view repo_id);

Result<bool> IsAccepted(Database& db, std::string_view repo_id, const CommitId& commit);
Status InsertCommit(Database& db, std::string_view repo_id, const CommitId& commit,
                    std::int64_t now_s);
// A ref ("main", "heads/main", "@prod", "tags/v1", "proposals/7") or a prefix of at
// least 6 digits of an accepted commit. Errors: kNotFound; kInvalidArgument when several
// commits begin like that.
Result<CommitId> ResolveCommit(Database& db, std::string_view repo_id, std::string_view text);

// Attachments of a commit, a set that only grows.
struct AttachmentRow {
  AttachmentId id;
  std::uint8_t kind = 0;  // AttachmentKind
};
Result<std::vector<AttachmentRow>> ListAttachments(Database& db, std::string_view repo_id,
                                                   const CommitId& commit);
Status InsertAttachment(Database& db, std::string_view repo_id, const CommitId& commit,
                        const AttachmentRow& attachment);

}  // namespace flair::hub
