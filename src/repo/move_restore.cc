// rm, mv and restore: the index and the files together.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/path.h"
#include "repo/checkout.h"
#include "repo/closure.h"
#include "repo/disk_files.h"
#include "repo/history.h"
#include "repo/oplog.h"
#include "repo/staging.h"
#include "repo/walk.h"
#include "repo/worktree.h"

namespace flair {
namespace {

std::vector<std::string> PathsOf(const std::vector<StagingChange>& changes) {
  std::vector<std::string> paths;
  for (const StagingChange& change : changes) paths.push_back(change.path);
  return paths;
}

std::string Count(std::size_t n) { return std::to_string(n) + (n == 1 ? " file" : " files"); }

// The entries of `tree` that `paths` name, or none when they name nothing in it.
Result<std::vector<TreeEntry>> TrackedOrNone(const Tree& tree,
                                             const std::vector<std::string>& paths) {
  std::vector<TreeEntry> all;
  for (const std::string& path : paths) {
    auto some = SelectTracked(tree, {path});
    if (!some.ok() && some.error().code() != ErrorCode::kNotFound) return some;
    if (some.ok()) all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

// What must change in `index` so that `paths` are as in `source`.
Result<std::vector<StagingChange>> ChangesTowards(const Tree& index, const Tree& source,
                                                  const std::vector<std::string>& paths) {
  FLAIR_TRY(const auto from, TrackedOrNone(index, paths));
  FLAIR_TRY(const auto to, TrackedOrNone(source, paths));
  if (from.empty() && to.empty()) FLAIR_DO(SelectTracked(index, paths));
  Tree a, b;
  std::set<std::string> seen;
  const auto put = [](std::vector<TreeEntry> entries, Tree& tree) {
    std::sort(entries.begin(), entries.end(),
              [](const TreeEntry& x, const TreeEntry& y) { return x.path < y.path; });
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    tree.entries = std::move(entries);
  };
  put(from, a);
  put(to, b);
  return DiffEntries(a, b);
}

Result<Tree> TreeOf(Repository& repo, const std::optional<CommitId>& commit) {
  if (!commit) return Tree{};
  return ReadCommitTree(repo.objects(), *commit);
}

}  // namespace

Result<std::vector<std::string>> Remove(Repository& repo, const std::vector<std::string>& paths,
                                        RemoveMode mode) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Tree index, ReadStaging(repo));
  FLAIR_TRY(const auto entries, SelectTracked(index, paths));
  OperationPlan plan;
  plan.kind = "rm";
  plan.reason = "rm " + Count(entries.size());
  for (const TreeEntry& entry : entries) {
    plan.staging.push_back({.path = entry.path, .before = entry, .after = {}});
  }
  if (mode == RemoveMode::kIndexAndFile) {
    FLAIR_TRY(auto outcome, ChangeFiles(repo, plan.staging, LocalChanges::kRefuse));
    plan.worktree = std::move(outcome.worktree);
  }
  FLAIR_DO(Apply(repo, plan));
  return PathsOf(plan.staging);
}

Status Move(Repository& repo, std::string_view from, std::string_view to) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  Env& env = repo.env();
  FLAIR_TRY(const Tree index, ReadStaging(repo));
  const std::string source(from);
  FLAIR_TRY(const auto entries, SelectTracked(index, {source}));
  FLAIR_TRY(DiskFiles disk, DiskFiles::Load(repo));
  FLAIR_TRY(const auto source_info, disk.Stat(source));
  if (!source_info) return Error(ErrorCode::kNotFound, source + ": no such file on disk");
  std::string target(to);
  FLAIR_TRY(const auto target_info, target.empty() ? disk.Stat("") : disk.Stat(target));
  if (target_info && target_info->kind == FileKind::kDirectory) {
    target = JoinPath(target, source.substr(source.rfind('/') + 1));
  }
  FLAIR_DO(CheckRepoPath(target));
  FLAIR_DO(disk.CheckParents(target));
  FLAIR_TRY(const auto taken, disk.Stat(target));
  if (taken || index.Find(target) != nullptr) {
    return Error(ErrorCode::kAlreadyExists, target + ": there is something already");
  }
  if (IsBelow(target, source)) {
    return Error(ErrorCode::kInvalidArgument, source + ": cannot move into itself");
  }

