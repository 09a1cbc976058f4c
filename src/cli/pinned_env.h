// PinnedEnv: an Env whose clock stands still, for golden command-line sessions.
//
// Used only when FLAIR_TEST_TIME is set (main.cc): then commits and logs are the same
// on every run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/env.h"

namespace flair::cli {

class PinnedEnv final : public Env {
 public:
  PinnedEnv(Env& real, std::int64_t now_s) : real_(real), now_ns_(now_s * 1'000'000'000) {}

  std::int64_t NowNs() override { return now_ns_; }

  Result<std::unique_ptr<ByteSource>> OpenForRead(const std::string& path) override {
    return real_.OpenForRead(path);
  }
  Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                     WriteMode mode) override {
    return real_.OpenForWrite(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return real_.Rename(from, to);
  }
  Status RemoveFile(const std::string& path) override { return real_.RemoveFile(path); }
  Status RemoveDir(const std::string& path) override { return real_.RemoveDir(path); }
  Status MakeDir(const std::string& path) override { return real_.MakeDir(path); }
  Status SyncDir(const std::string& path) override { return real_.SyncDir(path); }
  Status SetExecutable(const std::string& path, bool executable) override {
    return real_.SetExecutable(path, executable);
  }
  Result<std::vector<std::string>> ListDir(const std::string& path) override {
    return real_.ListDir(path);
  }
  Result<FileInfo> Stat(const std::string& path) override { return real_.Stat(path); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return real_.Lock(path);
  }
  Result<std::uint64_t> FreeSpaceBytes(const std::string& path) override {
    return real_.FreeSpaceBytes(path);
  }
  std::int64_t MonotonicNs() override { return real_.MonotonicNs(); }
  void RandomBytes(MutableByteView out) override { real_.RandomBytes(out); }

 private:
  Env& real_;
  std::int64_t now_ns_;
};

}  // namespace flair::cli
