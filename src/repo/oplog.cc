// SPDX-License-Identifier: Apache-2.0
#include "repo/oplog.h"

#include <algorithm>
#include <unordered_set>

#include "repo/checkout.h"

namespace flair {
namespace {

enum class Area : std::uint8_t { kStaging = 1, kWorktree = 2 };

std::string ShortOrNothing(const std::optional<CommitId>& id) {
  return id ? id->Short() : "nothing";
}

// "heads/main" or 64 hex digits.
std::string ToText(const HeadTarget& target) {
  return target.branch.empty() ? target.commit->ToHex() : target.branch;
}
Result<HeadTarget> HeadTargetFrom(const std::string& text) {
  if (text.find('/') != std::string::npos) return HeadTarget{.branch = text, .commit = {}};
  FLAIR_TRY(const CommitId id, CommitId::FromHex(text));
  return HeadTarget{.branch = "", .commit = id};
}

// --- inside the transaction ----------------------------------------------------

// No ref is a folder of another: "heads/a" and "heads/a/b" exclude each other.
Status CheckNoFolderClash(Repository& repo, const std::string& name) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT name FROM refs WHERE"
                                               " substr(name, 1, length(?1) + 1) = ?1 || '/'"
                                               " OR substr(?1, 1, length(name) + 1) = name || '/'"
                                               " LIMIT 1"));
  query.Bind(1, name);
  FLAIR_TRY(const bool clash, query.Step());
  if (!clash) return OkStatus();
  return Error(ErrorCode::kAlreadyExists,
               name + ": " + query.Text(0) + " exists, and a ref cannot be a folder of another");
}

// Checks one update and writes it. Returns what was there, or nothing to do.
Result<std::optional<RefUpdate>> MoveRef(Repository& repo, const RefUpdate& update) {
  FLAIR_TRY(const auto now, GetRef(repo, update.name));
  if (update.expect == Expect::kOld && now != update.old) {
    return Error(ErrorCode::kConflict, update.name + " moved: expected " +
                                           ShortOrNothing(update.old) + ", found " +
                                           ShortOrNothing(now))
        .WithHint("somebody moved it first; look again and repeat");
  }
  if (now == update.to) return std::optional<RefUpdate>();
  if (!update.to) {
    FLAIR_TRY(Statement write, repo.db().Prepare("DELETE FROM refs WHERE name = ?"));
    FLAIR_DO(write.Bind(1, update.name).Run());
  } else {
    if (!now) FLAIR_DO(CheckNoFolderClash(repo, update.name));
    FLAIR_TRY(Statement write, repo.db().Prepare("INSERT OR REPLACE INTO refs VALUES(?, ?)"));
    FLAIR_DO(write.Bind(1, update.name).Bind(2, update.to->digest).Run());
  }
  return std::optional<RefUpdate>(RefUpdate{.name = update.name, .old = now, .to = update.to});
}

Result<std::optional<TreeEntry>> StagedEntry(Repository& repo, const std::string& path) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT mode, file_id, size_bytes FROM staging WHERE path = ?"));
  query.Bind(1, path);
  FLAIR_TRY(const bool found, query.Step());
  if (!found) return std::optional<TreeEntry>();
  FLAIR_TRY(const Digest file, query.DigestAt(1));
  return std::optional<TreeEntry>(
      TreeEntry{.path = path,
                .mode = static_cast<FileMode>(query.Int(0)),
                .file = FileId{file},
                .size_bytes = static_cast<std::uint64_t>(query.Int(2))});
}

