// SPDX-License-Identifier: Apache-2.0
#include "store/store_core.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/path.h"

namespace flair {
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

Result<bool> StoreCore::Load(const std::string& name, Catalog& into) {
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
    if (error.code() == ErrorCode::kNotFound) return false;
    // A pack that cannot be read hides what it holds and no more; Verify tells.
    if (error.code() != ErrorCode::kCorrupt) return error;
    Log(LogLevel::kWarning, error.message());
    const std::lock_guard lock(mutex_);
    damaged_.insert_or_assign(name, std::move(error));
    return true;
  }
  into.Add(*pack, layout->index);
  const std::lock_guard lock(mutex_);
  packs_[name] = std::move(pack);
  return true;
}

Status StoreCore::Refresh() {
  const std::lock_guard refreshing(refresh_mutex_);
  // What a vanished pack held, and is kept, lies in one that the listing came too early for.
  bool complete = false;
  for (bool anew = false; !complete; anew = true) {
    FLAIR_TRY(complete, LoadListed(anew));
  }
  return OkStatus();
}

Result<bool> StoreCore::LoadListed(bool anew) {
  FLAIR_TRY(const auto visible, VisiblePacks(env_, folder_));
  bool removed = anew;
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
  if (!removed && added.empty()) return true;
  bool complete = true;
  Catalog fresh;
  for (const std::string& name : added) {
    FLAIR_TRY(const bool loaded, Load(name, removed ? fresh : catalog_));
    complete &= loaded;
  }
  if (!complete) return false;
  if (removed) catalog_.ReplaceBy(std::move(fresh));
  ++generation_;
  return true;
}

Result<bool> StoreCore::LooksDifferent(std::uint64_t generation) {
  FLAIR_DO(Refresh());
  return generation_ != generation;
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
  if (!entry) return AbsentContent(hash);
  return entry;
}

Error StoreCore::AbsentContent(const Digest& hash) const {
  Error error = Missing("content " + hash.ToHex());
  if (error.code() != ErrorCode::kNotFound || absence_hint_.empty()) return error;
  return std::move(error).WithHint(absence_hint_);
}

Result<Bytes> StoreCore::ReadObject(ObjectKind kind, const Digest& id) {
  for (;;) {
    const std::uint64_t generation = generation_;
    const auto place = catalog_.FindObject(kind, id);
    if (!place) return Missing(std::string(ObjectKindName(kind)) + " " + id.ToHex());
    auto stored = reader_.ReadObject(*place, kind, id);
    const bool moved = !stored.ok() && stored.error().code() == ErrorCode::kUnavailable;
    if (!moved) return stored;
    FLAIR_TRY(const bool again, LooksDifferent(generation));
    if (!again) return stored;
  }
}

Status StoreCore::ReadBlock(const Digest& hash, std::uint32_t index, MutableByteView out) {
  for (;;) {
    const std::uint64_t generation = generation_;
    FLAIR_TRY(const ContentRefPtr entry, FindContent(hash));
    Status status = reader_.ReadBlock(*entry, index, out);
    const bool moved = !status.ok() && status.error().code() == ErrorCode::kUnavailable;
    if (!moved) return status;
    FLAIR_TRY(const bool again, LooksDifferent(generation));
    if (!again) return status;
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
