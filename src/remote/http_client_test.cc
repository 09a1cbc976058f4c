// The client against a server that says exactly what a test tells it to.
// SPDX-License-Identifier: Apache-2.0
#include "remote/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <thread>

namespace flair {
namespace {

// Answers the n-th connection with the n-th text (the last one again and again), then closes.
// An empty text means silence until the client goes.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_, 16), 0);
    socklen_t length = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    shutdown(socket_, SHUT_RDWR);
    close(socket_);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Serve() {
    for (std::size_t n = 0;; ++n) {
      const int client = accept(socket_, nullptr, nullptr);
      if (client < 0) return;
      std::string head;
      char buffer[4096];
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(client, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        head.append(buffer, static_cast<std::size_t>(got));
      }
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(head);
      }
      const std::string& answer = answers_[std::min(n, answers_.size() - 1)];
      if (answer.empty()) {
        while (recv(client, buffer, sizeof buffer, 0) > 0) {
        }
      } else {
        (void)!send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      close(client);
    }
  }

  std::vector<std::string> answers_;
  int socket_ = -1;
  int port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

std::string Answer(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

HttpOptions Quick() {
  HttpOptions options;
  options.first_pause_ms = 1;
  options.max_attempts = 3;
  options.stall_timeout_s = 1;
  options.connect_timeout_ms = 1000;
  return options;
}

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

TEST(HttpClientTest, APassingRefusalIsAskedAgain) {
  ScriptedServer server({Answer("503 Busy", "", ""), "", Answer("200 OK", "X-A: b\r\n", "fine")});
  HttpClient client(Quick());
  const auto answer = client.Send(Get(server.url() + "/x"));
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->body, "fine");
  EXPECT_EQ(*answer->Header("x-a"), "b");
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(HttpClientTest, WhatMustNotHappenTwiceIsSentOnce) {
  for (const std::string& answer : {Answer("503 Busy", "", ""), std::string("HTTP/1.1 200")}) {
    ScriptedServer server({answer});
    HttpClient client(Quick());
    HttpRequest request = Get(server.url());
    request.method = HttpMethod::kPost;
    request.repeat = Repeat::kNever;
    const auto result = client.Send(request);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(server.requests().size(), 1u);
  }
}

TEST(HttpClientTest, AttemptsEnd) {
  ScriptedServer server({Answer("502 Bad Gateway", "", "")});
  HttpClient client(Quick());
  const auto result = client.Send(Get(server.url()));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST(HttpClientTest, ARedirectIsNotFollowedAndTheTokenStays) {
  ScriptedServer other({Answer("200 OK", "", "stolen")});
  ScriptedServer server({Answer("302 Found", "Location: " + other.url() + "/\r\n", "")});
  HttpClient client(Quick());
  HttpRequest request = Get(server.url());
  request.headers.emplace_back("Authorization", "Bearer flr_secret");
  const auto result = client.Send(request);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message().find(other.url()), std::string::npos);
  EXPECT_TRUE(other.requests().empty());
}

TEST(HttpClientTest, AProblemBecomesTheHubsError) {
  ScriptedServer server({Answer("403 Forbidden", "Content-Type: application/problem+json\r\n",
                                R"({"code":"policy-violation","detail":"d","hint":"h"})")});
  HttpClient client(Quick());
  const auto result = client.Send(Get(server.url()));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kPolicyViolation);
  EXPECT_EQ(result.error().message(), "d");
  EXPECT_EQ(result.error().hint(), "h");
}

TEST(HttpClientTest, SilenceIsAnErrorNotAHang) {
  ScriptedServer server({""});
  HttpOptions options = Quick();
  options.max_attempts = 1;
  HttpClient client(options);
  const auto began = std::chrono::steady_clock::now();
  const auto result = client.Send(Get(server.url()));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(HttpClientTest, CancellingEndsARequest) {
  ScriptedServer server({""});
  std::atomic<bool> cancelled{false};
  HttpOptions options = Quick();
  options.stall_timeout_s = 60;
  options.cancelled = &cancelled;
  HttpClient client(options);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    cancelled = true;
  });
  const auto result = client.Send(Get(server.url()));
  later.join();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
}

TEST(HttpClientTest, NobodyThereIsSaidWithTheAddress) {
  std::string url;
  { url = ScriptedServer({""}).url(); }
  HttpClient client(Quick());
  HttpRequest request = Get(url);
  request.repeat = Repeat::kNever;
  const auto result = client.Send(request);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(result.error().message().find(url), std::string::npos);
}

TEST(HttpClientTest, ACutBodyKeepsWhatArrivedAndFails) {
  ScriptedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"});
  HttpClient client(Quick());
  std::string got;
  const auto result = client.Stream(Get(server.url()), [&](ByteView data) {
    got += AsText(data);
    return OkStatus();
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(got, "half");
}

TEST(HttpClientTest, AnEndlessAnswerIsCut) {
  ScriptedServer server({Answer("200 OK", "", std::string(100'000, 'x'))});
  HttpClient client(Quick());
  HttpRequest request = Get(server.url());
  request.max_answer_bytes = 1000;
  const auto result = client.Send(request);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kUnsupported);
}

TEST(HttpClientTest, OnlyHttpIsSpoken) {
  HttpClient client(Quick());
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"}) {
    EXPECT_EQ(client.Send(Get(url)).error().code(), ErrorCode::kInvalidArgument) << url;
  }
}

}  // namespace
}  // namespace flair
