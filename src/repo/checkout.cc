// SPDX-License-Identifier: Apache-2.0
#include "repo/checkout.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_set>

#include "base/hex.h"
#include "base/path.h"
#include "crypto/blake3.h"
#include "repo/closure.h"
#include "repo/disk_files.h"
#include "repo/extent.h"

namespace flair {
namespace {

constexpr std::size_t kMaxNamedFiles = 10;
// Files over this size are worth a wait of one racy window: rehashing them costs more.
constexpr std::uint64_t kWorthWaitingBytes = 4 * kBlockBytes;

std::string Listed(const std::vector<std::string>& paths) {
  std::string text;
  for (std::size_t i = 0; i < paths.size() && i < kMaxNamedFiles; ++i) {
    text += (i == 0 ? "" : ", ") + paths[i];
  }
  if (paths.size() > kMaxNamedFiles) {
    text += " and " + std::to_string(paths.size() - kMaxNamedFiles) + " more";
  }
  return text;
}

// One change with what is on disk now.
struct Step {
  const WorktreeChange* change;
  DiskState now;                   // against `before` (kSame) or in general
  bool done = false;               // disk holds `after` already
  std::optional<TreeEntry> saved;  // a local change that was stored
  std::uint64_t disk_bytes = 0;
};

class FileChanger {
 public:
  FileChanger(Repository& repo, DiskFiles disk, LocalChanges local, const ProgressSink& progress)
      : repo_(repo), disk_(std::move(disk)), local_(local), progress_(progress) {}

  Status Plan(const std::vector<WorktreeChange>& changes);
  Status StoreLocalChanges();
  Status CheckSpace() const;
  Result<CheckoutOutcome> Run();

 private:
  Result<Step> Look(const WorktreeChange& change);
  // True when the folder at `path` holds nothing but files this plan removes.
  Result<bool> WillBeEmpty(const std::string& path);
  Status Delete(const Step& step);
  Status Write(const TreeEntry& entry);
  Status WriteTemp(const TreeEntry& entry, const std::string& temp);

