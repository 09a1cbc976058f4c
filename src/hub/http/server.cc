// SPDX-License-Identifier: Apache-2.0
#include "hub/http/server.h"

#include <sys/socket.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "hub/http/head.h"
#include "hub/http/socket_io.h"
#include "hub/http/workers.h"

namespace flair::hub {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadStep = 16 * 1024;

class Server;

// Belongs to the waiting thread between requests and to one worker during one.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, tcp::socket socket, std::string peer);
  ~Connection();
  void WaitForHead();  // waiting thread
  void Abort();        // any thread: breaks reads and writes
  void CloseIfIdle();  // waiting thread

 private:
  void ReadMore();
  void OnDeadline();
  void Refuse(int status, std::string_view detail);
  void Work();  // worker

  Server& server_;
  tcp::socket socket_;
  asio::steady_timer deadline_;
  const std::string peer_;
  std::string buffer_;
  const int fd_;
  bool idle_ = true;  // waiting thread only
};

class Server final : public HttpServer {
 public:
  Server(const HttpServerOptions& options, HttpHandler handler)
      : options_(options),
        handler_(std::move(handler)),
        acceptor_(io_),
        grace_(io_),
        workers_(options.max_workers) {}

  Status Open() {
    error_code code;
    const auto address = asio::ip::make_address(options_.address, code);
    if (code) {
      return Error(ErrorCode::kInvalidArgument,
                   "listen address '" + options_.address + "' is not an IP address");
    }
    const tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), code);
    if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor_.bind(endpoint, code);
    if (!code) acceptor_.listen(1024, code);
    if (code) {
      return Error(ErrorCode::kIo, "listen on " + options_.address + ":" +
                                       std::to_string(options_.port) + ": " + code.message())
          .WithHint("choose another port with --listen");
    }
    port_ = acceptor_.local_endpoint().port();
    return OkStatus();
  }

  std::uint16_t port() const override { return port_; }
  std::size_t num_connections() const override { return num_connections_; }
  bool stopping() const { return stopping_; }
  const HttpServerOptions& options() const { return options_; }
  const HttpHandler& handler() const { return handler_; }
  Workers& workers() { return workers_; }
  asio::io_context& io() { return io_; }

  void Run() override {
    Accept();
    io_.run();
  }

  void Stop() override {
    if (stopping_.exchange(true)) return;
    asio::post(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      for (const auto& c : Living()) c->CloseIfIdle();
      grace_.expires_after(std::chrono::seconds(options_.stop_grace_s));
      grace_.async_wait([this](error_code code) {
        if (code) return;
        for (const auto& c : Living()) c->Abort();
      });
      EndGraceWhenAlone();
    });
  }

  void Register(Connection* c) {
    const std::lock_guard lock(mutex_);
    living_.insert(c);
    num_connections_ = living_.size();
  }
  void Forget(Connection* c) {
    {
      const std::lock_guard lock(mutex_);
      living_.erase(c);
      num_connections_ = living_.size();
    }
    if (stopping_) asio::post(io_, [this] { EndGraceWhenAlone(); });
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code code, tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (!code) {
        Take(std::move(socket));
        Accept();
      } else if (code == asio::error::no_descriptors) {
        // Wait a little: accepting again at once would spin.
        grace_.expires_after(std::chrono::milliseconds(100));
        grace_.async_wait([this](error_code) {
          if (!stopping_) Accept();
        });
      } else {
        Accept();
      }
    });
  }

  void Take(tcp::socket socket) {
    error_code code;
    socket.set_option(tcp::no_delay(true), code);
    socket.non_blocking(true, code);
    const auto remote = socket.remote_endpoint(code);
    if (code) return;
    if (num_connections_ >= options_.max_connections) {
      const std::string text = RefusalText(503, "too many connections");
      (void)::send(socket.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      return;
    }
    std::make_shared<Connection>(*this, std::move(socket), remote.address().to_string())
        ->WaitForHead();
  }

  std::vector<std::shared_ptr<Connection>> Living() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Connection>> out;
    for (Connection* c : living_) {
      if (auto strong = c->weak_from_this().lock()) out.push_back(std::move(strong));
    }
    return out;
  }

  void EndGraceWhenAlone() {
    if (num_connections_ == 0) grace_.cancel();
  }

  const HttpServerOptions options_;
  const HttpHandler handler_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer grace_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> num_connections_{0};
  std::mutex mutex_;
  std::unordered_set<Connection*> living_;
  Workers workers_;  // last: its threads end before anything they use
};