Status ChangeStaging(Repository& repo, const StagingChange& change) {
  FLAIR_TRY(const auto now, StagedEntry(repo, change.path));
  if (now != change.before) {
    return Error(ErrorCode::kConflict, change.path + ": the index changed meanwhile")
        .WithHint("repeat the command");
  }
  if (change.after) {
    FLAIR_TRY(Statement write,
              repo.db().Prepare("INSERT OR REPLACE INTO staging VALUES(?, ?, ?, ?)"));
    return write.Bind(1, change.path)
        .Bind(2, static_cast<std::int64_t>(change.after->mode))
        .Bind(3, change.after->file.digest)
        .Bind(4, static_cast<std::int64_t>(change.after->size_bytes))
        .Run();
  }
  for (const char* sql :
       {"DELETE FROM staging WHERE path = ?", "DELETE FROM stat_cache WHERE path = ?"}) {
    FLAIR_TRY(Statement write, repo.db().Prepare(sql));
    FLAIR_DO(write.Bind(1, change.path).Run());
  }
  return OkStatus();
}

Status WriteHead(Repository& repo, const HeadTarget& head) {
  FLAIR_TRY(Statement write, repo.db().Prepare("UPDATE head SET branch = ?, commit_id = ?"));
  if (head.branch.empty()) {
    write.BindNull(1).Bind(2, head.commit->digest);
  } else {
    write.Bind(1, head.branch).BindNull(2);
  }
  return write.Run();
}

Status RememberCommits(Repository& repo, const std::vector<CommitId>& commits) {
  FLAIR_TRY(Statement write, repo.db().Prepare("INSERT OR IGNORE INTO commits VALUES(?)"));
  for (const CommitId& id : commits) FLAIR_DO(write.Bind(1, id.digest).Run());
  return OkStatus();
}

Status LogRef(Repository& repo, std::int64_t operation, const std::string& ref,
              const std::optional<CommitId>& before, const std::optional<CommitId>& after,
              const std::string& reason) {
  const auto digest = [](const std::optional<CommitId>& id) {
    return id ? std::optional<Digest>(id->digest) : std::nullopt;
  };
  FLAIR_TRY(Statement write,
            repo.db().Prepare("INSERT INTO reflog(ref, before, after, time_s, operation, reason)"
                              " VALUES(?, ?, ?, ?, ?, ?)"));
  FLAIR_DO(write.Bind(1, ref)
               .Bind(2, digest(before))
               .Bind(3, digest(after))
               .Bind(4, repo.env().NowSeconds())
               .Bind(5, operation)
               .Bind(6, reason)
               .Run());
  if (ref == "HEAD") return OkStatus();
  FLAIR_TRY(Statement row, repo.db().Prepare("INSERT INTO operation_refs VALUES(?, ?, ?, ?)"));
  return row.Bind(1, operation).Bind(2, ref).Bind(3, digest(before)).Bind(4, digest(after)).Run();
}

Status LogFile(Repository& repo, std::int64_t operation, Area area, const StagingChange& change) {
  FLAIR_TRY(Statement write,
            repo.db().Prepare("INSERT INTO operation_files VALUES(?,?,?,?,?,?,?,?,?)"));
  write.Bind(1, operation).Bind(2, static_cast<std::int64_t>(area)).Bind(3, change.path);
  int column = 4;
  for (const auto* entry : {&change.before, &change.after}) {
    if (*entry) {
      write.Bind(column, static_cast<std::int64_t>((*entry)->mode))
          .Bind(column + 1, (*entry)->file.digest)
          .Bind(column + 2, static_cast<std::int64_t>((*entry)->size_bytes));
    } else {
      write.BindNull(column).BindNull(column + 1).BindNull(column + 2);
    }
    column += 3;
  }
  return write.Run();
}

