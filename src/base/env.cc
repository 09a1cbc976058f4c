// What several callers need of an Env, written once over its interface.
// SPDX-License-Identifier: Apache-2.0
#include "base/env.h"

#include <array>

#include "base/hex.h"
#include "base/path.h"

namespace flair {

bool Exists(Env& env, const std::string& path) { return env.Stat(path).ok(); }

Status MakeDirs(Env& env, const std::string& path) {
  if (path.empty() || path == "/") return OkStatus();
  if (const auto info = env.Stat(path); info.ok() && info->kind == FileKind::kDirectory) {
    return OkStatus();
  }
  FLAIR_DO(MakeDirs(env, ParentPath(path)));
  return env.MakeDir(path);
}

Result<Bytes> ReadFile(Env& env, const std::string& path, std::uint64_t max_bytes) {
  FLAIR_TRY(const auto source, env.OpenForRead(path));
  if (source->size_bytes() > max_bytes) {
    return Error(ErrorCode::kUnsupported, path + " holds " + std::to_string(source->size_bytes()) +
                                              " bytes; at most " + std::to_string(max_bytes) +
                                              " are read");
  }
  Bytes data(source->size_bytes());
  FLAIR_DO(source->ReadAt(0, data));
  return data;
}

Status WriteFileAtomically(Env& env, const std::string& path, ByteView data, WriteMode mode) {
  std::array<std::byte, 8> salt{};
  env.RandomBytes(salt);
  const std::string temp = path + ".tmp-" + ToHex(salt);
  const auto write = [&]() -> Status {
    FLAIR_TRY(const auto file, env.OpenForWrite(temp, mode));
    FLAIR_DO(file->Append(data));
    FLAIR_DO(file->Sync());
    FLAIR_DO(file->Close());
    return env.Rename(temp, path);
  };
  if (Status status = write(); !status.ok()) {
    (void)env.RemoveFile(temp);  // the first error is the one to tell
    return status;
  }
  const std::string folder = ParentPath(path);
  return env.SyncDir(folder.empty() ? "." : folder);
}

Status RemoveTree(Env& env, const std::string& path) {
  const auto info = env.Stat(path);
  if (!info.ok()) {
    if (info.error().code() == ErrorCode::kNotFound) return OkStatus();
    return info.error();
  }
  if (info->kind != FileKind::kDirectory) return env.RemoveFile(path);
  FLAIR_TRY(const auto names, env.ListDir(path));
  for (const std::string& name : names) FLAIR_DO(RemoveTree(env, JoinPath(path, name)));
  return env.RemoveDir(path);
}

}  // namespace flair
