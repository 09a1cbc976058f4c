// Reverts and cherry-picks: the same join, with one commit's change as the only input.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "repo/history.h"
#include "repo/join_trees.h"
#include "repo/merge_commits.h"
#include "repo/prepared.h"

namespace flair {
namespace {

// Applies the change from `from` to `to` onto `tip`.
struct Change {
  CommitId tip;
  TreeId from;
  TreeId to;
  std::string name;  // the commit, for messages
  BothChanged both_changed = BothChanged::kUpdate;
};

Result<PreparedMerge> Apply(ObjectStore& objects, const Change& change, const Lineage& lineage,
                            const DeriveOptions& options) {
  JoinRequest request;
  FLAIR_TRY(request.target, ReadCommitTree(objects, change.tip));
  FLAIR_TRY(Tree to, ReadTree(objects, change.to));
  FLAIR_TRY(Tree from, ReadTree(objects, change.from));
  request.inputs.push_back(std::move(to));
  request.bases.push_back(std::move(from));
  request.input_names.push_back(change.name);
  request.rule.method = MergeMethod::kLinear;
  request.rule.alpha = {kAlphaOne};
  request.both_changed = change.both_changed;
  request.progress = options.progress;
  FLAIR_TRY(TreeJoin join, TreeJoin::Plan(objects, std::move(request)));

  Commit commit;
  commit.parents = {change.tip};
  commit.author = options.author;
  commit.time_s = options.time_s;
  commit.message = options.message;
  commit.lineage = {lineage};
  return FinishJoin(objects, std::move(join), std::move(commit), options.run);
}

}  // namespace

Result<PreparedMerge> PrepareRevert(ObjectStore& objects, const CommitId& tip,
                                    const CommitId& reverted, RevertBy by,
                                    const DeriveOptions& options) {
  History history(objects);
  FLAIR_TRY(const bool contains, history.IsAncestor(reverted, tip));
  if (!contains) {
    return Error(ErrorCode::kInvalidArgument,
                 "commit " + reverted.Short() + " is not part of " + tip.Short() + "'s history");
  }
  FLAIR_TRY(const Commit* const commit, history.Get(reverted));
  if (commit->parents.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "commit " + reverted.Short() + " is a first commit: there is nothing before it");
  }
  FLAIR_TRY(const Commit* const parent, history.Get(commit->parents[0]));
  const bool by_history = by == RevertBy::kHistory;
  return Apply(objects,
               {.tip = tip,
                .from = commit->tree,
                .to = parent->tree,
                .name = "before " + reverted.Short(),
                .both_changed = by_history ? BothChanged::kConflict : BothChanged::kUpdate},
               {.kind = by_history ? LineageKind::kRevertHistory : LineageKind::kRevertSubtract,
                .commit = reverted},
               options);
}

Result<PreparedMerge> PrepareCherryPick(ObjectStore& objects, const CommitId& tip,
                                        const CommitId& picked, const DeriveOptions& options) {
  FLAIR_TRY(const Commit commit, ReadCommit(objects, picked));
  if (commit.parents.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "commit " + picked.Short() + " is a first commit: it changes nothing");
  }
  FLAIR_TRY(const Commit parent, ReadCommit(objects, commit.parents[0]));
  return Apply(objects,
               {.tip = tip,
                .from = parent.tree,
                .to = commit.tree,
                .name = picked.Short(),
                .both_changed = BothChanged::kUpdate},
               {.kind = LineageKind::kCherryPick, .commit = picked}, options);
}

}  // namespace flair
