// Status: HEAD's tree, the index and the files on disk, compared.
// SPDX-License-Identifier: Apache-2.0
#include <unordered_set>

#include "base/path.h"
#include "repo/disk_files.h"
#include "repo/extent.h"
#include "repo/history.h"
#include "repo/staging.h"
#include "repo/walk.h"
#include "repo/worktree.h"

namespace flair {
namespace {

struct Tracked {
  std::unordered_set<std::string> files;
  std::unordered_set<std::string> folders;
};

Tracked TrackedPaths(const Tree& index) {
  Tracked tracked;
  for (const TreeEntry& entry : index.entries) {
    tracked.files.insert(entry.path);
    for (std::string parent = ParentPath(entry.path); !parent.empty();
         parent = ParentPath(parent)) {
      if (!tracked.folders.insert(parent).second) break;
    }
  }
  return tracked;
}

Status CollectUntracked(Repository& repo, const std::string& folder, IgnoreRules rules,
                        const Tracked& tracked, WorktreeStatus& status) {
  FLAIR_TRY(const auto listing, ListFolder(repo, folder, rules));
  for (const Listed& entry : listing) {
    if (entry.ignored || tracked.files.contains(entry.path)) continue;
    if (!entry.storable) {
      status.refused.push_back(entry.path);
    } else if (entry.info.kind == FileKind::kFile) {
      status.untracked.push_back(entry.path);
    } else if (tracked.folders.contains(entry.path)) {
      FLAIR_DO(CollectUntracked(repo, entry.path, rules, tracked, status));
    } else {
      WorktreeStatus inside;
      FLAIR_DO(CollectUntracked(repo, entry.path, rules, tracked, inside));
      if (!inside.untracked.empty()) status.untracked.push_back(entry.path + "/");
      status.refused.insert(status.refused.end(), inside.refused.begin(), inside.refused.end());
    }
  }
  return OkStatus();
}

}  // namespace

std::string_view FileChangeName(FileChange kind) {
  switch (kind) {
    case FileChange::kAdded:
      return "added";
    case FileChange::kModified:
      return "modified";
    case FileChange::kDeleted:
      return "deleted";
  }
  return "unknown";
}

Result<WorktreeStatus> ReadStatus(Repository& repo) {
  WorktreeStatus status;
  FLAIR_TRY(status.head, ReadHead(repo));
  Tree head_tree;
  if (status.head.commit) {
    FLAIR_TRY(head_tree, ReadCommitTree(repo.objects(), *status.head.commit));
  }
  FLAIR_TRY(const Tree index, ReadStaging(repo));
  for (const StagingChange& change : DiffEntries(head_tree, index)) {
    status.staged.push_back({.path = change.path,
                             .kind = !change.before  ? FileChange::kAdded
                                     : !change.after ? FileChange::kDeleted
                                                     : FileChange::kModified});
  }
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  status.light = extent.light;
  FLAIR_TRY(const LeftOutFiles left_out, LeftOutFiles::Load(repo));
  FLAIR_TRY(DiskFiles disk, DiskFiles::Load(repo));
  for (const TreeEntry& entry : index.entries) {
    // Behind a symlink there is no file of this repository.
    DiskState state = DiskState::kAbsent;
    if (disk.CheckParents(entry.path).ok()) {
      FLAIR_TRY(state, disk.Compare(entry));
    }
    if (state == DiskState::kSame) continue;
    if (state == DiskState::kAbsent) {
      FLAIR_TRY(const bool on_purpose, left_out.Contains(entry));
      if (on_purpose) {
        status.left_out.push_back(entry.path);
        continue;
      }
    }
    status.unstaged.push_back(
        {.path = entry.path,
         .kind = state == DiskState::kDifferent ? FileChange::kModified : FileChange::kDeleted});
  }
  FLAIR_DO(CollectUntracked(repo, "", {}, TrackedPaths(index), status));
  // What was learnt by reading files saves the next reading; a busy or full disk only
  // means that it is learnt again.
  (void)WriteStatCache(repo, disk.TakeLearnt());
  return status;
}

}  // namespace flair
