// Add: from files on disk to the index.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "base/path.h"
#include "repo/closure.h"
#include "repo/disk_files.h"
#include "repo/extent.h"
#include "repo/history.h"
#include "repo/oplog.h"
#include "repo/staging.h"
#include "repo/walk.h"
#include "repo/worktree.h"

namespace flair {
namespace {

constexpr std::size_t kMaxReasonBytes = 200;

std::string ReasonOf(std::string_view verb, const std::vector<std::string>& paths) {
  std::string reason(verb);
  for (const std::string& path : paths) {
    reason += " " + (path.empty() ? std::string(".") : path);
    if (reason.size() > kMaxReasonBytes) return reason.substr(0, kMaxReasonBytes) + "...";
  }
  return reason;
}

class Adder {
 public:
  Adder(Repository& repo, DiskFiles disk, LeftOutFiles left_out, const ProgressSink& progress)
      : repo_(repo), disk_(std::move(disk)), left_out_(std::move(left_out)), progress_(progress) {}

  Result<AddResult> Run(const std::vector<std::string>& paths);

 private:
  Status CheckNames(const Selection& selection);
  Status AddOne(const std::string& path);
  Result<TreeEntry> Take(const std::string& path, const FileInfo& info);
  void Drop(const std::string& path);
  void DropWhatCannotStay(const std::string& path);

  Repository& repo_;
  DiskFiles disk_;
  LeftOutFiles left_out_;
  const ProgressSink& progress_;
  Tree index_;
  Tree head_tree_;
  std::unique_ptr<ObjectBatch> batch_;
  std::map<std::string, TreeEntry> now_;  // the index as it becomes
  AddResult result_;
};

// Before anything is read: what the index would hold must be a tree.
Status Adder::CheckNames(const Selection& selection) {
  std::vector<std::string> names;
  for (const TreeEntry& entry : index_.entries) {
    if (selection.paths.contains(entry.path)) continue;
    names.push_back(entry.path);
  }
  for (const std::string& path : selection.paths) {
    FLAIR_TRY(const auto info, disk_.Stat(path));
    if (info && info->kind == FileKind::kFile) names.push_back(path);
  }
  if (names.size() > kMaxTreeEntries) {
    return Error(ErrorCode::kUnsupported, std::to_string(names.size()) + " files; at most " +
                                              std::to_string(kMaxTreeEntries));
  }
  auto status = CheckNoCaseCollisions(names);
  if (status.ok()) return status;
  return std::move(status).error().WithHint("rename one of the two");
}

void Adder::Drop(const std::string& path) {
  if (now_.erase(path) == 0) return;
  result_.changes.push_back({.path = path, .kind = FileChange::kDeleted});
}

// A file that became a folder, or a folder that became a file.
void Adder::DropWhatCannotStay(const std::string& path) {
  for (std::string parent = ParentPath(path); !parent.empty(); parent = ParentPath(parent)) {
    Drop(parent);
  }
  std::vector<std::string> below;
  for (auto at = now_.upper_bound(path + "/"); at != now_.end() && IsBelow(at->first, path); ++at) {
    below.push_back(at->first);
  }
  for (const std::string& gone : below) Drop(gone);
}

Result<TreeEntry> Adder::Take(const std::string& path, const FileInfo& info) {
  if (const auto known = disk_.Cached(path, info);
      known && CheckFileComplete(repo_.objects(), *known).ok()) {
    return TreeEntry{
        .path = path, .mode = ModeOf(info), .file = *known, .size_bytes = info.size_bytes};
  }
  const TreeEntry* base_entry = head_tree_.Find(path);
  if (base_entry == nullptr) base_entry = index_.Find(path);
  std::optional<File> base;
  if (base_entry != nullptr) {
    auto file = ReadFileObject(repo_.objects(), base_entry->file);
    if (file.ok()) base = std::move(file).value();  // without it, there is no delta
  }
  if (!batch_) {
    FLAIR_TRY(batch_, repo_.objects().Begin());
  }
  result_.read_bytes += info.size_bytes;
  return disk_.Store(*batch_, path, base ? &*base : nullptr, progress_);
}

Status Adder::AddOne(const std::string& path) {
  FLAIR_TRY(const auto info, disk_.Stat(path));
  if (!info || info->kind != FileKind::kFile) {
    const auto tracked = now_.find(path);
    if (!info && tracked != now_.end()) {
      FLAIR_TRY(const bool on_purpose, left_out_.Contains(tracked->second));
      if (on_purpose) {
        result_.unchanged.push_back(path);
        return OkStatus();
      }
    }
    Drop(path);
    return OkStatus();
  }
  FLAIR_DO(disk_.CheckParents(path));
  FLAIR_TRY(TreeEntry entry, Take(path, *info));
  const auto at = now_.find(path);
  if (at != now_.end() && at->second == entry) {
    result_.unchanged.push_back(path);
    return OkStatus();
  }
  result_.changes.push_back(
      {.path = path, .kind = at == now_.end() ? FileChange::kAdded : FileChange::kModified});
  DropWhatCannotStay(path);
  now_.insert_or_assign(path, std::move(entry));
  return OkStatus();
}

Result<AddResult> Adder::Run(const std::vector<std::string>& paths) {
  FLAIR_TRY(index_, ReadStaging(repo_));
  FLAIR_TRY(const Head head, ReadHead(repo_));
  if (head.commit) {
    FLAIR_TRY(head_tree_, ReadCommitTree(repo_.objects(), *head.commit));
  }
  FLAIR_TRY(const Selection selection, SelectOnDisk(repo_, index_, paths));
  result_.refused.assign(selection.refused.begin(), selection.refused.end());
  FLAIR_DO(CheckNames(selection));
  for (const TreeEntry& entry : index_.entries) now_.emplace(entry.path, entry);
  const std::uint64_t stored_before = repo_.objects().StoredBytes();
  for (const std::string& path : selection.paths) FLAIR_DO(AddOne(path));
  if (batch_) FLAIR_DO(batch_->Commit());
  result_.stored_bytes = repo_.objects().StoredBytes() - stored_before;

  Tree after;
  for (auto& [path, entry] : now_) after.entries.push_back(entry);
  OperationPlan plan;
  plan.kind = "add";
  plan.reason = ReasonOf("add", paths);
  plan.staging = DiffEntries(index_, after);
  plan.stats = disk_.TakeLearnt();
  FLAIR_DO(Apply(repo_, plan));
  return std::move(result_);
}

}  // namespace

Result<AddResult> Add(Repository& repo, const std::vector<std::string>& paths,
                      const ProgressSink& progress) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_DO(CheckCanStage(repo));
  FLAIR_TRY(DiskFiles disk, DiskFiles::Load(repo));
  FLAIR_TRY(LeftOutFiles left_out, LeftOutFiles::Load(repo));
  return Adder(repo, std::move(disk), std::move(left_out), progress).Run(paths);
}

}  // namespace flair
