// SPDX-License-Identifier: Apache-2.0
#include "hub/http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace flair::hub {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A peer that may send anything at all.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  }
  ~RawPeer() { ::close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // What arrives until the server closes, is silent for `quiet_ms`, or sent `until`.
  std::string Receive(int quiet_ms = 3000, std::string_view until = {}) {
    std::string out;
    while (until.empty() || out.find(until) == std::string::npos) {
      pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&p, 1, quiet_ms) <= 0) return out;
      char buffer[65536];
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) {
        closed_ = true;
        return out;
      }
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }
  bool closed() const { return closed_; }

 private:
  int fd_;
  bool closed_ = false;
};

class ServerTest : public testing::Test {
 protected:
  void Start(HttpServerOptions options = {}) {
    auto server = HttpServer::Listen(options, [this](const Request& r) { return Echo(r); });
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->Run(); });
  }
  void TearDown() override {
    if (!server_) return;
    server_->Stop();
    thread_.join();
  }
  Response Echo(const Request& r) {
    ++num_requests_;
    Response out;
    if (r.path == "/file") {
      out.body = FileRange{file_, 10, 100'000};
      return out;
    }
    if (r.path == "/short") {
      out.body = StreamBody{10, [](const ByteSink& sink) { return sink(AsBytes("12345")); }};
      return out;
    }
    if (r.path == "/ignore") {
      out.body = "ignored";
      return out;
    }
    auto body = r.ReadBody(std::size_t{64} << 20);
    out.body = body.ok() ? r.path + " " + *body : "no body";
    return out;
  }

  std::string file_;
  std::atomic<int> num_requests_{0};
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

// Each attack carries a second request in its bytes. A server that reads the attack one way
// while a proxy in front reads it another would answer "/smuggled".
TEST_F(ServerTest, NoSmuggledRequestIsEverServed) {
  Start();
  const std::string kInner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const struct {
    const char* what;
    std::string bytes;
  } kCases[] = {
      {"CL.TE",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n" +
           kInner},
      {"TE.CL",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
       "4\r\n\r\n5c\r\n" +
           kInner + "\r\n0\r\n\r\n"},
      {"TE.TE",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-encoding: "
       "x\r\n\r\n0\r\n\r\n" +
           kInner},
      {"TE with a tab",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + kInner},
      {"TE with a space before the colon",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + kInner},
      {"TE folded",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + kInner},
      {"CL.CL",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n" + kInner},
      {"CL with text", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0 x\r\n\r\n" + kInner},
      {"TE in 1.0",
       "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
       "keep-alive\r\n\r\n0\r\n\r\n" +
           kInner},
      {"bare LF", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n" + kInner},
      {"LF CR", "POST / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n" + kInner},
      {"a header in a value by CR",
       "GET / HTTP/1.1\r\nHost: a\r\nX: b\rContent-Length: 36\r\n\r\n" + kInner},
      {"second Host", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + kInner},
  };
  for (const auto& c : kCases) {
    RawPeer peer(server_->port());
    peer.Send(c.bytes);
    const std::string answer = peer.Receive();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 4")) << c.what;
    EXPECT_THAT(answer, Not(HasSubstr("/smuggled"))) << c.what;
    EXPECT_TRUE(peer.closed()) << c.what;
  }
  EXPECT_EQ(num_requests_, 0);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  RawPeer peer(server_->port());
  peer.Send(
      "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /two HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345"
      "GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.Receive();
  const auto one = answer.find("/one abc");
  const auto two = answer.find("/two ");
  const auto three = answer.find("/three ");
  ASSERT_NE(one, std::string::npos);
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_NE(three, std::string::npos);
  EXPECT_TRUE(peer.closed());
}

TEST_F(ServerTest, AsksForABodyThatWaits) {
  Start();
  RawPeer peer(server_->port());
  peer.Send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(peer.Receive(300), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  peer.Send("hi");
  EXPECT_THAT(peer.Receive(300), HasSubstr("/x hi"));
}

TEST_F(ServerTest, SendsARangeOfAFile) {
  file_ = testing::TempDir() + "/flair_server_test_file";
  std::string bytes(200'000, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>('a' + i % 26);
  std::ofstream(file_) << bytes;
  Start();
  RawPeer peer(server_->port());
  peer.Send("GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.Receive();
  ::unlink(file_.c_str());
  EXPECT_THAT(answer, HasSubstr("Content-Length: 100000\r\n"));
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), bytes.substr(10, 100'000));
}

TEST_F(ServerTest, AHeadRequestGetsNoBody) {
  Start();
  RawPeer peer(server_->port());
  peer.Send("HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.Receive();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, AShortStreamCutsTheConnection) {
  Start();
  RawPeer peer(server_->port());
  peer.Send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = peer.Receive();
  EXPECT_TRUE(answer.ends_with("\r\n\r\n12345"));
  EXPECT_TRUE(peer.closed());
}

TEST_F(ServerTest, SlowAndEndlessHeadsAreGivenUp) {
  HttpServerOptions options;
  options.head_timeout_s = 1;
  options.idle_timeout_s = 1;
  Start(options);
  RawPeer slow(server_->port());
  slow.Send("GET / HTTP/1.1\r\nHost: a\r\nX:");
  RawPeer idle(server_->port());
  RawPeer endless(server_->port());
  endless.Send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'));
  EXPECT_THAT(endless.Receive(), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(slow.Receive(), StartsWith("HTTP/1.1 408"));
  EXPECT_TRUE(slow.closed());
  EXPECT_EQ(idle.Receive(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(num_requests_, 0);
}

TEST_F(ServerTest, RefusesABodyOverTheLimitBeforeReadingIt) {
  HttpServerOptions options;
  options.exchange.max_body_bytes = 1000;
  Start(options);
  RawPeer peer(server_->port());
  peer.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_THAT(peer.Receive(), StartsWith("HTTP/1.1 413"));
}

TEST_F(ServerTest, ServesManyClientsAtOnce) {
  Start();
  constexpr int kClients = 80;
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const std::string body(100'000, static_cast<char>('a' + i % 26));
      RawPeer peer(server_->port());
      for (int k = 0; k < 5; ++k) {
        peer.Send("POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body);
        if (peer.Receive(20'000, body).find(body) == std::string::npos) return;
      }
      ++good;
    });
  }
  for (std::thread& t : clients) t.join();
  EXPECT_EQ(good, kClients);
}

TEST_F(ServerTest, StopsWithIdleConnectionsOpen) {
  Start();
  RawPeer peer(server_->port());
  peer.Send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(peer.Receive(300), HasSubstr("/x "));
  server_->Stop();
  thread_.join();
  server_.reset();
  EXPECT_EQ(peer.Receive(), "");
  EXPECT_TRUE(peer.closed());
}

}  // namespace
}  // namespace flair::hub
