// SPDX-License-Identifier: Apache-2.0
#include "repo/disk_files.h"

#include "base/path.h"

namespace flair {
namespace {

bool SameFile(const FileInfo& a, const FileInfo& b) {
  return a.kind == b.kind && a.size_bytes == b.size_bytes && a.mtime_ns == b.mtime_ns &&
         a.ctime_ns == b.ctime_ns && a.inode == b.inode && a.device == b.device &&
         a.executable == b.executable;
}

}  // namespace

Result<DiskFiles> DiskFiles::Load(Repository& repo) {
  DiskFiles files(repo);
  FLAIR_TRY(files.cache_, ReadStatCache(repo));
  return files;
}

Result<std::optional<FileInfo>> DiskFiles::Stat(const std::string& path) const {
  auto info = repo_->env().Stat(repo_->PathOf(path));
  if (info.ok()) return std::optional<FileInfo>(*info);
  if (info.error().code() == ErrorCode::kNotFound) return std::optional<FileInfo>();
  return std::move(info).error();
}

Status DiskFiles::CheckParents(const std::string& path) {
  std::string parent = ParentPath(path);
  while (!parent.empty() && checked_parents_.insert(parent).second) {
    FLAIR_TRY(const auto info, Stat(parent));
    if (info && info->kind != FileKind::kDirectory) {
      checked_parents_.erase(parent);
      return Error(ErrorCode::kInvalidArgument,
                   path + ": " + parent +
                       (info->kind == FileKind::kSymlink ? " is a symlink" : " is not a folder"))
          .WithHint("Flair neither follows nor stores symlinks; replace it by a folder");
    }
    parent = ParentPath(parent);
  }
  return OkStatus();
}

std::optional<FileId> DiskFiles::Cached(const std::string& path, const FileInfo& info) const {
  const auto at = cache_.find(path);
  if (at == cache_.end() || !IsFresh(at->second, info)) return std::nullopt;
  return at->second.file;
}

Result<DiskState> DiskFiles::Compare(const TreeEntry& entry) {
  FLAIR_TRY(const auto before, Stat(entry.path));
  if (!before) return DiskState::kAbsent;
  if (before->kind != FileKind::kFile) return DiskState::kNotAFile;
  if (ModeOf(*before) != entry.mode) return DiskState::kDifferent;
  // Before the size is compared: a light copy stands for a file of another size.
  if (const auto known = Cached(entry.path, *before)) {
    return *known == entry.file ? DiskState::kSame : DiskState::kDifferent;
  }
  if (before->size_bytes != entry.size_bytes) return DiskState::kDifferent;
  const std::int64_t begin_ns = repo_->env().NowNs();
  FLAIR_TRY(const auto source, repo_->env().OpenForRead(repo_->PathOf(entry.path)));
  const auto id = HashFile(*source, entry.path);
  if (!id.ok()) {
    // A model file that breaks its format is certainly not the stored one.
    if (id.error().code() == ErrorCode::kIo) return id.error();
    return DiskState::kDifferent;
  }
  FLAIR_TRY(const auto after, Stat(entry.path));
  if (!after || !SameFile(*before, *after)) return DiskState::kDifferent;
  Learn(entry.path, *after, *id, begin_ns);
  return *id == entry.file ? DiskState::kSame : DiskState::kDifferent;
}

Result<TreeEntry> DiskFiles::Store(ObjectBatch& batch, const std::string& path, const File* base,
                                   const ProgressSink& progress) {
  FLAIR_TRY(const auto before, Stat(path));
  if (!before || before->kind != FileKind::kFile) {
    return Error(ErrorCode::kInvalidArgument, path + ": not a regular file");
  }
  const std::int64_t begin_ns = repo_->env().NowNs();
  FLAIR_TRY(const auto source, repo_->env().OpenForRead(repo_->PathOf(path)));
  auto result = ImportFile(batch, *source, path, base, progress);
  if (!result.ok()) return std::move(result).error().In(path);
  const ImportedFile imported = std::move(*result);
  FLAIR_TRY(const auto after, Stat(path));
  if (!after || !SameFile(*before, *after)) {
    return Error(ErrorCode::kConflict, path + ": changed while it was read")
        .WithHint("wait until the program that writes it is done");
  }
  Learn(path, *after, imported.id, begin_ns);
  return TreeEntry{.path = path,
                   .mode = ModeOf(*after),
                   .file = imported.id,
                   .size_bytes = imported.file.size_bytes()};
}

void DiskFiles::Learn(const std::string& path, const FileInfo& info, const FileId& file,
                      std::int64_t recorded_ns) {
  learnt_.push_back({.path = path, .info = info, .file = file, .recorded_ns = recorded_ns});
  cache_.insert_or_assign(path, learnt_.back());
}

}  // namespace flair
