// SPDX-License-Identifier: Apache-2.0
#include "repo/gc.h"

#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "object/file.h"
#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/history.h"
#include "repo/refs.h"

namespace flair {
namespace {

using DigestSet = std::unordered_set<Digest, DigestHash>;

struct Kept {
  DigestSet objects;  // of every kind: ids of different kinds never collide
  DigestSet contents;
};

Result<std::uint64_t> ForgetOldHistory(Repository& repo, std::int64_t before_s) {
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  {
    FLAIR_TRY(Statement reflog, repo.db().Prepare("DELETE FROM reflog WHERE time_s < ?"));
    FLAIR_DO(reflog.Bind(1, before_s).Run());
  }
  std::int64_t removed = 0;
  {
    FLAIR_TRY(Statement operations, repo.db().Prepare("DELETE FROM operations WHERE time_s < ?"));
    FLAIR_DO(operations.Bind(1, before_s).Run());
    removed = repo.db().ChangedRows();
  }
  FLAIR_DO(transaction.Commit());
  return static_cast<std::uint64_t>(removed);
}

// One column of digests, nulls left out.
Status CollectDigests(Repository& repo, std::string_view sql, std::vector<Digest>& into) {
  FLAIR_TRY(Statement query, repo.db().Prepare(sql));
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return OkStatus();
    FLAIR_TRY(const auto digest, query.OptionalDigestAt(0));
    if (digest) into.push_back(*digest);
  }
}

// Commits that something names: refs, HEAD, reflog, operations.
Result<std::vector<CommitId>> Tips(Repository& repo) {
  std::vector<Digest> digests;
  for (const char* sql :
       {"SELECT commit_id FROM refs", "SELECT commit_id FROM head", "SELECT before FROM reflog",
        "SELECT after FROM reflog", "SELECT before FROM operation_refs",
        "SELECT after FROM operation_refs"}) {
    FLAIR_DO(CollectDigests(repo, sql, digests));
  }
  // A detached HEAD is written as its commit's id.
  for (const char* sql :
       {"SELECT head_before FROM operations", "SELECT head_after FROM operations"}) {
    FLAIR_TRY(Statement query, repo.db().Prepare(sql));
    while (true) {
      FLAIR_TRY(const bool row, query.Step());
      if (!row) break;
      if (const auto id = Digest::FromHex(query.Text(0)); id.ok()) digests.push_back(*id);
    }
  }
  std::vector<CommitId> tips;
  for (const Digest& digest : digests) {
    if (repo.objects().HasObject(ObjectKind::kCommit, digest)) tips.push_back({digest});
  }
  return tips;
}

Status KeepHistory(Repository& repo, Kept& kept) {
  FLAIR_TRY(const std::vector<CommitId> tips, Tips(repo));
  ClosureOptions options;
  options.absent = Absent::kList;  // partial and shallow clones lack things on purpose
  options.check_contents = false;
  options.attachments = [&repo](const CommitId& id) -> Result<std::vector<AttachmentId>> {
    FLAIR_TRY(const auto listed, ListAttachments(repo, id));
    std::vector<AttachmentId> ids;
    for (const AttachmentEntry& entry : listed) ids.push_back(entry.id);
    return ids;
  };
  FLAIR_TRY(const Closure closure, WalkClosure(repo.objects(), tips, {}, options));
  for (const auto& [kind, id] : closure.objects) kept.objects.insert(id);
  for (const ContentRef& content : closure.contents) kept.contents.insert(content.hash);
  return OkStatus();
}

// Files that were added but never committed: undo may bring them back.
Status KeepLooseFiles(Repository& repo, Kept& kept) {
  std::vector<Digest> files;
  for (const char* sql :
       {"SELECT file_id FROM staging", "SELECT file_id FROM stat_cache",
        "SELECT before_file FROM operation_files", "SELECT after_file FROM operation_files"}) {
    FLAIR_DO(CollectDigests(repo, sql, files));
  }
  for (const Digest& id : files) {
    if (kept.objects.contains(id) || !repo.objects().HasObject(ObjectKind::kFile, id)) continue;
    kept.objects.insert(id);
    FLAIR_TRY(const File file, ReadFileObject(repo.objects(), FileId{id}));
    for (const Segment& segment : file.segments) {
      if (const auto* tensor = std::get_if<TensorSegment>(&segment)) {
        kept.contents.insert(tensor->tensor.content.hash);
      } else if (const auto* blob = std::get_if<BlobSegment>(&segment)) {
        kept.contents.insert(blob->content.hash);
      }
    }
  }
  return OkStatus();
}

// Ids are looked up by prefix in this table: it must not name what is gone.
Status ForgetRemovedCommits(Repository& repo, const Kept& kept) {
  std::vector<Digest> listed;
  FLAIR_DO(CollectDigests(repo, "SELECT commit_id FROM commits", listed));
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  for (const Digest& id : listed) {
    if (kept.objects.contains(id) || repo.objects().HasObject(ObjectKind::kCommit, id)) continue;
    for (const char* sql : {"DELETE FROM commits WHERE commit_id = ?",
                            "DELETE FROM attachments WHERE commit_id = ?"}) {
      FLAIR_TRY(Statement write, repo.db().Prepare(sql));
      FLAIR_DO(write.Bind(1, id).Run());
    }
  }
  return transaction.Commit();
}

}  // namespace

Result<GcReport> CollectGarbage(Repository& repo, const GcOptions& options) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  GcReport report;
  FLAIR_TRY(report.removed_operations,
            ForgetOldHistory(repo, repo.env().NowSeconds() - options.keep_history_s));
  Kept kept;
  FLAIR_DO(Report(options.progress, {.phase = "collecting", .item = "history"}));
  FLAIR_DO(KeepHistory(repo, kept));
  FLAIR_DO(KeepLooseFiles(repo, kept));
  FLAIR_DO(Report(options.progress, {.phase = "collecting", .item = "packs"}));
  FLAIR_TRY(
      const auto result,
      repo.objects().CollectGarbage(
          [&kept](ObjectKind, const Digest& id) { return kept.objects.contains(id); },
          [&kept](const Digest& hash) { return kept.contents.contains(hash); }, options.grace_s));
  report.removed_records = result.removed_records;
  report.freed_bytes = result.freed_bytes;
  FLAIR_DO(ForgetRemovedCommits(repo, kept));
  return report;
}

}  // namespace flair
