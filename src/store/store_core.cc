// SPDX-License-Identifier: Apache-2.0
#include "store/store_core.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/path.h"

namespace flair {
namespace {

// How often a read looks again for records that garbage collection moves meanwhile.
constexpr int kRetries = 5;

}  // namespace

Status StoreCore::Open() {
  for (const std::string& folder : {PacksFolder(folder_), TmpFolder(folder_)}) {
    if (Exists(env_, folder)) continue;
    FLAIR_DO(MakeDirs(env_, folder));
    FLAIR_DO(env_.SyncDir(folder_));
    const std::string parent = ParentPath(folder_);
    FLAIR_DO(env_.SyncDir(parent.empty() ? "." : parent));
  }
  FLAIR_DO(Recover(env_, folder_));
  return Refresh();
}

Status StoreCore::Load(const std::string& name, Catalog& into) {
  auto pack = std::make_shared<PackFile>();
  pack->name = name;
  pack->path = JoinPath(PacksFolder(folder_), name);
  const auto read = [&]() -> Result<PackLayout> {
    FLAIR_TRY(const auto source, env_.OpenForRead(pack->path));
    pack->size_bytes = source->size_bytes();
    return ReadPackLayout(*source);
  };
  auto layout = read();
  if (!layout.ok()) {
    Error error = std::move(layout).error().In("pack " + name);
    // Removed since it was listed; what it held and is kept lies in another by now.
    if (error.code() == ErrorCode::kNotFound) return OkStatus();
    // A pack that cannot be read hides what it holds and no more; Verify tells.
    if (error.code() != ErrorCode::kCorrupt) return error;
    Log(LogLevel::kWarning, error.message());
    const std::lock_guard lock(mutex_);
    damaged_.insert_or_assign(name, std::move(error));
    return OkStatus();
  }
  into.Add(*pack, layout->index);
  const std::lock_guard lock(mutex_);
  packs_[name] = std::move(pack);
  return OkStatus();
}

Status StoreCore::Refresh() {
  const std::lock_guard refreshing(refresh_mutex_);
  FLAIR_TRY(const auto visible, VisiblePacks(env_, folder_));
  bool removed = false;
  std::vector<std::string> added;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, pack] : packs_) removed |= !visible.contains(name);
    for (const auto& [name, error] : damaged_) removed |= !visible.contains(name);
    for (const std::string& name : visible) {
      if (!packs_.contains(name) && !damaged_.contains(name)) added.push_back(name);
    }
    if (removed) {
      for (auto& [name, pack] : packs_) retired_.push_back(std::move(pack));
      packs_.clear();
      damaged_.clear();
      added.assign(visible.begin(), visible.end());
    }
  }
  if (!removed) {
    for (const std::string& name : added) FLAIR_DO(Load(name, catalog_));
    return OkStatus();
  }
  Catalog fresh;
  for (const std::string& name : added) FLAIR_DO(Load(name, fresh));
  catalog_.ReplaceBy(std::move(fresh));
  return OkStatus();
}

void StoreCore::Adopt(std::vector<SealedPack> packs) {
  const std::lock_guard refreshing(refresh_mutex_);
  for (SealedPack& pack : packs) {
    {
      const std::lock_guard lock(mutex_);
      if (!packs_.try_emplace(pack.file->name, pack.file).second) continue;
    }
    catalog_.Add(*pack.file, pack.index);
  }
}

Status StoreCore::Remove(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Status status = env_.RemoveFile(JoinPath(PacksFolder(folder_), name));
    if (!status.ok() && status.error().code() != ErrorCode::kNotFound) return status;
  }
  FLAIR_DO(env_.SyncDir(PacksFolder(folder_)));
  return Refresh();
}

Error StoreCore::Missing(std::string what) const {
  const std::lock_guard lock(mutex_);
  if (damaged_.empty()) return {ErrorCode::kNotFound, what + " is not stored here"};
  const Error& error = damaged_.begin()->second;
  return Error(ErrorCode::kCorrupt, what + " cannot be found: " + error.message())
      .WithHint("verify the store, then fetch what is lost from another copy");
}

Result<ContentRefPtr> StoreCore::FindContent(const Digest& hash) const {
  ContentRefPtr entry = catalog_.FindContent(hash);
  if (!entry) return Missing("content " + hash.ToHex());
  return entry;
}

Result<Bytes> StoreCore::ReadObject(ObjectKind kind, const Digest& id) {
  for (int round = 0;; ++round) {
    const auto place = catalog_.FindObject(kind, id);
    if (!place) return Missing(std::string(ObjectKindName(kind)) + " " + id.ToHex());
    auto stored = reader_.ReadObject(*place, kind, id);
    const bool moved = !stored.ok() && stored.error().code() == ErrorCode::kUnavailable;
    if (!moved || round == kRetries) return stored;
    FLAIR_DO(Refresh());
  }
}

Status StoreCore::ReadBlock(const Digest& hash, std::uint32_t index, MutableByteView out) {
  for (int round = 0;; ++round) {
    FLAIR_TRY(const ContentRefPtr entry, FindContent(hash));
    Status status = reader_.ReadBlock(*entry, index, out);
    const bool moved = !status.ok() && status.error().code() == ErrorCode::kUnavailable;
    if (!moved || round == kRetries) return status;
    FLAIR_DO(Refresh());
  }
}

std::vector<std::shared_ptr<PackFile>> StoreCore::Packs() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<PackFile>> packs;
  for (const auto& [name, pack] : packs_) packs.push_back(pack);
  return packs;
}

std::shared_ptr<PackFile> StoreCore::FindPack(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto at = packs_.find(name);
  return at == packs_.end() ? nullptr : at->second;
}

std::map<std::string, Error> StoreCore::Damaged() const {
  const std::lock_guard lock(mutex_);
  return damaged_;
}

}  // namespace flair
