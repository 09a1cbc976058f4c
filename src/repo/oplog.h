// The operation log: the one door through which refs, HEAD and the staging index
// change, so that every operation can be taken back.
//
// Invariants
//   (1) An operation is one transaction: refs (compare-and-swap), HEAD, index,
//       reflog and the log's row, all or none.
//   (2) Undo restores exactly what the operation changed, or refuses.
//   (3) Undo is an operation: undoing it takes it back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/progress.h"
#include "repo/refs.h"
#include "repo/staging.h"

namespace flair {

// HEAD's own state: a branch or a commit.
struct HeadTarget {
  std::string branch;              // full name, or empty: detached
  std::optional<CommitId> commit;  // detached only
  bool operator==(const HeadTarget&) const = default;
};
Result<HeadTarget> ReadHeadTarget(Repository& repo);

// A file on disk that the operation replaced or removed; stored, so that undo
// can bring it back even when it was never committed.
using WorktreeChange = StagingChange;

struct OperationPlan {
  std::string kind;    // "commit", "merge", "switch", "reset", "undo", ...
  std::string reason;  // one line for people
  std::vector<RefUpdate> refs;
  std::optional<HeadTarget> head;  // absent: HEAD stays
  std::vector<StagingChange> staging;
  std::vector<WorktreeChange> worktree;  // already done on disk
  std::vector<StatCacheEntry> stats;
  std::optional<std::int64_t> undoes;
};

// Errors: kConflict when a ref or the index is no longer what the plan assumed.
// A plan that changes nothing is not recorded; its id is 0.
Result<std::int64_t> Apply(Repository& repo, const OperationPlan& plan);

struct OperationSummary {
  std::int64_t id = 0;
  std::int64_t time_s = 0;
  std::string kind;
  std::string reason;
  std::optional<std::int64_t> undoes;
  std::vector<RefUpdate> refs;  // old and to
};
// Newest first; `limit` 0: all.
Result<std::vector<OperationSummary>> ListOperations(Repository& repo, std::size_t limit = 0);

// Takes back the last operation, whatever it was; brings back the files it replaced.
// Errors: kNotFound when there is none, kConflict when files on disk changed since.
Result<OperationSummary> Undo(Repository& repo, const ProgressSink& progress = {});

}  // namespace flair
