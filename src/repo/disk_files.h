// DiskFiles: files of the working tree against stored ones, read as rarely as possible.
//
// Place: inside repo; status, add, checkout and undo ask it. It trusts the stat cache
// where IsFresh allows, hashes otherwise, and collects what it learnt for the cache.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "object/tree.h"
#include "repo/import_file.h"
#include "repo/progress.h"
#include "repo/staging.h"

namespace flair {

enum class DiskState : std::uint8_t {
  kAbsent,
  kSame,  // content and mode equal
  kDifferent,
  kNotAFile,  // folder, symlink, socket
};

inline FileMode ModeOf(const FileInfo& info) {
  return info.executable ? FileMode::kExecutable : FileMode::kRegular;
}

class DiskFiles {
 public:
  static Result<DiskFiles> Load(Repository& repo);

  // Absent: no such file (a parent that is no folder counts, too).
  Result<std::optional<FileInfo>> Stat(const std::string& path) const;
  // kConflict-free check that no parent folder of `path` is a symlink or a file.
  // Errors: kInvalidArgument names the parent.
  Status CheckParents(const std::string& path);

  // Reads the file only when size and mode agree and the cache cannot tell.
  Result<DiskState> Compare(const TreeEntry& entry);
  // What the cache knows about a file that has this stat now.
  std::optional<FileId> Cached(const std::string& path, const FileInfo& info) const;

  // Takes the file into `batch`, against `base` (may be nullptr).
  // Errors: kInvalidArgument when it is no file, kConflict when it changes while read.
  Result<TreeEntry> Store(ObjectBatch& batch, const std::string& path, const File* base,
                          const ProgressSink& progress);

  // A file just put in place, known to be `file` at `recorded_ns`.
  void Learn(const std::string& path, const FileInfo& info, const FileId& file,
             std::int64_t recorded_ns);
  std::vector<StatCacheEntry> TakeLearnt() { return std::move(learnt_); }

 private:
  explicit DiskFiles(Repository& repo) : repo_(&repo) {}

  Repository* repo_;
  std::unordered_map<std::string, StatCacheEntry> cache_;
  std::unordered_set<std::string> checked_parents_;
  std::vector<StatCacheEntry> learnt_;
};

}  // namespace flair
