// The real system behind Env.
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/env.h"
#include "base/path.h"

namespace flair {
namespace {

// Linux moves at most 0x7ffff000 bytes a call; smaller pieces also notice signals.
constexpr std::size_t kMaxCallBytes = std::size_t{1} << 30;

ErrorCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    default:
      return ErrorCode::kIo;
  }
}

Error SystemError(int error, std::string_view doing, const std::string& path) {
  // std::error_code's text, because strerror is not thread-safe.
  return {CodeOf(error), "cannot " + std::string(doing) + " " + path + ": " +
                             std::generic_category().message(error)};
}

// Repeats a call that a signal interrupts.
template <typename Call>
auto Retry(Call call) {
  decltype(call()) r;
  do {
    r = call();
  } while (r < 0 && errno == EINTR);
  return r;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixSource final : public ByteSource {
 public:
  PosixSource(Descriptor fd, std::uint64_t size, std::string path)
      : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}
  std::uint64_t size_bytes() const override { return size_; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    while (!out.empty()) {
      const ssize_t n = Retry([&] {
        return pread(fd_.get(), out.data(), std::min(out.size(), kMaxCallBytes),
                     static_cast<off_t>(offset));
      });
      if (n < 0) return SystemError(errno, "read", path_);
      if (n == 0) {
        return Error(ErrorCode::kCorrupt, path_ + " ends at offset " + std::to_string(offset) +
                                              ", " + std::to_string(out.size()) +
                                              " bytes before what was asked for");
      }
      offset += static_cast<std::uint64_t>(n);
      out = out.subspan(static_cast<std::size_t>(n));
    }
    return OkStatus();
  }

 private:
  Descriptor fd_;
  std::uint64_t size_;
  std::string path_;
};

class PosixFile final : public WritableFile {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status Append(ByteView data) override {
    while (!data.empty()) {
      const ssize_t n = Retry(
          [&] { return write(fd_.get(), data.data(), std::min(data.size(), kMaxCallBytes)); });
      if (n < 0) return SystemError(errno, "write", path_);
      data = data.subspan(static_cast<std::size_t>(n));
    }
    return OkStatus();
  }
  Status Sync() override {
    if (Retry([&] { return fdatasync(fd_.get()); }) == 0) return OkStatus();
    return SystemError(errno, "sync", path_);
  }
  Status Close() override {
    // After EINTR Linux has closed the descriptor: closing again could hit another's.
    const int fd = fd_.Release();
    if (fd < 0 || close(fd) == 0 || errno == EINTR) return OkStatus();
    return SystemError(errno, "close", path_);
  }

 private:
  Descriptor fd_;
  std::string path_;
};

// flock belongs to the open file description, so it also excludes other threads
// of this process; it ends with the descriptor.
class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

FileKind KindOf(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::kFile;
  if (S_ISDIR(mode)) return FileKind::kDirectory;
  if (S_ISLNK(mode)) return FileKind::kSymlink;
  return FileKind::kOther;
}

std::int64_t ToNs(const timespec& t) { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

class PosixEnvironment final : public Env {
 public:
  PosixEnvironment() { FLAIR_CHECK(sodium_init() >= 0) << "libsodium does not start"; }

  Result<std::unique_ptr<ByteSource>> OpenForRead(const std::string& path) override {
    Descriptor fd(Retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
    if (fd.get() < 0) return SystemError(errno, "open", path);
    struct stat st {};
    if (fstat(fd.get(), &st) != 0) return SystemError(errno, "stat", path);
    if (!S_ISREG(st.st_mode)) return Error(ErrorCode::kIo, path + " is not a regular file");
    return std::unique_ptr<ByteSource>(
        std::make_unique<PosixSource>(std::move(fd), static_cast<std::uint64_t>(st.st_size), path));
  }

  Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                     WriteMode mode) override {
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    mode_t permissions = 0666;
    switch (mode) {
      case WriteMode::kCreatePrivate:
        permissions = 0600;
        [[fallthrough]];
      case WriteMode::kCreateNew:
        flags |= O_EXCL;
        break;
      case WriteMode::kTruncate:
        flags |= O_TRUNC;
        break;
      case WriteMode::kAppend:
        flags |= O_APPEND;
        break;
    }
    Descriptor fd(Retry([&] { return open(path.c_str(), flags, permissions); }));
    if (fd.get() < 0) return SystemError(errno, "create", path);
    return std::unique_ptr<WritableFile>(std::make_unique<PosixFile>(std::move(fd), path));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return OkStatus();
    return SystemError(errno, "rename", from + " to " + to);
  }
  Status RemoveFile(const std::string& path) override {
    if (unlink(path.c_str()) == 0) return OkStatus();
    return SystemError(errno, "remove", path);
  }
  Status RemoveDir(const std::string& path) override {
    if (rmdir(path.c_str()) == 0) return OkStatus();
    return SystemError(errno, "remove", path);
  }
  Status MakeDir(const std::string& path) override {
    if (mkdir(path.c_str(), 0777) == 0) return OkStatus();
    const int error = errno;
    struct stat st {};
    const bool there = error == EEXIST && stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    if (there) return OkStatus();
    return SystemError(error, "create folder", path);
  }
  Status SyncDir(const std::string& path) override {
    const Descriptor fd(
        Retry([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return SystemError(errno, "open", path);
    if (Retry([&] { return fsync(fd.get()); }) == 0) return OkStatus();
    return SystemError(errno, "sync", path);
  }
  Status SetExecutable(const std::string& path, bool executable) override {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) return SystemError(errno, "stat", path);
    // Executable for whoever may read it.
    const mode_t readers = (st.st_mode & 0444U) >> 2U;
    const mode_t mode = executable ? (st.st_mode | readers) : (st.st_mode & ~0111U);
    if (chmod(path.c_str(), mode & 07777U) == 0) return OkStatus();
    return SystemError(errno, "change the mode of", path);
  }

  Result<std::vector<std::string>> ListDir(const std::string& path) override {
    DIR* dir = opendir(path.c_str());
    if (dir == nullptr) return SystemError(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    closedir(dir);
    if (error != 0) return SystemError(error, "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<FileInfo> Stat(const std::string& path) override {
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0) return SystemError(errno, "stat", path);
    return FileInfo{.kind = KindOf(st.st_mode),
                    .size_bytes = static_cast<std::uint64_t>(st.st_size),
                    .mtime_ns = ToNs(st.st_mtim),
                    .ctime_ns = ToNs(st.st_ctim),
                    .inode = st.st_ino,
                    .device = st.st_dev,
                    .executable = (st.st_mode & S_IXUSR) != 0};
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Descriptor fd(Retry([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); }));
    if (fd.get() < 0) return SystemError(errno, "open", path);
    if (Retry([&] { return flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) {
        return Error(ErrorCode::kConflict, path + " is locked by somebody else");
      }
      return SystemError(errno, "lock", path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(fd)));
  }

  Result<std::uint64_t> FreeSpaceBytes(const std::string& path) override {
    struct statvfs st {};
    if (Retry([&] { return statvfs(path.c_str(), &st); }) != 0) {
      return SystemError(errno, "stat the file system of", path);
    }
    return std::uint64_t{st.f_bavail} * st.f_frsize;
  }

  std::int64_t NowNs() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t MonotonicNs() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  void RandomBytes(MutableByteView out) override { randombytes_buf(out.data(), out.size()); }
};

}  // namespace

Env& PosixEnv() {
  static Env* const env = new PosixEnvironment;  // outlives every static
  return *env;
}

}  // namespace flair
