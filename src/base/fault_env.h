// FaultEnv: an Env that fails the k-th operation that changes something.
//
// Place: base, for tests: run an operation once to count, then once for every k,
// and each time reopen and look: the old or the new state, never a torn one.
//
//   FaultEnv env(mem);
//   env.FailAt(k);  ... the operation ...  env.Heal();
//
// A failing Append writes the first half of its bytes, as a full disk does.
//
// Thread safety: as the wrapped Env, which must outlive this.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/env.h"

namespace flair {

enum class FaultSpan : std::uint8_t {
  kOnce,     // later operations succeed
  kForever,  // every later one fails too: the process is as good as dead
};

class FaultEnv final : public Env {
 public:
  explicit FaultEnv(Env& real) : real_(real) {}

  // Counts from 1, beginning now.
  void FailAt(std::uint64_t kth, FaultSpan span = FaultSpan::kForever,
              ErrorCode code = ErrorCode::kIo);
  void Heal();
  // What the disk says that is left, instead of the real one.
  void SetFreeSpaceBytes(std::uint64_t bytes) { free_space_ = bytes; }
  // Changing operations since construction or FailAt, the failed ones included.
  std::uint64_t operations() const { return operations_; }

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
  std::int64_t NowNs() override { return real_.NowNs(); }
  std::int64_t MonotonicNs() override { return real_.MonotonicNs(); }
  void RandomBytes(MutableByteView out) override { real_.RandomBytes(out); }

  // Counts one changing operation and says whether it is to fail. For the files
  // this Env opened.
  Status Step(const char* operation);

 private:
  std::optional<std::uint64_t> free_space_;
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  Env& real_;
  std::atomic<std::uint64_t> operations_{0};
  std::atomic<std::uint64_t> first_failing_{kNever};
  std::atomic<std::uint64_t> last_failing_{kNever};
  std::atomic<ErrorCode> code_{ErrorCode::kIo};
};

}  // namespace flair
