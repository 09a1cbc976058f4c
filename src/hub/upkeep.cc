// SPDX-License-Identifier: Apache-2.0
#include "hub/upkeep.h"

#include <algorithm>
#include <unordered_set>

#include "base/byte_source.h"
#include "hub/hub_files.h"
#include "hub/meta/audit.h"
#include "hub/meta/proposals.h"
#include "hub/meta/refs.h"
#include "hub/meta/repos.h"
#include "object/attachment.h"
#include "repo/closure.h"
#include "repo/history.h"
#include "store/object_store.h"

namespace flair::hub {
namespace {

struct Roots {
  std::vector<CommitId> commits;  // tips of refs, proposals and prepared merges' bodies
  std::vector<AttachmentId> attachments;
};

Result<std::vector<RepoRow>> AllRepos(Database& db) {
  FLAIR_TRY(Statement rows, db.Prepare("SELECT id FROM repos ORDER BY id"));
  std::vector<std::string> ids;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) break;
    ids.push_back(rows.Text(0));
  }
  std::vector<RepoRow> out;
  for (const std::string& id : ids) {
    FLAIR_TRY(auto repo, FindRepoById(db, id));
    if (repo) out.push_back(std::move(*repo));
  }
  return out;
}

Status AppendDigests(Database& db, std::string_view sql, std::string_view repo_id,
                     const std::function<void(const Digest&)>& add) {
  FLAIR_TRY(Statement rows, db.Prepare(sql));
  rows.Bind(1, repo_id);
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return OkStatus();
    FLAIR_TRY(const Digest d, rows.DigestAt(0));
    add(d);
  }
}

// Everything a repository promised to keep: refs, what the reflog names, proposals of any
// state, and the attachments of accepted commits.
Result<Roots> RootsOf(Database& db, std::string_view repo_id) {
  Roots roots;
  const auto commit = [&](const Digest& d) { roots.commits.push_back(CommitId{d}); };
  for (const std::string_view sql :
       {"SELECT commit_id FROM refs WHERE repo_id=?", "SELECT tip FROM proposals WHERE repo_id=?",
        "SELECT new_commit FROM reflog WHERE repo_id=? AND new_commit IS NOT NULL",
        "SELECT expected_tip FROM merges WHERE repo_id=?"}) {
    FLAIR_DO(AppendDigests(db, sql, repo_id, commit));
  }
  FLAIR_DO(AppendDigests(db, "SELECT attachment FROM attachments WHERE repo_id=?", repo_id,
                         [&](const Digest& d) { roots.attachments.push_back(AttachmentId{d}); }));
  std::sort(roots.commits.begin(), roots.commits.end());
  roots.commits.erase(std::unique(roots.commits.begin(), roots.commits.end()), roots.commits.end());
  return roots;
}

std::string ObjectsFolder(const std::string& data_dir, const RepoRow& repo) {
  return data_dir + "/repos/" + repo.id + "/objects";
}

Status CheckSignature(Database& db, const ObjectStore& objects, const RepoRow& repo,
                      const CommitId& id) {
  FLAIR_TRY(const Commit commit, ReadCommit(objects, id));
  FLAIR_TRY(const auto rows, ListAttachments(db, repo.id, id));
  for (const AttachmentRow& row : rows) {
    if (row.kind != static_cast<std::uint8_t>(AttachmentKind::kSignature)) continue;
    FLAIR_TRY(const Bytes bytes, objects.ReadObject(ObjectKind::kAttachment, row.id.digest));
    FLAIR_TRY(const Attachment a, DecodeAttachment(bytes));
    return VerifyCommitSignature(commit, a);
  }
  return Error(ErrorCode::kRejected, "commit " + id.Short() + " has no signature");
}

Status FsckRepo(Database& db, const std::string& data_dir, const RepoRow& repo,
                HubFsckReport& report) {
  const std::string name = repo.owner + "/" + repo.name + ": ";
  FLAIR_TRY(const auto objects, ObjectStore::Open(PosixEnv(), ObjectsFolder(data_dir, repo)));
  FLAIR_TRY(const auto damage, objects->Verify());
  for (const ObjectStore::Damage& d : damage) report.problems.push_back(name + d.what);
  FLAIR_TRY(const Roots roots, RootsOf(db, repo.id));
  ClosureOptions options;
  options.absent = Absent::kList;
  auto closure = WalkClosure(*objects, roots.commits, {}, options);
  if (!closure.ok()) {
    report.problems.push_back(name + closure.error().message());
    return OkStatus();
  }
  for (const auto& [kind, id] : closure->absent_objects) {
    report.problems.push_back(name + std::string(ObjectKindName(kind)) + " " +
                              id.ToHex().substr(0, 12) + " is absent");
  }
  for (const ContentRef& c : closure->absent_contents) {
    report.problems.push_back(name + "content " + c.hash.ToHex().substr(0, 12) + " is absent");
  }
  for (const CommitId& id : closure->commits) {
    ++report.commits;
    const Status good = CheckSignature(db, *objects, repo, id);
    if (!good.ok()) report.problems.push_back(name + good.error().message());
  }
  return OkStatus();
}

