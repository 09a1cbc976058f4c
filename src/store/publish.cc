// SPDX-License-Identifier: Apache-2.0
#include "store/publish.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "base/path.h"

namespace flair {
namespace {

constexpr std::size_t kNonceHexDigits = 16;
constexpr std::size_t kPackNameBytes = 64 + 5;
constexpr std::string_view kPending = ".pending";
constexpr std::uint64_t kMaxPendingBytes = std::uint64_t{16} << 20;

bool EndsWith(std::string_view name, std::string_view end) {
  return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
}
bool IsHex(std::string_view text) { return FromHex(text).ok(); }
bool IsPackName(std::string_view name) {
  return name.size() == kPackNameBytes && EndsWith(name, ".pack") && IsHex(name.substr(0, 64));
}
bool IsPendingName(std::string_view name) {
  return name.size() == kNonceHexDigits + kPending.size() && EndsWith(name, kPending) &&
         IsHex(name.substr(0, kNonceHexDigits));
}

std::string LockPath(const std::string& folder, const std::string& nonce) {
  return JoinPath(TmpFolder(folder), nonce + ".lock");
}
std::string PendingPath(const std::string& folder, const std::string& nonce) {
  return JoinPath(PacksFolder(folder), nonce + std::string(kPending));
}

// A pending file is a list of pack names, one a line.
Result<std::vector<std::string>> ReadPending(Env& env, const std::string& path) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxPendingBytes));
  std::vector<std::string> names;
  for (std::string_view rest = AsText(bytes); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || !IsPackName(rest.substr(0, end))) {
      return Error(ErrorCode::kCorrupt, path + " is not a list of packs");
    }
    names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return names;
}

Status RemoveIfThere(Env& env, const std::string& path) {
  Status status = env.RemoveFile(path);
  if (!status.ok() && status.error().code() == ErrorCode::kNotFound) return OkStatus();
  return status;
}

void RemoveTempFiles(Env& env, const std::string& folder, const std::string& nonce) {
  const auto names = env.ListDir(TmpFolder(folder));
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (name.rfind(nonce + "-", 0) == 0) {
      (void)env.RemoveFile(JoinPath(TmpFolder(folder), name));
    }
  }
}

// A batch died between its pending file and its commit point: its packs go. They
// are nobody else's: every pack carries its batch's nonce, so names never repeat.
Status RollBack(Env& env, const std::string& folder, const std::string& nonce) {
  const std::string pending = PendingPath(folder, nonce);
  FLAIR_TRY(const auto names, ReadPending(env, pending));
  for (const std::string& name : names) {
    FLAIR_DO(RemoveIfThere(env, JoinPath(PacksFolder(folder), name)));
  }
  FLAIR_DO(env.SyncDir(PacksFolder(folder)));
  FLAIR_DO(RemoveIfThere(env, pending));
  return env.SyncDir(PacksFolder(folder));
}

}  // namespace

std::string PacksFolder(const std::string& folder) { return JoinPath(folder, "packs"); }
std::string TmpFolder(const std::string& folder) { return JoinPath(folder, "tmp"); }

Result<BatchLease> TakeLease(Env& env, const std::string& folder) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    std::array<std::byte, kNonceHexDigits / 2> random{};
    env.RandomBytes(random);
    BatchLease lease{ToHex(random), LoadLe64(random), nullptr};
    const std::string path = LockPath(folder, lease.nonce);
    auto lock = env.Lock(path);
    if (!lock.ok() && lock.error().code() != ErrorCode::kConflict) return lock.error();
    // Another process' Recover may have taken the new file for a dead batch's.
    if (!lock.ok() || !Exists(env, path)) continue;
    lease.lock = std::move(lock).value();
    return lease;
  }
  return Error(ErrorCode::kConflict, TmpFolder(folder) + ": cannot take a batch lock");
}

void ReleaseLease(Env& env, const std::string& folder, BatchLease lease) {
  RemoveTempFiles(env, folder, lease.nonce);
  (void)env.RemoveFile(LockPath(folder, lease.nonce));
}

Status Publish(Env& env, const std::string& folder, const std::string& nonce,
               const std::vector<SealedPack>& packs) {
  const std::string packs_folder = PacksFolder(folder);
  const bool several = packs.size() > 1;
  if (several) {
    std::string names;
    for (const SealedPack& pack : packs) names += pack.file->name + "\n";
    FLAIR_DO(WriteFileAtomically(env, PendingPath(folder, nonce), AsBytes(names)));
  }
  for (const SealedPack& pack : packs) {
    const std::string path = JoinPath(packs_folder, pack.file->name);
    FLAIR_DO(env.Rename(pack.file->path, path));
    pack.file->path = path;
  }
  FLAIR_DO(env.SyncDir(packs_folder));
  if (!several) return OkStatus();
  FLAIR_DO(env.RemoveFile(PendingPath(folder, nonce)));
  return env.SyncDir(packs_folder);
}

Status Recover(Env& env, const std::string& folder) {
  FLAIR_TRY(const auto in_packs, env.ListDir(PacksFolder(folder)));
  FLAIR_TRY(const auto in_tmp, env.ListDir(TmpFolder(folder)));
  // Everything but a pack begins with the nonce of its batch.
  std::set<std::string> nonces;
  for (const auto* names : {&in_packs, &in_tmp}) {
    for (const std::string& name : *names) {
      const std::string nonce = name.substr(0, kNonceHexDigits);
      if (!IsPackName(name) && nonce.size() == kNonceHexDigits && IsHex(nonce)) {
        nonces.insert(nonce);
      }
    }
  }
  for (const std::string& nonce : nonces) {
    auto lock = env.Lock(LockPath(folder, nonce));
    if (!lock.ok()) {
      if (lock.error().code() == ErrorCode::kConflict) continue;  // alive
      return lock.error();
    }
    if (Exists(env, PendingPath(folder, nonce))) FLAIR_DO(RollBack(env, folder, nonce));
    for (const std::string& name : in_packs) {
      // A crash while the pending file was written.
      if (name.rfind(nonce + ".pending.tmp-", 0) == 0) {
        FLAIR_DO(RemoveIfThere(env, JoinPath(PacksFolder(folder), name)));
      }
    }
    RemoveTempFiles(env, folder, nonce);
    (void)env.RemoveFile(LockPath(folder, nonce));
  }
  return OkStatus();
}

Result<std::set<std::string>> VisiblePacks(Env& env, const std::string& folder) {
  const std::string packs_folder = PacksFolder(folder);
  FLAIR_TRY(auto before, env.ListDir(packs_folder));
  // A batch may be published meanwhile: the listing counts when it stood still
  // around the reading of the pending files.
  for (int round = 0; round < 100; ++round) {
    std::set<std::string> visible;
    std::set<std::string> hidden;
    bool moved = false;
    for (const std::string& name : before) {
      if (IsPackName(name)) visible.insert(name);
      if (!IsPendingName(name)) continue;
      const auto names = ReadPending(env, JoinPath(packs_folder, name));
      if (!names.ok()) {
        if (names.error().code() != ErrorCode::kNotFound) return names.error();
        moved = true;
        break;
      }
      hidden.insert(names->begin(), names->end());
    }
    FLAIR_TRY(auto after, env.ListDir(packs_folder));
    if (!moved && after == before) {
      for (const std::string& name : hidden) visible.erase(name);
      return visible;
    }
    before = std::move(after);
  }
  return Error(ErrorCode::kUnavailable, packs_folder + " does not stand still; try again");
}

}  // namespace flair