// Commits behind the new tips that the table does not list yet.
Result<std::vector<CommitId>> NewCommits(Repository& repo, const OperationPlan& plan) {
  std::vector<CommitId> pending;
  for (const RefUpdate& update : plan.refs) {
    FLAIR_DO(CheckRefName(update.name));
    if (!update.to) continue;
    if (!repo.objects().HasObject(ObjectKind::kCommit, update.to->digest)) {
      return Error(ErrorCode::kNotFound,
                   update.name + ": commit " + update.to->Short() + " is not in this repository");
    }
    pending.push_back(*update.to);
  }
  if (plan.head && plan.head->commit) pending.push_back(*plan.head->commit);
  std::vector<CommitId> fresh;
  std::unordered_set<CommitId, IdHash> seen;
  while (!pending.empty()) {
    const CommitId id = pending.back();
    pending.pop_back();
    if (!seen.insert(id).second) continue;
    FLAIR_TRY(Statement query, repo.db().Prepare("SELECT 1 FROM commits WHERE commit_id = ?"));
    query.Bind(1, id.digest);
    FLAIR_TRY(const bool listed, query.Step());
    // Parents may be absent: a shallow clone ends somewhere.
    if (listed || !repo.objects().HasObject(ObjectKind::kCommit, id.digest)) continue;
    FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
    fresh.push_back(id);
    pending.insert(pending.end(), commit.parents.begin(), commit.parents.end());
  }
  return fresh;
}

}  // namespace

Result<HeadTarget> ReadHeadTarget(Repository& repo) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT branch, commit_id FROM head"));
  FLAIR_TRY(const bool row, query.Step());
  if (!row) return Error(ErrorCode::kCorrupt, repo.flair_dir() + "/meta.db: HEAD is missing");
  FLAIR_TRY(const auto digest, query.OptionalDigestAt(1));
  HeadTarget target{.branch = query.Text(0), .commit = {}};
  if (digest) target.commit = CommitId{*digest};
  return target;
}

Result<std::int64_t> Apply(Repository& repo, const OperationPlan& plan) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const std::vector<CommitId> fresh, NewCommits(repo, plan));
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  FLAIR_DO(RememberCommits(repo, fresh));

  FLAIR_TRY(const Head head_before, ReadHead(repo));
  FLAIR_TRY(const HeadTarget target_before, ReadHeadTarget(repo));
  const HeadTarget target_after = plan.head.value_or(target_before);
  std::vector<RefUpdate> moved;
  // Deletions first, so that "a" may become "a/b" in one operation.
  for (const bool deletes : {true, false}) {
    for (const RefUpdate& update : plan.refs) {
      if (deletes != !update.to) continue;
      FLAIR_TRY(auto change, MoveRef(repo, update));
      if (change) moved.push_back(std::move(*change));
    }
  }
  if (target_after != target_before) FLAIR_DO(WriteHead(repo, target_after));
  for (const StagingChange& change : plan.staging) FLAIR_DO(ChangeStaging(repo, change));
  FLAIR_DO(PutStatCacheRows(repo, plan.stats));

  const bool recorded = !moved.empty() || target_after != target_before || !plan.staging.empty() ||
                        !plan.worktree.empty();
  std::int64_t operation = 0;
  if (recorded) {
    FLAIR_TRY(Statement write,
              repo.db().Prepare("INSERT INTO operations(time_s, kind, reason, undoes, head_before,"
                                " head_after) VALUES(?, ?, ?, ?, ?, ?)"));
    write.Bind(1, repo.env().NowSeconds()).Bind(2, plan.kind).Bind(3, plan.reason);
    if (plan.undoes) {
      write.Bind(4, *plan.undoes);
    } else {
      write.BindNull(4);
    }
    FLAIR_DO(write.Bind(5, ToText(target_before)).Bind(6, ToText(target_after)).Run());
    operation = repo.db().LastInsertId();
    for (const RefUpdate& update : moved) {
      FLAIR_DO(LogRef(repo, operation, update.name, update.old, update.to, plan.reason));
    }
    FLAIR_TRY(const Head head_after, ReadHead(repo));
    if (head_after != head_before) {
      FLAIR_DO(LogRef(repo, operation, "HEAD", head_before.commit, head_after.commit, plan.reason));
    }
    for (const StagingChange& change : plan.staging) {
      FLAIR_DO(LogFile(repo, operation, Area::kStaging, change));
    }
    for (const WorktreeChange& change : plan.worktree) {
      FLAIR_DO(LogFile(repo, operation, Area::kWorktree, change));
    }
  }
  FLAIR_DO(transaction.Commit());
  return operation;
}

// --- reading the log -----------------------------------------------------------

