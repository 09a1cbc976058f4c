// HttpClient: requests to a hub that end, one way or the other.
//
// Place: remote, over libcurl; the only file that knows it. Connect within 10 s,
// some progress every 30 s, a bounded number of attempts with jitter for requests that
// may be repeated. Proxies of the environment are honoured (libcurl's rules).
// Redirects are never followed: the token goes to the hub it belongs to, or nowhere.
//
// Thread safety: any thread; each request uses a connection of its own, kept for the next.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

struct HttpOptions {
  int connect_timeout_ms = 10'000;
  int stall_timeout_s = 30;  // without a byte in either direction
  int max_attempts = 5;
  int first_pause_ms = 200;  // doubles, times a random 0.5 to 1.5
  std::string user_agent = "flair";
  // Set from a signal handler or another thread: every request ends with kCancelled.
  const std::atomic<bool>* cancelled = nullptr;
};

enum class HttpMethod : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete };
enum class Repeat : std::uint8_t {
  kSafe,   // may be sent again: the second time changes nothing more
  kNever,  // the caller decides what a lost answer means
};

// Gives the body's next bytes, at most out.size(); 0 at the end.
using BodySource = std::function<Result<std::size_t>(MutableByteView out)>;
using BodySink = std::function<Status(ByteView)>;

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string content_type = "application/json";  // sent when there is a body
  // A body too large for memory, instead of `body`. Requests with one are sent once.
  BodySource body_source;
  std::uint64_t body_bytes = 0;
  Repeat repeat = Repeat::kSafe;
  std::uint64_t max_answer_bytes = std::uint64_t{256} << 20;  // of an answer kept in memory
  int stall_timeout_s = 0;  // for work that the hub does before it answers; 0: the client's
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  const std::string* Header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  explicit HttpClient(HttpOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any status below 400 is a response; others are the problem that the body tells.
  // Errors: kUnavailable (no connection, no progress, 5xx after the last attempt), kCancelled.
  Result<HttpResponse> Send(const HttpRequest& request);

  // The body of a 2xx answer goes to `sink` as it arrives; one attempt. What arrived
  // before an error is the caller's to keep.
  Result<HttpResponse> Stream(const HttpRequest& request, const BodySink& sink);

  const HttpOptions& options() const { return options_; }

 private:
  struct Outcome;
  struct Pool;
  Outcome Once(const HttpRequest& request, const BodySink* sink);
  Status Pause(int attempt, const HttpResponse& answer);

  HttpOptions options_;
  std::unique_ptr<Pool> pool_;
};

// "a b" -> "a%20b": one part of a path or one query value.
std::string PercentEncode(std::string_view part);

}  // namespace flair
