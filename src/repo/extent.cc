// SPDX-License-Identifier: Apache-2.0
#include "repo/extent.h"

#include "repo/checkout.h"
#include "repo/closure.h"
#include "repo/config.h"
#include "repo/disk_files.h"
#include "repo/oplog.h"
#include "repo/staging.h"

namespace flair {
namespace {

constexpr std::string_view kMarkPrefix = "left_out.";

std::string MarkKey(const std::string& path) { return std::string(kMarkPrefix) + path; }

}  // namespace

Result<CloneExtent> ReadExtent(Repository& repo) {
  CloneExtent extent;
  FLAIR_TRY(const auto light, GetConfig(repo, "clone.light"));
  FLAIR_TRY(const auto tensors, GetConfig(repo, "clone.tensors"));
  extent.light = light.value_or("");
  extent.tensors_glob = tensors.value_or("");
  return extent;
}

Status CheckCanStage(Repository& repo) {
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  if (extent.light.empty()) return OkStatus();
  return Error(ErrorCode::kUnsupported, "this is a light clone (" + extent.light +
                                            "): it can be looked at and evaluated, not changed")
      .WithHint("clone without --light to contribute");
}

Result<LeftOutFiles> LeftOutFiles::Load(Repository& repo) {
  LeftOutFiles files(repo);
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  files.partial_ = extent.partial();
  if (!files.partial_) return files;
  FLAIR_TRY(const auto marks, ListConfig(repo, kMarkPrefix));
  for (const auto& [key, value] : marks) files.marked_.insert(key.substr(kMarkPrefix.size()));
  return files;
}

Result<bool> LeftOutFiles::Contains(const TreeEntry& entry) const {
  if (!partial_) return false;
  if (marked_.contains(entry.path)) return true;
  FLAIR_TRY(const bool whole, IsWhole(entry));
  return !whole;
}

Result<bool> LeftOutFiles::IsWhole(const TreeEntry& entry) const {
  if (!partial_) return true;
  const Status complete = CheckFileComplete(repo_->objects(), entry.file);
  if (complete.ok()) return true;
  if (complete.error().code() == ErrorCode::kNotFound) return false;
  return complete.error();
}

Status MarkLeftOut(Repository& repo) {
  FLAIR_TRY(const Tree index, ReadStaging(repo));
  FLAIR_TRY(const DiskFiles disk, DiskFiles::Load(repo));
  FLAIR_TRY(const LeftOutFiles left_out, LeftOutFiles::Load(repo));
  for (const TreeEntry& entry : index.entries) {
    FLAIR_TRY(const auto info, disk.Stat(entry.path));
    if (info) continue;
    FLAIR_TRY(const bool marked, left_out.Contains(entry));
    if (marked) FLAIR_DO(SetConfig(repo, MarkKey(entry.path), "1"));
  }
  return OkStatus();
}

Status PlaceLeftOut(Repository& repo, const ProgressSink& progress) {
  FLAIR_TRY(const auto marks, ListConfig(repo, kMarkPrefix));
  if (marks.empty()) return OkStatus();
  FLAIR_TRY(const Tree index, ReadStaging(repo));
  FLAIR_TRY(const DiskFiles disk, DiskFiles::Load(repo));
  FLAIR_TRY(const LeftOutFiles left_out, LeftOutFiles::Load(repo));
  std::vector<WorktreeChange> files;
  for (const auto& [key, value] : marks) {
    const TreeEntry* entry = index.Find(key.substr(kMarkPrefix.size()));
    if (entry == nullptr) continue;
    FLAIR_TRY(const auto info, disk.Stat(entry->path));
    FLAIR_TRY(const bool whole, left_out.IsWhole(*entry));
    if (!info && whole) files.push_back({.path = entry->path, .before = {}, .after = *entry});
  }
  FLAIR_TRY(auto outcome, ChangeFiles(repo, files, LocalChanges::kRefuse, progress));
  OperationPlan plan;
  plan.kind = "fetch";
  plan.reason = "write files that are complete now";
  plan.worktree = std::move(outcome.worktree);
  plan.stats = std::move(outcome.stats);
  FLAIR_DO(Apply(repo, plan));
  for (const auto& [key, value] : marks) FLAIR_DO(UnsetConfig(repo, key));
  return OkStatus();
}

}  // namespace flair