namespace {

Result<std::vector<RefUpdate>> RefsOf(Repository& repo, std::int64_t operation) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT ref, before, after FROM operation_refs WHERE operation = ?"));
  query.Bind(1, operation);
  std::vector<RefUpdate> refs;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return refs;
    RefUpdate update{.name = query.Text(0), .old = {}, .to = {}};
    FLAIR_TRY(const auto before, query.OptionalDigestAt(1));
    FLAIR_TRY(const auto after, query.OptionalDigestAt(2));
    if (before) update.old = CommitId{*before};
    if (after) update.to = CommitId{*after};
    refs.push_back(std::move(update));
  }
}

Result<std::vector<StagingChange>> FilesOf(Repository& repo, std::int64_t operation, Area area) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT path, before_mode, before_file, before_size, after_mode,"
                              " after_file, after_size FROM operation_files"
                              " WHERE operation = ? AND area = ? ORDER BY path"));
  query.Bind(1, operation).Bind(2, static_cast<std::int64_t>(area));
  std::vector<StagingChange> changes;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return changes;
    StagingChange change{.path = query.Text(0), .before = {}, .after = {}};
    for (const int column : {1, 4}) {
      if (query.IsNull(column)) continue;
      FLAIR_TRY(const Digest file, query.DigestAt(column + 1));
      (column == 1 ? change.before : change.after) =
          TreeEntry{.path = change.path,
                    .mode = static_cast<FileMode>(query.Int(column)),
                    .file = FileId{file},
                    .size_bytes = static_cast<std::uint64_t>(query.Int(column + 2))};
    }
    changes.push_back(std::move(change));
  }
}

std::vector<StagingChange> Reversed(std::vector<StagingChange> changes) {
  for (StagingChange& change : changes) std::swap(change.before, change.after);
  return changes;
}

}  // namespace

Result<std::vector<OperationSummary>> ListOperations(Repository& repo, std::size_t limit) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT id, time_s, kind, reason, undoes FROM operations"
                              " ORDER BY id DESC LIMIT ?"));
  query.Bind(1, limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(limit));
  std::vector<OperationSummary> operations;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return operations;
    OperationSummary summary{.id = query.Int(0),
                             .time_s = query.Int(1),
                             .kind = query.Text(2),
                             .reason = query.Text(3),
                             .undoes = {},
                             .refs = {}};
    if (!query.IsNull(4)) summary.undoes = query.Int(4);
    FLAIR_TRY(summary.refs, RefsOf(repo, summary.id));
    operations.push_back(std::move(summary));
  }
}

Result<OperationSummary> Undo(Repository& repo, const ProgressSink& progress) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const auto newest, ListOperations(repo, 1));
  if (newest.empty()) return Error(ErrorCode::kNotFound, "there is no operation to undo");
  const OperationSummary& last = newest.front();

  OperationPlan plan;
  plan.kind = "undo";
  plan.reason = "undo " + last.kind + ": " + last.reason;
  plan.undoes = last.id;
  for (const RefUpdate& update : last.refs) {
    plan.refs.push_back({.name = update.name, .old = update.to, .to = update.old});
  }
  {
    FLAIR_TRY(Statement query,
              repo.db().Prepare("SELECT head_before FROM operations WHERE id = ?"));
    query.Bind(1, last.id);
    FLAIR_DO(query.Step());
    FLAIR_TRY(plan.head, HeadTargetFrom(query.Text(0)));
  }
  FLAIR_TRY(auto staging, FilesOf(repo, last.id, Area::kStaging));
  plan.staging = Reversed(std::move(staging));
  FLAIR_TRY(auto worktree, FilesOf(repo, last.id, Area::kWorktree));
  FLAIR_TRY(CheckoutOutcome outcome,
            ChangeFiles(repo, Reversed(std::move(worktree)), LocalChanges::kRefuse, progress));
  plan.worktree = std::move(outcome.worktree);
  plan.stats = std::move(outcome.stats);
  FLAIR_DO(Apply(repo, plan));
  return last;
}

}  // namespace flair