  Repository& repo_;
  DiskFiles disk_;
  LocalChanges local_;
  const ProgressSink& progress_;
  std::vector<Step> steps_;
  std::unordered_set<std::string> removed_;  // paths this plan removes
  std::vector<std::size_t> local_changes_;   // steps that would lose something
  std::uint64_t done_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

Result<Step> FileChanger::Look(const WorktreeChange& change) {
  Step step{.change = &change, .now = DiskState::kAbsent, .done = false, .saved = {}};
  FLAIR_TRY(const auto info, disk_.Stat(change.path));
  if (!info) {
    step.done = !change.after;
    return step;
  }
  if (info->kind != FileKind::kFile) {
    step.now = DiskState::kNotAFile;
    return step;
  }
  step.disk_bytes = info->size_bytes;
  if (change.before) {
    FLAIR_TRY(step.now, disk_.Compare(*change.before));
    if (step.now == DiskState::kSame) {
      step.done = change.after == change.before;
      return step;
    }
  } else {
    step.now = DiskState::kDifferent;
  }
  if (change.after) {
    FLAIR_TRY(const DiskState against_target, disk_.Compare(*change.after));
    step.done = against_target == DiskState::kSame;
  }
  return step;
}

Result<bool> FileChanger::WillBeEmpty(const std::string& path) {
  FLAIR_TRY(const auto names, repo_.env().ListDir(repo_.PathOf(path)));
  for (const std::string& name : names) {
    const std::string child = JoinPath(path, name);
    FLAIR_TRY(const auto info, disk_.Stat(child));
    if (info && info->kind == FileKind::kDirectory) {
      FLAIR_TRY(const bool empty, WillBeEmpty(child));
      if (!empty) return false;
    } else if (!removed_.contains(child)) {
      return false;
    }
  }
  return true;
}

Status FileChanger::Plan(const std::vector<WorktreeChange>& changes) {
  for (const WorktreeChange& change : changes) {
    if (!change.after) removed_.insert(change.path);
  }
  std::vector<std::string> in_the_way;
  for (const WorktreeChange& change : changes) {
    FLAIR_DO(CheckRepoPath(change.path));
    // A file that this plan removes may become a folder.
    for (std::string parent = ParentPath(change.path); change.after && !parent.empty();
         parent = ParentPath(parent)) {
      FLAIR_TRY(const auto info, disk_.Stat(parent));
      if (!info || info->kind == FileKind::kDirectory) continue;
      if (info->kind == FileKind::kFile && removed_.contains(parent)) continue;
      in_the_way.push_back(parent);
    }
    FLAIR_TRY(Step step, Look(change));
    if (step.now == DiskState::kNotAFile) {
      FLAIR_TRY(const auto info, disk_.Stat(change.path));
      const bool folder = info && info->kind == FileKind::kDirectory;
      if (!change.after) continue;  // replaced by something that is not ours
      FLAIR_TRY(const bool empty, folder ? WillBeEmpty(change.path) : Result<bool>(false));
      if (!empty) {
        in_the_way.push_back(change.path);
        continue;
      }
      step.now = DiskState::kAbsent;
    }
    if (step.now == DiskState::kDifferent && !step.done) local_changes_.push_back(steps_.size());
    if (change.after && !step.done) total_bytes_ += change.after->size_bytes;
    steps_.push_back(std::move(step));
  }
  if (!in_the_way.empty()) {
    return Error(ErrorCode::kConflict, "in the way: " + Listed(in_the_way))
        .WithHint("move it away, then repeat the command");
  }
  if (!local_changes_.empty() && local_ == LocalChanges::kRefuse) {
    std::vector<std::string> paths;
    for (const std::size_t i : local_changes_) paths.push_back(steps_[i].change->path);
    return Error(ErrorCode::kConflict, "local changes would be overwritten: " + Listed(paths))
        .WithHint("commit them, or `flair restore` them, then repeat the command");
  }
  // Every byte must be at hand before the first file changes.
  for (const Step& step : steps_) {
    if (!step.change->after || step.done) continue;
    auto complete = CheckFileComplete(repo_.objects(), step.change->after->file);
    if (!complete.ok()) return std::move(complete).error().In(step.change->path);
  }
  return OkStatus();
}

Status FileChanger::StoreLocalChanges() {
  if (local_changes_.empty()) return OkStatus();
  FLAIR_TRY(const auto batch, repo_.objects().Begin());
  for (const std::size_t i : local_changes_) {
    Step& step = steps_[i];
    std::optional<File> base;
    if (step.change->before) {
      auto file = ReadFileObject(repo_.objects(), step.change->before->file);
      if (file.ok()) base = std::move(file).value();
    }
    FLAIR_TRY(step.saved,
              disk_.Store(*batch, step.change->path, base ? &*base : nullptr, progress_));
  }
  return batch->Commit();
}

Status FileChanger::CheckSpace() const {
  // The new file is whole before the old one goes: what is needed at the worst moment.
  std::int64_t balance = 0;
  std::int64_t peak = 0;
  for (const Step& step : steps_) {
    if (!step.change->after) balance -= static_cast<std::int64_t>(step.disk_bytes);
  }
  for (const Step& step : steps_) {
    if (!step.change->after || step.done) continue;
    balance += static_cast<std::int64_t>(step.change->after->size_bytes);
    peak = std::max(peak, balance);
    balance -= static_cast<std::int64_t>(step.disk_bytes);
  }
  FLAIR_TRY(const std::uint64_t free, repo_.env().FreeSpaceBytes(repo_.root()));
  if (peak <= 0 || static_cast<std::uint64_t>(peak) <= free) return OkStatus();
  return Error(ErrorCode::kNoSpace, "the files need " + std::to_string(peak) + " bytes, " +
                                        std::to_string(free) + " are free in " + repo_.root())
      .WithHint("free some space and repeat the command; nothing was changed");
}

Status FileChanger::Delete(const Step& step) {
  const std::string& path = step.change->path;
  FLAIR_DO(disk_.CheckParents(path));
  FLAIR_DO(repo_.env().RemoveFile(repo_.PathOf(path)));
  // Folders that hold nothing any more go, too; one that does refuses by itself.
  for (std::string parent = ParentPath(path); !parent.empty(); parent = ParentPath(parent)) {
    if (!repo_.env().RemoveDir(repo_.PathOf(parent)).ok()) break;
  }
  return OkStatus();
}

Status FileChanger::WriteTemp(const TreeEntry& entry, const std::string& temp) {
  FLAIR_TRY(const File file, ReadFileObject(repo_.objects(), entry.file));
  FLAIR_TRY(const auto out, repo_.env().OpenForWrite(temp, WriteMode::kCreateNew));
  const auto write = [&](ByteView piece) -> Status {
    FLAIR_DO(out->Append(piece));
    done_bytes_ += piece.size();
    return Report(progress_, {.phase = "checking out",
                              .item = entry.path,
                              .done_bytes = done_bytes_,
                              .total_bytes = total_bytes_});
  };
  FLAIR_DO(ExportFile(repo_.objects(), file, write));
  // Not synced: a file here can be written again from the store at any time, and the
  // stat cache notices one that a power failure cut.
  FLAIR_DO(out->Close());
  return repo_.env().SetExecutable(temp, entry.mode == FileMode::kExecutable);
}

Status FileChanger::Write(const TreeEntry& entry) {
  Env& env = repo_.env();
  std::array<std::byte, 8> salt{};
  env.RandomBytes(salt);
  const std::string temp = JoinPath(repo_.tmp_dir(), "checkout-" + ToHex(salt));
  const std::string path = repo_.PathOf(entry.path);
  const auto place = [&]() -> Status {
    FLAIR_DO(WriteTemp(entry, temp));
    FLAIR_TRY(const FileInfo written, env.Stat(temp));
    // Nobody knows the temporary file, so its time stamp ages without a change behind it;
    // once it is old enough, any later change shows in the time stamp.
    if (entry.size_bytes > kWorthWaitingBytes &&
        env.NowNs() - written.mtime_ns <= 2 * kRacyWindowNs) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(2 * kRacyWindowNs));
    }
    const std::int64_t known_ns = env.NowNs();
    FLAIR_DO(disk_.CheckParents(entry.path));
    FLAIR_DO(MakeDirs(env, ParentPath(path)));
    if (const auto there = env.Stat(path); there.ok() && there->kind == FileKind::kDirectory) {
      FLAIR_DO(env.RemoveDir(path));  // Plan found that it would be empty by now
    }
    FLAIR_DO(env.Rename(temp, path));
    FLAIR_TRY(const FileInfo placed, env.Stat(path));
    if (placed.mtime_ns == written.mtime_ns && placed.size_bytes == written.size_bytes) {
      disk_.Learn(entry.path, placed, entry.file, known_ns);
    }
    return OkStatus();
  };
  Status status = place();
  if (!status.ok()) (void)env.RemoveFile(temp);  // the first error is the one to tell
  return status;
}

Result<CheckoutOutcome> FileChanger::Run() {
  CheckoutOutcome outcome;
  const auto record = [&](const Step& step, std::optional<TreeEntry> before) {
    if (before == step.change->after) return;
    outcome.worktree.push_back(
        {.path = step.change->path, .before = std::move(before), .after = step.change->after});
  };
  for (const Step& step : steps_) {
    if (step.change->after || step.done) continue;
    FLAIR_DO(Delete(step));
    record(step, step.saved ? step.saved : step.change->before);
  }
  for (const Step& step : steps_) {
    if (!step.change->after) continue;
    if (step.done) {
      // An earlier, interrupted run did it, or the user: to be taken back all the same.
      if (step.change->before) record(step, step.change->before);
      continue;
    }
    FLAIR_DO(Write(*step.change->after));
    record(step, step.saved                     ? step.saved
                 : step.now == DiskState::kSame ? step.change->before
                                                : std::nullopt);
  }
  std::sort(outcome.worktree.begin(), outcome.worktree.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  outcome.stats = disk_.TakeLearnt();
  return outcome;
}

// The same changes as far as a partial clone can make them. In a light clone, a file whose
// contents it lacks may be on disk: as a light copy.
Result<std::vector<WorktreeChange>> WhatCanBeHere(Repository& repo,
                                                  const std::vector<WorktreeChange>& changes,
                                                  std::vector<TreeEntry>& left_out) {
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  if (!extent.partial()) return changes;
  FLAIR_TRY(const LeftOutFiles files, LeftOutFiles::Load(repo));
  const auto on_disk =
      [&](const std::optional<TreeEntry>& entry) -> Result<std::optional<TreeEntry>> {
    if (!entry) return entry;
    FLAIR_TRY(const bool whole, files.IsWhole(*entry));
    return whole ? entry : std::nullopt;
  };
  std::vector<WorktreeChange> here;
  for (const WorktreeChange& change : changes) {
    WorktreeChange possible{.path = change.path, .before = {}, .after = {}};
    if (extent.light.empty()) {
      FLAIR_TRY(possible.before, on_disk(change.before));
    } else {
      possible.before = change.before;
    }
    FLAIR_TRY(possible.after, on_disk(change.after));
    if (change.after && !possible.after) left_out.push_back(*change.after);
    if (possible.before || possible.after) here.push_back(std::move(possible));
  }
  return here;
}

}  // namespace

Result<CheckoutOutcome> ChangeFiles(Repository& repo, const std::vector<WorktreeChange>& changes,
                                    LocalChanges local, const ProgressSink& progress) {
  if (changes.empty()) return CheckoutOutcome{};
  std::vector<TreeEntry> left_out;
  FLAIR_TRY(const std::vector<WorktreeChange> here, WhatCanBeHere(repo, changes, left_out));
  FLAIR_TRY(DiskFiles disk, DiskFiles::Load(repo));
  FileChanger changer(repo, std::move(disk), local, progress);
  FLAIR_DO(changer.Plan(here));
  FLAIR_DO(changer.StoreLocalChanges());
  FLAIR_DO(changer.CheckSpace());
  FLAIR_TRY(CheckoutOutcome outcome, changer.Run());
  outcome.left_out = std::move(left_out);
  return outcome;
}

Result<CheckoutOutcome> CheckoutTree(Repository& repo, const Tree& to, LocalChanges local,
                                     const ProgressSink& progress) {
  FLAIR_TRY(const Tree from, ReadStaging(repo));
  std::vector<StagingChange> staging = DiffEntries(from, to);
  FLAIR_TRY(CheckoutOutcome outcome, ChangeFiles(repo, staging, local, progress));
  outcome.staging = std::move(staging);
  return outcome;
}

}  // namespace flair
