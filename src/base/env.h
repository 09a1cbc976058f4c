// Env: the operating system as the core sees it: files, clock, randomness, locks.
//
// Place: base. Nothing above calls open, rename, fsync or the clock directly
// (SQLite excepted), so that tests can run in memory (MemEnv), fail the k-th
// operation for every k (FaultEnv) and pin the time.
//
// Paths are absolute or relative to the process; no Env interprets "..": user
// input goes through base/path.h first.
//
// Thread safety: every Env may be used from several threads; a WritableFile by one
// thread at a time; a ByteSource by any number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/result.h"

namespace flair {

// Bytes become durable with Sync. Destroying without Close keeps what was written.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status Append(ByteView data) = 0;
  // fdatasync. Errors are final: the caller must give the file up.
  virtual Status Sync() = 0;
  virtual Status Close() = 0;
};

// Held until destroyed. Advisory, between processes as well as between threads.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class FileKind : std::uint8_t { kFile, kDirectory, kSymlink, kOther };

struct FileInfo {
  FileKind kind = FileKind::kFile;
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;  // since the Unix epoch
  std::int64_t ctime_ns = 0;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  bool executable = false;
};

enum class WriteMode : std::uint8_t {
  kCreateNew,      // kAlreadyExists if the name is taken
  kCreatePrivate,  // the same, readable by the owner only: for secrets
  kTruncate,
  kAppend,  // created when absent
};

class Env {
 public:
  virtual ~Env() = default;

  virtual Result<std::unique_ptr<ByteSource>> OpenForRead(const std::string& path) = 0;
  virtual Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             WriteMode mode) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status RemoveFile(const std::string& path) = 0;
  virtual Status RemoveDir(const std::string& path) = 0;  // must be empty
  virtual Status MakeDir(const std::string& path) = 0;    // OK when it is there already
  virtual Status SyncDir(const std::string& path) = 0;
  virtual Status SetExecutable(const std::string& path, bool executable) = 0;
  // Names in a folder, sorted bytewise, without "." and "..".
  virtual Result<std::vector<std::string>> ListDir(const std::string& path) = 0;
  // Does not follow a symlink. Errors: kNotFound.
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  // Errors: kConflict when somebody else holds it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  virtual Result<std::uint64_t> FreeSpaceBytes(const std::string& path) = 0;

  virtual std::int64_t NowNs() = 0;                   // wall clock since the Unix epoch
  virtual std::int64_t MonotonicNs() = 0;             // for durations
  virtual void RandomBytes(MutableByteView out) = 0;  // cryptographic

  std::int64_t NowSeconds() { return NowNs() / 1'000'000'000; }
};

// The real system. One for the process; never destroyed.
Env& PosixEnv();

// --- What several callers need, written once over the interface ----------------

bool Exists(Env& env, const std::string& path);
Status MakeDirs(Env& env, const std::string& path);
// Errors: kUnsupported when the file holds more than `max_bytes`.
Result<Bytes> ReadFile(Env& env, const std::string& path, std::uint64_t max_bytes);
// temp file -> fdatasync -> rename -> fsync(folder): the old or the new, never a torn file.
// `mode`: kCreatePrivate for a secret, which nobody else can read at any moment.
Status WriteFileAtomically(Env& env, const std::string& path, ByteView data,
                           WriteMode mode = WriteMode::kCreateNew);
Status RemoveTree(Env& env, const std::string& path);

}  // namespace flair