Status CopyFile(Env& env, const std::string& from, const std::string& to, WriteMode mode) {
  FLAIR_TRY(const auto in, env.OpenForRead(from));
  FLAIR_TRY(const auto out, env.OpenForWrite(to, mode));
  constexpr std::uint64_t kStep = std::uint64_t{4} << 20;
  Bytes buffer(static_cast<std::size_t>(std::min(kStep, in->size_bytes())));
  for (std::uint64_t at = 0; at < in->size_bytes();) {
    const auto n = static_cast<std::size_t>(std::min(kStep, in->size_bytes() - at));
    FLAIR_DO(in->ReadAt(at, MutableByteView(buffer).first(n)));
    FLAIR_DO(out->Append(ByteView(buffer).first(n)));
    at += n;
  }
  FLAIR_DO(out->Sync());
  return out->Close();
}

// Packs never change in place; one that garbage collection removed meanwhile was
// replaced by another that the listing after it shows.
Status CopyPacks(Env& env, const std::string& from, const std::string& to) {
  FLAIR_DO(MakeDirs(env, to));
  if (!Exists(env, from)) return OkStatus();
  FLAIR_TRY(const std::vector<std::string> names, env.ListDir(from));
  for (const std::string& name : names) {
    FLAIR_TRY(const FileInfo info, env.Stat(from + "/" + name));
    if (info.kind != FileKind::kFile) continue;
    FLAIR_DO(CopyFile(env, from + "/" + name, to + "/" + name, WriteMode::kCreateNew));
  }
  return env.SyncDir(to);
}

}  // namespace

Result<HubFsckReport> FsckHub(const std::string& data_dir) {
  FLAIR_DO(CheckHubFolder(PosixEnv(), data_dir));
  FLAIR_TRY(const auto hub_db, OpenHubDb(data_dir));
  HubFsckReport report;
  const Status read = hub_db->Read([&](Database& db) -> Status {
    if (const Status chain = VerifyAudit(db); !chain.ok()) {
      report.problems.push_back(chain.error().message());
    }
    FLAIR_TRY(const std::vector<RepoRow> repos, AllRepos(db));
    for (const RepoRow& repo : repos) {
      ++report.repos;
      FLAIR_DO(FsckRepo(db, data_dir, repo, report));
    }
    return OkStatus();
  });
  FLAIR_DO(read);
  return report;
}

Result<HubGcReport> CollectHubGarbage(const std::string& data_dir, std::int64_t grace_s) {
  FLAIR_DO(CheckHubFolder(PosixEnv(), data_dir));
  FLAIR_TRY(const auto lock, LockHubFolder(PosixEnv(), data_dir));
  FLAIR_TRY(const auto hub_db, OpenHubDb(data_dir));
  HubGcReport report;
  const Status done = hub_db->Read([&](Database& db) -> Status {
    FLAIR_TRY(const std::vector<RepoRow> repos, AllRepos(db));
    for (const RepoRow& repo : repos) {
      FLAIR_TRY(const auto objects, ObjectStore::Open(PosixEnv(), ObjectsFolder(data_dir, repo)));
      FLAIR_TRY(const Roots roots, RootsOf(db, repo.id));
      FLAIR_TRY(const Closure closure, WalkClosure(*objects, roots.commits, {}, {}));
      std::unordered_set<Digest, DigestHash> kept_objects;
      for (const auto& [kind, id] : closure.objects) kept_objects.insert(id);
      for (const AttachmentId& id : roots.attachments) kept_objects.insert(id.digest);
      std::unordered_set<Digest, DigestHash> kept_contents;
      for (const ContentRef& c : closure.contents) kept_contents.insert(c.hash);
      FLAIR_TRY(const ObjectStore::GcResult freed,
                objects->CollectGarbage(
                    [&](ObjectKind, const Digest& id) { return kept_objects.contains(id); },
                    [&](const Digest& hash) { return kept_contents.contains(hash); }, grace_s));
      report.removed_records += freed.removed_records;
      report.freed_bytes += freed.freed_bytes;
    }
    return OkStatus();
  });
  FLAIR_DO(done);
  return report;
}

Status BackUpHub(const std::string& data_dir, const std::string& to) {
  Env& env = PosixEnv();
  FLAIR_DO(CheckHubFolder(env, data_dir));
  FLAIR_DO(MakeDirs(env, to));
  FLAIR_TRY(const std::vector<std::string> there, env.ListDir(to));
  if (!there.empty()) return Error(ErrorCode::kAlreadyExists, to + " is not empty");
  FLAIR_TRY(const auto hub_db, OpenHubDb(data_dir));
  // The database first: whatever it names was durable before it was written.
  FLAIR_DO(hub_db->BackUpTo(to + "/hub.db"));
  auto listed = Query(*hub_db, [](Database& db) { return AllRepos(db); });
  FLAIR_TRY(const std::vector<RepoRow> repos, std::move(listed));
  for (const RepoRow& repo : repos) {
    FLAIR_DO(CopyPacks(env, ObjectsFolder(data_dir, repo) + "/packs",
                       ObjectsFolder(to, repo) + "/packs"));
  }
  FLAIR_DO(CopyFile(env, data_dir + "/hub.json", to + "/hub.json", WriteMode::kCreatePrivate));
  return env.SyncDir(to);
}

Result<int> MigrateHub(const std::string& data_dir) {
  FLAIR_DO(CheckHubFolder(PosixEnv(), data_dir));
  FLAIR_TRY(const auto lock, LockHubFolder(PosixEnv(), data_dir));
  FLAIR_TRY(const auto hub_db, OpenHubDb(data_dir));
  return static_cast<int>(HubMigrations().size());
}

}  // namespace flair::hub
