// Refs: names for commits, moved by compare-and-swap; HEAD; what a user may type.
//
// Names: heads/BRANCH, tags/TAG, aliases/ALIAS, proposals/N, remotes/NAME/BRANCH.
// A part is 1 to 100 of [A-Za-z0-9._-], does not start with '.' or '-', does not
// end in ".lock" or '.', holds no ".."; at most 8 parts and 250 bytes in all.
// A branch or tag may hold '/'; no ref is a folder of another.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/commit.h"
#include "object/ids.h"
#include "repo/history.h"
#include "repo/repository.h"

namespace flair {

// A full name ("heads/main"). Errors: kInvalidArgument names the rule it breaks.
Status CheckRefName(std::string_view name);
// "main" -> "heads/main", after checking.
Result<std::string> BranchRef(std::string_view branch);
// "heads/main" -> "main", "remotes/origin/main" -> "origin/main", "aliases/prod" -> "@prod".
std::string ShortRefName(std::string_view name);

struct Ref {
  std::string name;
  CommitId commit;
  bool operator==(const Ref&) const = default;
};

Result<std::optional<CommitId>> GetRef(Repository& repo, std::string_view name);
// Sorted; `prefix` "heads/" lists branches, "" everything.
Result<std::vector<Ref>> ListRefs(Repository& repo, std::string_view prefix = "");

enum class Expect : std::uint8_t {
  kOld,       // the ref must be exactly `old` (absent: must not exist)
  kAnything,  // whatever is there
};

struct RefUpdate {
  std::string name;
  std::optional<CommitId> old;
  std::optional<CommitId> to;  // absent: delete
  Expect expect = Expect::kOld;
};

// All or none, with reflog and operation log, in one transaction.
// Errors: kConflict names the ref, what was expected and what is there.
Status CompareAndSwap(Repository& repo, const std::vector<RefUpdate>& updates,
                      std::string_view kind, std::string_view reason);

// Where the working tree stands.
struct Head {
  std::string branch;              // full name "heads/main"; empty when detached
  std::optional<CommitId> commit;  // absent on an unborn branch
  bool operator==(const Head&) const = default;
};
Result<Head> ReadHead(Repository& repo);

struct ReflogEntry {
  std::string ref;  // full name, or "HEAD"
  std::optional<CommitId> from;
  std::optional<CommitId> to;
  std::int64_t time_s = 0;
  std::int64_t operation = 0;
  std::string reason;
};
// Newest first; all refs when `ref` is empty; `limit` 0: all.
Result<std::vector<ReflogEntry>> ReadReflog(Repository& repo, std::string_view ref,
                                            std::size_t limit = 0);

// branch, tag, @alias, HEAD, proposals/7, origin/main, any full ref name, a commit
// id or unique prefix of at least 6 digits, each with ~N and ^N behind it.
// Errors: kNotFound; kInvalidArgument when it is ambiguous (names the candidates).
Result<CommitId> Resolve(Repository& repo, std::string_view text);

}  // namespace flair
