// The staging index: the tree that the next commit will have, and the stat cache
// that says which files on disk are known to equal a stored file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/env.h"
#include "object/tree.h"
#include "repo/repository.h"

namespace flair {

// Sorted like a Tree.
Result<Tree> ReadStaging(Repository& repo);

// One path's entry before and after; absent: not in the index.
struct StagingChange {
  std::string path;
  std::optional<TreeEntry> before;
  std::optional<TreeEntry> after;
};
// What leads from one tree to the other.
std::vector<StagingChange> DiffEntries(const Tree& from, const Tree& to);

// A file on disk that equalled `file`, or was its light copy, when it had this stat.
struct StatCacheEntry {
  std::string path;
  FileInfo info;
  FileId file;
  std::int64_t recorded_ns = 0;  // when it was known to be equal
};

// A file changed within this time of being recorded may change again without a
// new time stamp; such an entry is not trusted (git's "racily clean").
inline constexpr std::int64_t kRacyWindowNs = 20'000'000;

// True when `now_on_disk` proves that the file is what the entry says.
bool IsFresh(const StatCacheEntry& entry, const FileInfo& now_on_disk);

Result<std::unordered_map<std::string, StatCacheEntry>> ReadStatCache(Repository& repo);
Status WriteStatCache(Repository& repo, const std::vector<StatCacheEntry>& entries);
// The same inside the caller's transaction.
Status PutStatCacheRows(Repository& repo, const std::vector<StatCacheEntry>& entries);

}  // namespace flair
