// SPDX-License-Identifier: Apache-2.0
#include "remote/light.h"

#include <chrono>
#include <thread>

#include "base/path.h"
#include "object/file.h"
#include "remote/journal.h"
#include "repo/staging.h"

namespace flair {

Result<std::vector<TreeEntry>> ModelFiles(const ObjectStore& objects, const Tree& tree) {
  std::vector<TreeEntry> models;
  for (const TreeEntry& entry : tree.entries) {
    FLAIR_TRY(const Bytes bytes, objects.ReadObject(ObjectKind::kFile, entry.file.digest));
    FLAIR_TRY(const File file, DecodeFile(bytes));
    for (const Segment& segment : file.segments) {
      if (!std::holds_alternative<TensorSegment>(segment)) continue;
      models.push_back(entry);
      break;
    }
  }
  return models;
}

namespace {

// The hub's conversion under `target`, downloaded from where an interrupted call stopped.
Status Download(Repository& repo, HubApi& api, const RepoAddress& from, const CommitId& commit,
                const TreeEntry& entry, const std::string& light, const TransferOptions& options,
                FetchOutcome& outcome) {
  Env& env = repo.env();
  const std::string target = repo.PathOf(entry.path);
  FLAIR_TRY(const std::string partial,
            TransferPath(repo, "light", commit.ToHex() + light + entry.path));
  const auto before = env.Stat(partial);
  const std::uint64_t offset = before.ok() ? before->size_bytes : 0;
  outcome.resumed_bytes += offset;
  FLAIR_TRY(const auto file, env.OpenForWrite(partial, WriteMode::kAppend));
  std::uint64_t received = 0;
  Status status =
      api.ReadFile(from, commit, entry.path, light, offset, [&](ByteView data) -> Status {
        received += data.size();
        FLAIR_DO(file->Append(data));
        return Report(options.progress, {.phase = "fetching",
                                         .item = entry.path,
                                         .done_bytes = offset + received,
                                         .total_bytes = 0});
      });
  outcome.received_bytes += received;
  Status synced = file->Sync();
  Status closed = file->Close();
  if (!status.ok()) {
    // Complete already, or not what the hub has now: the next run begins anew.
    if (status.error().code() == ErrorCode::kInvalidArgument) (void)env.RemoveFile(partial);
    return status;
  }
  FLAIR_DO(std::move(synced));
  FLAIR_DO(std::move(closed));
  const std::string folder = ParentPath(target);
  if (!folder.empty()) FLAIR_DO(MakeDirs(env, folder));
  FLAIR_DO(env.Rename(partial, target));
  return env.SyncDir(folder);
}

}  // namespace

Status WriteLightFile(Repository& repo, HubApi& api, const RepoAddress& from,
                      const CommitId& commit, const TreeEntry& entry, const std::string& light,
                      const TransferOptions& options, FetchOutcome& outcome) {
  Env& env = repo.env();
  const std::string target = repo.PathOf(entry.path);
  if (!Exists(env, target)) {  // else an earlier run wrote it by rename
    FLAIR_DO(Download(repo, api, from, commit, entry, light, options, outcome));
  }
  // The copy counts as the file until it is changed, which its time stamp shows once it is
  // older than the racy window.
  FLAIR_TRY(const FileInfo placed, env.Stat(target));
  if (env.NowNs() - placed.mtime_ns <= 2 * kRacyWindowNs) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(2 * kRacyWindowNs));
  }
  return WriteStatCache(
      repo, {{.path = entry.path, .info = placed, .file = entry.file, .recorded_ns = env.NowNs()}});
}

}  // namespace flair
