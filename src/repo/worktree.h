// The working tree: status, add, rm, mv, restore.
//
// Paths are repository paths ("" is the root); a pattern with '*', '?' or '['
// matches files (base/glob.h, path rules), a folder means what is below it.
// Symlinks and special files are never followed and never stored.
//
// Invariants
//   (1) A file is only rehashed when its stat does not prove it unchanged.
//   (2) A file on disk changes by temp + rename: it is the old one or the new one.
//   (3) What is overwritten or removed was stored before, so that undo brings it back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "repo/progress.h"
#include "repo/refs.h"
#include "repo/repository.h"

namespace flair {

enum class FileChange : std::uint8_t { kAdded, kModified, kDeleted };
std::string_view FileChangeName(FileChange kind);  // "added", "modified", "deleted"

struct PathChange {
  std::string path;
  FileChange kind = FileChange::kModified;
  bool operator==(const PathChange&) const = default;
};

struct WorktreeStatus {
  Head head;
  std::vector<PathChange> staged;      // index against HEAD's tree
  std::vector<PathChange> unstaged;    // disk against index
  std::vector<std::string> left_out;   // tracked, never written here (extent.h)
  std::vector<std::string> untracked;  // a folder without tracked files as "folder/"
  std::vector<std::string> refused;    // symlinks, sockets, names no tree can hold
  std::string light;                   // of a light clone: "int8", "bf16"
  bool clean() const { return staged.empty() && unstaged.empty(); }
};
Result<WorktreeStatus> ReadStatus(Repository& repo);

struct AddResult {
  std::vector<PathChange> changes;  // what the index gained, changed, lost
  std::vector<std::string> unchanged;
  std::vector<std::string> refused;  // skipped inside folders; named explicitly they are errors
  std::uint64_t read_bytes = 0;
  std::uint64_t stored_bytes = 0;  // growth of the store
};
// Takes new, changed and deleted files into the index. An ignored file is added
// only when it is named itself. A file that the clone left out stays in the index.
// Errors: kNotFound when a path matches nothing; kInvalidArgument for a symlink
// named explicitly, a bad name or a case collision; kCorrupt for a broken model file;
// kUnsupported in a light clone.
Result<AddResult> Add(Repository& repo, const std::vector<std::string>& paths,
                      const ProgressSink& progress = {});

enum class RemoveMode : std::uint8_t { kIndexAndFile, kIndexOnly };
// Errors: kNotFound when a path matches nothing tracked; kConflict when the file
// has changes that are nowhere stored (only kIndexAndFile).
Result<std::vector<std::string>> Remove(Repository& repo, const std::vector<std::string>& paths,
                                        RemoveMode mode);

// Renames a tracked file or folder on disk and in the index; into `to` when that
// is a folder. Errors: kAlreadyExists, kNotFound.
Status Move(Repository& repo, std::string_view from, std::string_view to);

enum class RestoreWhat : std::uint8_t {
  kFile,       // the file from the index
  kStaged,     // the index entry from HEAD
  kFromCommit  // both from `source`
};
struct RestoreOptions {
  RestoreWhat what = RestoreWhat::kFile;
  std::optional<CommitId> source;  // kFromCommit
  ProgressSink progress;
};
// Returns the paths that changed. Overwritten contents are stored first.
Result<std::vector<std::string>> Restore(Repository& repo, const std::vector<std::string>& paths,
                                         const RestoreOptions& options);

}  // namespace flair
