// SPDX-License-Identifier: Apache-2.0
#include "repo/move_tree.h"

#include <algorithm>
#include <map>

#include "repo/history.h"
#include "repo/staging.h"

namespace flair {

Result<Tree> CarryStaged(const Tree& from, const Tree& staged, const Tree& to) {
  std::map<std::string, TreeEntry> carried;
  for (const TreeEntry& entry : to.entries) carried.emplace(entry.path, entry);
  std::string lost;
  for (const StagingChange& change : DiffEntries(from, staged)) {
    const TreeEntry* target = to.Find(change.path);
    const std::optional<TreeEntry> there =
        target == nullptr ? std::nullopt : std::optional<TreeEntry>(*target);
    if (there == change.after) continue;
    if (there != change.before) {
      lost += (lost.empty() ? "" : ", ") + change.path;
      continue;
    }
    if (change.after) {
      carried.insert_or_assign(change.path, *change.after);
    } else {
      carried.erase(change.path);
    }
  }
  if (!lost.empty()) {
    return Error(ErrorCode::kConflict, "added but not committed, and different there: " + lost)
        .WithHint("commit it, or `flair restore --staged` it, then repeat the command");
  }
  Tree out;
  for (auto& [path, entry] : carried) out.entries.push_back(std::move(entry));
  return out;
}

Status MoveFiles(Repository& repo, const Tree& from, const Tree& to, OperationPlan& plan,
                 const ProgressSink& progress) {
  FLAIR_TRY(const Tree staged, ReadStaging(repo));
  FLAIR_TRY(const Tree target, CarryStaged(from, staged, to));
  FLAIR_TRY(CheckoutOutcome outcome, CheckoutTree(repo, target, LocalChanges::kRefuse, progress));
  plan.staging = std::move(outcome.staging);
  plan.worktree = std::move(outcome.worktree);
  plan.stats = std::move(outcome.stats);
  return OkStatus();
}

Result<Tree> HeadTree(Repository& repo) {
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (!head.commit) return Tree{};
  return ReadCommitTree(repo.objects(), *head.commit);
}

void PointHead(const Head& head, const CommitId& to, OperationPlan& plan) {
  if (head.branch.empty()) {
    plan.head = HeadTarget{.branch = "", .commit = to};
  } else {
    plan.refs.push_back({.name = head.branch, .old = head.commit, .to = to});
  }
}

}  // namespace flair
