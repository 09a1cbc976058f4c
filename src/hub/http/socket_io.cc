// SPDX-License-Identifier: Apache-2.0
#include "hub/http/socket_io.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace flair::hub {
namespace {

// One sendfile call moves at most this much, so that a stalled peer is noticed.
constexpr std::uint64_t kSendFileStep = std::uint64_t{8} << 20;

Error Broken() { return {ErrorCode::kCancelled, "the client closed the connection"}; }

Status WaitFor(int socket, short events, int stall_ms) {
  pollfd p{.fd = socket, .events = events, .revents = 0};
  while (true) {
    const int n = ::poll(&p, 1, stall_ms);
    if (n > 0) return OkStatus();
    if (n == 0) return Error(ErrorCode::kUnavailable, "the client made no progress");
    if (errno != EINTR) return Broken();
  }
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Full segments only, until the end: without it sendfile ends a segment with every 64 KiB of
// the file and wakes the receiver for each.
class Corked {
 public:
  explicit Corked(int socket) : socket_(socket) { Set(1); }
  ~Corked() { Set(0); }
  Corked(const Corked&) = delete;
  Corked& operator=(const Corked&) = delete;

 private:
  // Not a TCP socket: nothing is gained, nothing lost.
  void Set(int on) const { (void)::setsockopt(socket_, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }
  int socket_;
};

}  // namespace

Result<std::size_t> ReceiveReady(int socket, MutableByteView out) {
  while (true) {
    const ssize_t n = ::recv(socket, out.data(), out.size(), MSG_DONTWAIT);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n == 0) return Broken();
    if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
    if (errno != EINTR) return Broken();
  }
}

Result<std::size_t> ReceiveSome(int socket, MutableByteView out, int stall_ms) {
  while (true) {
    const ssize_t n = ::recv(socket, out.data(), out.size(), MSG_DONTWAIT);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      FLAIR_DO(WaitFor(socket, POLLIN, stall_ms));
    } else if (errno != EINTR) {
      return Broken();
    }
  }
}

Status SendAll(int socket, ByteView data, int stall_ms, More more) {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more == More::kYes ? MSG_MORE : 0);
  while (!data.empty()) {
    const ssize_t n = ::send(socket, data.data(), data.size(), flags);
    if (n > 0) {
      data = data.subspan(static_cast<std::size_t>(n));
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      FLAIR_DO(WaitFor(socket, POLLOUT, stall_ms));
    } else if (n == 0 || errno != EINTR) {
      return Broken();
    }
  }
  return OkStatus();
}

Status SendFileRange(int socket, const std::string& path, std::uint64_t offset,
                     std::uint64_t length_bytes, int stall_ms) {
  const OpenFile file(path);
  if (file.fd() < 0) return Error(ErrorCode::kIo, path + ": cannot be opened");
  (void)::posix_fadvise(file.fd(), static_cast<off_t>(offset), static_cast<off_t>(length_bytes),
                        POSIX_FADV_SEQUENTIAL);
  const Corked corked(socket);
  off_t at = static_cast<off_t>(offset);
  while (length_bytes > 0) {
    const std::size_t step = static_cast<std::size_t>(std::min(length_bytes, kSendFileStep));
    const ssize_t n = ::sendfile(socket, file.fd(), &at, step);
    if (n > 0) {
      length_bytes -= static_cast<std::uint64_t>(n);
    } else if (n == 0) {
      return Error(ErrorCode::kIo, path + ": ended early");
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      FLAIR_DO(WaitFor(socket, POLLOUT, stall_ms));
    } else if (errno != EINTR) {
      return Broken();
    }
  }
  return OkStatus();
}

}  // namespace flair::hub
