// SPDX-License-Identifier: Apache-2.0
#include "base/disk.h"

#include <array>

#include "base/hex.h"
#include "base/path.h"

namespace flair {
namespace {

std::string FolderOf(const std::string& path) {
  const std::string folder = ParentPath(path);
  return folder.empty() ? "." : folder;
}

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

}  // namespace

Status CheckFreeSpace(Env& env, const std::string& path, std::uint64_t bytes) {
  std::string folder = path;
  while (!Exists(env, folder) && folder != FolderOf(folder)) folder = FolderOf(folder);
  FLAIR_TRY(const std::uint64_t free, env.FreeSpaceBytes(folder));
  if (bytes <= free) return OkStatus();
  return Error(ErrorCode::kNoSpace,
               path + " needs about " + std::to_string((bytes + kMebibyte - 1) / kMebibyte) +
                   " MiB of disk, and " + std::to_string(free / kMebibyte) + " are free");
}

Status CheckWritable(Env& env, const std::string& path) {
  const std::string folder = FolderOf(path);
  if (!Exists(env, folder)) {
    return Error(ErrorCode::kNotFound, path + ": there is no folder " + folder);
  }
  if (const auto own = env.Stat(path); own.ok() && own->kind == FileKind::kDirectory) {
    return Error(ErrorCode::kAlreadyExists, path + " is a folder");
  }
  std::array<std::byte, 8> salt{};
  env.RandomBytes(salt);
  const std::string temp = path + ".tmp-" + ToHex(salt);
  FLAIR_TRY(const auto file, env.OpenForWrite(temp, WriteMode::kCreateNew));
  FLAIR_DO(file->Close());
  return env.RemoveFile(temp);
}

}  // namespace flair
