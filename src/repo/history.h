// History: walking the graph of commits.
//
// Place: repo, over ObjectStore alone, so that hub and clients share it.
// Thread safety: a History is used by one thread; it caches the commits it reads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "object/commit.h"
#include "object/file.h"
#include "object/ids.h"
#include "object/tree.h"
#include "store/object_store.h"

namespace flair {

// One object, read and decoded. Errors: kNotFound and kCorrupt, naming the object.
Result<Commit> ReadCommit(const ObjectStore& objects, const CommitId& id);
Result<Tree> ReadTree(const ObjectStore& objects, const TreeId& id);
Result<File> ReadFileObject(const ObjectStore& objects, const FileId& id);
// The tree of a commit.
Result<Tree> ReadCommitTree(const ObjectStore& objects, const CommitId& id);

struct LogEntry {
  CommitId id;
  Commit commit;
};

class History {
 public:
  // A commit that is absent from `objects` is an error, except below `shallow`
  // commits, whose parents count as not there.
  explicit History(const ObjectStore& objects, std::vector<CommitId> shallow = {});

  // The reference stays valid as long as the History.
  Result<const Commit*> Get(const CommitId& id);
  Result<std::vector<CommitId>> ParentsOf(const CommitId& id);

  // Every commit `tips` reach, themselves included, children before parents; among
  // those that could come next, the newest (time, then id) comes first. `limit` 0: all.
  Result<std::vector<LogEntry>> Log(std::span<const CommitId> tips, std::size_t limit = 0);

  // A commit is its own ancestor.
  Result<bool> IsAncestor(const CommitId& ancestor, const CommitId& descendant);

  // The lowest common ancestors of all `tips`: common to every tip and not an ancestor of
  // another one that is. Ascending by id; empty for unrelated histories.
  Result<std::vector<CommitId>> MergeBases(std::span<const CommitId> tips);
  // The lowest one; where there are several (both sides merged the same commits, each in its
  // own way), the merge base of those: what all of them grew from. If they share nothing, the
  // smallest id.
  Result<std::optional<CommitId>> MergeBase(std::span<const CommitId> tips);

  // How many merges `target`'s first-parent chain has gone on by without `input`: its
  // merge commits that are not ancestors of `input`.
  Result<std::uint64_t> Staleness(const CommitId& target, const CommitId& input);

 private:
  Result<std::unordered_set<CommitId, IdHash>> Ancestors(const CommitId& tip);

  const ObjectStore& objects_;
  std::unordered_set<CommitId, IdHash> shallow_;
  std::unordered_map<CommitId, Commit, IdHash> cache_;
};

// One row of a drawn log: the commit sits in `lane`; `edges` lead from lanes of this
// row to lanes of the next. Data only: the command line and the page draw it.
struct GraphRow {
  struct Edge {
    std::size_t from = 0;
    std::size_t to = 0;
    bool operator==(const Edge&) const = default;
  };
  CommitId commit;
  std::size_t lane = 0;
  std::size_t num_lanes = 0;  // in use in this row
  std::vector<Edge> edges;
};
// REQUIRES: children before parents, as Log returns them.
std::vector<GraphRow> LayOutGraph(std::span<const LogEntry> log);

}  // namespace flair