  // The files as they are, so that undo finds them again even when they were edited.
  OperationPlan plan;
  plan.kind = "mv";
  plan.reason = "mv " + source + " " + target;
  std::vector<std::string> names;
  std::unique_ptr<ObjectBatch> batch;
  for (const TreeEntry& entry : entries) {
    TreeEntry moved = entry;
    moved.path = target + entry.path.substr(source.size());
    FLAIR_DO(CheckRepoPath(moved.path));
    plan.staging.push_back({.path = entry.path, .before = entry, .after = {}});
    plan.staging.push_back({.path = moved.path, .before = {}, .after = moved});
    names.push_back(moved.path);
    FLAIR_TRY(const DiskState state, disk.Compare(entry));
    TreeEntry on_disk = entry;
    if (state == DiskState::kAbsent || state == DiskState::kNotAFile) continue;
    if (state == DiskState::kDifferent) {
      if (!batch) {
        FLAIR_TRY(batch, repo.objects().Begin());
      }
      FLAIR_TRY(on_disk, disk.Store(*batch, entry.path, nullptr, {}));
    }
    plan.worktree.push_back({.path = entry.path, .before = on_disk, .after = {}});
    on_disk.path = moved.path;
    plan.worktree.push_back({.path = moved.path, .before = {}, .after = on_disk});
  }
  for (const TreeEntry& entry : index.entries) {
    if (entry.path != source && !IsBelow(entry.path, source)) names.push_back(entry.path);
  }
  FLAIR_DO(CheckNoCaseCollisions(names));
  if (batch) FLAIR_DO(batch->Commit());
  (void)disk.TakeLearnt();  // about the old names

  FLAIR_DO(MakeDirs(env, ParentPath(repo.PathOf(target))));
  const std::int64_t known_ns = env.NowNs();
  FLAIR_DO(env.Rename(repo.PathOf(source), repo.PathOf(target)));
  for (const WorktreeChange& change : plan.worktree) {
    if (!change.after) continue;
    FLAIR_TRY(const auto info, disk.Stat(change.path));
    if (info) disk.Learn(change.path, *info, change.after->file, known_ns);
  }
  plan.stats = disk.TakeLearnt();
  const auto applied = Apply(repo, plan);
  if (applied.ok()) return OkStatus();
  (void)env.Rename(repo.PathOf(target), repo.PathOf(source));
  return applied.error();
}

Result<std::vector<std::string>> Restore(Repository& repo, const std::vector<std::string>& paths,
                                         const RestoreOptions& options) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Tree index, ReadStaging(repo));
  OperationPlan plan;
  plan.kind = "restore";
  if (options.what == RestoreWhat::kStaged) {
    FLAIR_TRY(const Head head, ReadHead(repo));
    FLAIR_TRY(const Tree source, TreeOf(repo, head.commit));
    FLAIR_TRY(plan.staging, ChangesTowards(index, source, paths));
    plan.reason = "restore the index entries of " + Count(plan.staging.size());
    FLAIR_DO(Apply(repo, plan));
    return PathsOf(plan.staging);
  }
  std::vector<WorktreeChange> files;
  if (options.what == RestoreWhat::kFromCommit) {
    if (!options.source) {
      return Error(ErrorCode::kInvalidArgument, "restore: no commit to restore from");
    }
    FLAIR_TRY(const Tree source, TreeOf(repo, options.source));
    FLAIR_TRY(plan.staging, ChangesTowards(index, source, paths));
    files = plan.staging;
    // Files that are the same in both but were edited come back, too.
    FLAIR_TRY(const auto wanted, TrackedOrNone(source, paths));
    for (const TreeEntry& entry : wanted) {
      const TreeEntry* staged = index.Find(entry.path);
      if (staged != nullptr && *staged == entry) {
        files.push_back({.path = entry.path, .before = entry, .after = entry});
      }
    }
  } else {
    FLAIR_TRY(const auto entries, SelectTracked(index, paths));
    for (const TreeEntry& entry : entries) {
      files.push_back({.path = entry.path, .before = entry, .after = entry});
    }
  }
  FLAIR_TRY(auto outcome, ChangeFiles(repo, files, LocalChanges::kStoreFirst, options.progress));
  if (outcome.worktree.empty() && !outcome.left_out.empty()) {
    const TreeEntry& entry = outcome.left_out.front();
    Status complete = CheckFileComplete(repo.objects(), entry.file);
    if (!complete.ok()) return std::move(complete).error().In(entry.path);
  }
  plan.worktree = std::move(outcome.worktree);
  plan.stats = std::move(outcome.stats);
  plan.reason = "restore " + Count(plan.worktree.size());
  FLAIR_DO(Apply(repo, plan));
  std::set<std::string> changed;
  for (const auto& change : plan.worktree) changed.insert(change.path);
  for (const auto& change : plan.staging) changed.insert(change.path);
  return std::vector<std::string>(changed.begin(), changed.end());
}

}  // namespace flair
