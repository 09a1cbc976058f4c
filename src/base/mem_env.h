// MemEnv: a file system, clock and random source in memory, for tests.
//
// Place: base; the twin of PosixEnv. It is strict about durability: file bytes
// survive Crash() only up to the last Sync of that file, and names (creations,
// renames, removals, of files and folders) only up to the last SyncDir of their
// folder. A program that is right here does not rely on luck elsewhere.
//
// The clock starts at 2026-01-01 UTC and moves 1 us per question, or by SetNowNs.
// Random bytes are a fixed sequence. There are no symlinks. "/" and "." exist.
//
// Thread safety: as Env asks; Crash must not run while a call is under way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/env.h"

namespace flair {

// What a power cut leaves of names that no SyncDir made durable. Unsynced bytes
// are lost either way.
enum class CrashNames : std::uint8_t {
  kLost,  // as if the journal had not been written
  kKept,  // as if it had: a renamed file may be there, and empty
};

class MemEnv final : public Env {
 public:
  MemEnv();
  ~MemEnv() override;

  // Power cut. Files open for writing fail from now on; locks are gone.
  void Crash(CrashNames names = CrashNames::kLost);
  void SetNowNs(std::int64_t now_ns);
  void SetFreeSpaceBytes(std::uint64_t bytes);
  // For corruption tests: the file's bytes, and a replacement that counts as synced.
  Bytes ContentsOf(const std::string& path);  // REQUIRES: a file
  void ReplaceContents(const std::string& path, Bytes contents);

  Result<std::unique_ptr<ByteSource>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                     WriteMode mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RemoveFile(const std::string& path) override;
  Status RemoveDir(const std::string& path) override;
  Status MakeDir(const std::string& path) override;
  Status SyncDir(const std::string& path) override;
  Status SetExecutable(const std::string& path, bool executable) override;
  Result<std::vector<std::string>> ListDir(const std::string& path) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<std::uint64_t> FreeSpaceBytes(const std::string& path) override;
  std::int64_t NowNs() override;
  std::int64_t MonotonicNs() override;
  void RandomBytes(MutableByteView out) override;

  struct State;  // shared with the files it opened

 private:
  std::shared_ptr<State> state_;
};

}  // namespace flair