Connection::Connection(Server& server, tcp::socket socket, std::string peer)
    : server_(server),
      socket_(std::move(socket)),
      deadline_(server.io()),
      peer_(std::move(peer)),
      fd_(socket_.native_handle()) {
  server_.Register(this);
}

Connection::~Connection() { server_.Forget(this); }

void Connection::WaitForHead() {
  idle_ = true;
  const int seconds =
      buffer_.empty() ? server_.options().idle_timeout_s : server_.options().head_timeout_s;
  deadline_.expires_after(std::chrono::seconds(seconds));
  deadline_.async_wait([self = shared_from_this()](error_code code) {
    if (!code) self->OnDeadline();
  });
  if (server_.stopping() && buffer_.empty()) {
    CloseIfIdle();
    return;
  }
  ReadMore();
}

void Connection::ReadMore() {
  if (const auto end = FindHeadEnd(buffer_)) {
    deadline_.cancel();
    idle_ = false;
    server_.workers().Submit([self = shared_from_this()] { self->Work(); });
    return;
  }
  if (buffer_.size() > kMaxHeadBytes) {
    deadline_.cancel();
    Refuse(431, "request head: more than " + std::to_string(kMaxHeadBytes) + " bytes");
    return;
  }
  const bool was_empty = buffer_.empty();
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this(),
                                              was_empty](error_code code) {
    if (code) {
      self->deadline_.cancel();
      return;
    }
    const std::size_t had = self->buffer_.size();
    self->buffer_.resize(had + kReadStep);
    auto got =
        ReceiveReady(self->fd_, std::as_writable_bytes(std::span(self->buffer_)).subspan(had));
    self->buffer_.resize(had + (got.ok() ? *got : 0));
    if (!got.ok()) {
      self->deadline_.cancel();
      return;
    }
    if (was_empty && !self->buffer_.empty()) {
      // The head's own limit starts with its first byte and is never extended.
      self->deadline_.expires_after(std::chrono::seconds(self->server_.options().head_timeout_s));
      self->deadline_.async_wait([self](error_code expired) {
        if (!expired) self->OnDeadline();
      });
    }
    self->ReadMore();
  });
}

void Connection::OnDeadline() {
  if (!idle_) return;
  if (!buffer_.empty()) Refuse(408, "request head: took too long");
  CloseIfIdle();
}

void Connection::Refuse(int status, std::string_view detail) {
  const std::string text = RefusalText(status, detail);
  (void)::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  (void)::shutdown(fd_, SHUT_WR);
}

void Connection::CloseIfIdle() {
  if (!idle_) return;
  deadline_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

void Connection::Abort() { (void)::shutdown(fd_, SHUT_RDWR); }

void Connection::Work() {
  After after = After::kKeep;
  while (after == After::kKeep) {
    const auto end = FindHeadEnd(buffer_);
    if (!end) {
      // Often the next request is there already: no need to change threads for it.
      const std::size_t had = buffer_.size();
      if (had > kMaxHeadBytes) break;
      buffer_.resize(had + kReadStep);
      auto got = ReceiveReady(fd_, std::as_writable_bytes(std::span(buffer_)).subspan(had));
      buffer_.resize(had + (got.ok() ? *got : 0));
      if (!got.ok()) {
        after = After::kClose;
      } else if (*got == 0) {
        break;
      }
      continue;
    }
    after = RunExchange(fd_, buffer_, *end, peer_, server_.handler(), server_.options().exchange,
                        [this] { return server_.stopping(); });
  }
  if (after == After::kAdopted) return;
  if (after == After::kClose) {
    (void)::shutdown(fd_, SHUT_WR);
    // Let the peer read the answer before unread bytes make the kernel reset the connection.
    Bytes scratch(16 * 1024);
    for (int i = 0; i < 64; ++i) {
      auto got = ReceiveSome(fd_, scratch, 500);
      if (!got.ok() || *got == 0) break;
    }
    return;
  }
  asio::post(server_.io(), [self = shared_from_this()] { self->WaitForHead(); });
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(const HttpServerOptions& options,
                                                       HttpHandler handler) {
  try {
    auto server = std::make_unique<Server>(options, std::move(handler));
    FLAIR_DO(server->Open());
    return std::unique_ptr<HttpServer>(std::move(server));
  } catch (const std::exception& e) {
    return Error(ErrorCode::kIo, std::string("listen: ") + e.what());
  }
}

}  // namespace flair::hub
