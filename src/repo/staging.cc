// SPDX-License-Identifier: Apache-2.0
#include "repo/staging.h"

namespace flair {

Result<Tree> ReadStaging(Repository& repo) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT path, mode, file_id, size_bytes FROM staging ORDER BY 1"));
  Tree tree;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return tree;
    FLAIR_TRY(const Digest file, query.DigestAt(2));
    tree.entries.push_back({.path = query.Text(0),
                            .mode = query.Int(1) == static_cast<int>(FileMode::kExecutable)
                                        ? FileMode::kExecutable
                                        : FileMode::kRegular,
                            .file = FileId{file},
                            .size_bytes = static_cast<std::uint64_t>(query.Int(3))});
  }
}

std::vector<StagingChange> DiffEntries(const Tree& from, const Tree& to) {
  std::vector<StagingChange> changes;
  auto a = from.entries.begin();
  auto b = to.entries.begin();
  while (a != from.entries.end() || b != to.entries.end()) {
    if (b == to.entries.end() || (a != from.entries.end() && a->path < b->path)) {
      changes.push_back({.path = a->path, .before = *a, .after = {}});
      ++a;
    } else if (a == from.entries.end() || b->path < a->path) {
      changes.push_back({.path = b->path, .before = {}, .after = *b});
      ++b;
    } else {
      if (*a != *b) changes.push_back({.path = a->path, .before = *a, .after = *b});
      ++a;
      ++b;
    }
  }
  return changes;
}

bool IsFresh(const StatCacheEntry& entry, const FileInfo& now_on_disk) {
  const FileInfo& then = entry.info;
  return now_on_disk.kind == FileKind::kFile && then.size_bytes == now_on_disk.size_bytes &&
         then.mtime_ns == now_on_disk.mtime_ns && then.ctime_ns == now_on_disk.ctime_ns &&
         then.inode == now_on_disk.inode && then.device == now_on_disk.device &&
         then.executable == now_on_disk.executable &&
         then.mtime_ns + kRacyWindowNs < entry.recorded_ns;
}

Result<std::unordered_map<std::string, StatCacheEntry>> ReadStatCache(Repository& repo) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT path, size_bytes, mtime_ns, ctime_ns, inode,"
                                               " device, executable, file_id, recorded_ns"
                                               " FROM stat_cache"));
  std::unordered_map<std::string, StatCacheEntry> cache;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return cache;
    FLAIR_TRY(const Digest file, query.DigestAt(7));
    StatCacheEntry entry{.path = query.Text(0),
                         .info = {.kind = FileKind::kFile,
                                  .size_bytes = static_cast<std::uint64_t>(query.Int(1)),
                                  .mtime_ns = query.Int(2),
                                  .ctime_ns = query.Int(3),
                                  .inode = static_cast<std::uint64_t>(query.Int(4)),
                                  .device = static_cast<std::uint64_t>(query.Int(5)),
                                  .executable = query.Int(6) != 0},
                         .file = FileId{file},
                         .recorded_ns = query.Int(8)};
    std::string path = entry.path;
    cache.emplace(std::move(path), std::move(entry));
  }
}

Status WriteStatCache(Repository& repo, const std::vector<StatCacheEntry>& entries) {
  if (entries.empty()) return OkStatus();
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  FLAIR_DO(PutStatCacheRows(repo, entries));
  return transaction.Commit();
}

Status PutStatCacheRows(Repository& repo, const std::vector<StatCacheEntry>& entries) {
  FLAIR_TRY(Statement write,
            repo.db().Prepare("INSERT OR REPLACE INTO stat_cache VALUES(?,?,?,?,?,?,?,?,?)"));
  for (const StatCacheEntry& entry : entries) {
    const FileInfo& info = entry.info;
    FLAIR_DO(write.Bind(1, entry.path)
                 .Bind(2, static_cast<std::int64_t>(info.size_bytes))
                 .Bind(3, info.mtime_ns)
                 .Bind(4, info.ctime_ns)
                 .Bind(5, static_cast<std::int64_t>(info.inode))
                 .Bind(6, static_cast<std::int64_t>(info.device))
                 .Bind(7, std::int64_t{info.executable})
                 .Bind(8, entry.file.digest)
                 .Bind(9, entry.recorded_ns)
                 .Run());
  }
  return OkStatus();
}

}  // namespace flair
