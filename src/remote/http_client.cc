// SPDX-License-Identifier: Apache-2.0
#include "remote/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>

#include "wire/limits.h"
#include "wire/problem.h"

namespace flair {
namespace {

constexpr std::size_t kMaxHeaders = 200;
constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
constexpr int kMaxPauseMs = 10'000;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

// What the callbacks of one exchange share.
struct Exchange {
  const HttpRequest* request = nullptr;
  const BodySink* sink = nullptr;
  const std::atomic<bool>* cancelled = nullptr;
  CURL* easy = nullptr;
  HttpResponse response;
  std::optional<Error> failure;  // of sink, source or limits: it wins over libcurl's

  bool Cancelled() const { return cancelled != nullptr && cancelled->load(); }
};

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  auto& headers = exchange.response.headers;
  if (line.starts_with("HTTP/")) {
    headers.clear();  // a 100 or a proxy's answer came before
    return size * count;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  if (headers.size() >= kMaxHeaders || line.size() > kMaxHeaderBytes) {
    exchange.failure = Error(ErrorCode::kUnsupported, "the answer's headers are too long");
    return 0;
  }
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  headers.emplace_back(std::move(name), std::string(line));
  return size * count;
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = size * count;
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.sink != nullptr && status >= 200 && status < 300) {
    if (Status s = (*exchange.sink)(AsBytes({data, bytes})); !s.ok()) {
      exchange.failure = std::move(s).error();
      return 0;
    }
    return bytes;
  }
  std::string& body = exchange.response.body;
  if (status >= 300 && body.size() + bytes > wire::kMaxProblemBytes) return bytes;  // enough
  if (body.size() + bytes > exchange.request->max_answer_bytes) {
    exchange.failure = Error(ErrorCode::kUnsupported,
                             "the answer is longer than " +
                                 std::to_string(exchange.request->max_answer_bytes) + " bytes");
    return 0;
  }
  body.append(data, bytes);
  return bytes;
}

std::size_t OnRead(char* out, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  auto n = exchange.request->body_source(std::as_writable_bytes(std::span(out, size * count)));
  if (!n.ok()) {
    exchange.failure = std::move(n).error();
    return CURL_READFUNC_ABORT;
  }
  return *n;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->Cancelled() ? 1 : 0;
}

const char* MethodText(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return "GET";
    case HttpMethod::kHead:
      return "HEAD";
    case HttpMethod::kPost:
      return "POST";
    case HttpMethod::kPut:
      return "PUT";
    case HttpMethod::kPatch:
      return "PATCH";
    case HttpMethod::kDelete:
      return "DELETE";
  }
  return "GET";
}

// "http://127.0.0.1:8420/api/..." -> "http://127.0.0.1:8420".
std::string HostOf(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, url.find('/', scheme + 3)));
}

bool NeverConnected(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
         code == CURLE_COULDNT_RESOLVE_PROXY;
}

void SetTarget(CURL* easy, const HttpRequest& request) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  const bool has_body = request.body_source || !request.body.empty();
  if (request.method == HttpMethod::kHead) {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.body_source) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, OnRead);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body_bytes));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 2L << 20);
  } else if (has_body || request.method == HttpMethod::kPost ||
             request.method == HttpMethod::kPut || request.method == HttpMethod::kPatch) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method != HttpMethod::kHead) {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, MethodText(request.method));
  }
}

HeaderList HeadersOf(const HttpRequest& request) {
  curl_slist* list = nullptr;
  for (const auto& [name, value] : request.headers) {
    list = curl_slist_append(list, (name + ": " + value).c_str());
  }
  if (request.body_source || !request.body.empty()) {
    list = curl_slist_append(list, ("Content-Type: " + request.content_type).c_str());
  } else {
    list = curl_slist_append(list, "Content-Type:");
  }
  list = curl_slist_append(list, "Expect:");  // a round trip that buys nothing here
  return HeaderList(list);
}

}  // namespace

struct HttpClient::Pool {
  std::mutex mutex;
  std::vector<Easy> idle;

  Easy Take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Easy easy = std::move(idle.back());
        idle.pop_back();
        return easy;
      }
    }
    return Easy(curl_easy_init());
  }
  void Return(Easy easy) {
    curl_easy_reset(easy.get());  // options; its connections stay
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(easy));
  }
};

// How one attempt ended. `error` absent: an answer of any status came.
struct HttpClient::Outcome {
  HttpResponse response;
  std::optional<Error> error;
  bool may_repeat = false;  // the network failed: another attempt may do better
  bool never_sent = false;  // no connection was made: repeating is safe for everything
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), pool_(std::make_unique<Pool>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpClient::~HttpClient() = default;

const std::string* HttpResponse::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return &value;
  }
  return nullptr;
}

HttpClient::Outcome HttpClient::Once(const HttpRequest& request, const BodySink* sink) {
  Easy easy = pool_->Take();
  if (easy == nullptr) return {{}, Error(ErrorCode::kIo, "libcurl cannot start"), false, false};
  Exchange exchange{.request = &request,
                    .sink = sink,
                    .cancelled = options_.cancelled,
                    .easy = easy.get(),
                    .response = {},
                    .failure = {}};
  char why[CURL_ERROR_SIZE] = "";
  const HeaderList headers = HeadersOf(request);
  CURL* e = easy.get();
  SetTarget(e, request);
  curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(e, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(e, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
  const int stall_s =
      request.stall_timeout_s > 0 ? request.stall_timeout_s : options_.stall_timeout_s;
  curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall_s));
  curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 512L * 1024);
  curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(e, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(e, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(e, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(e, CURLOPT_XFERINFODATA, &exchange);

  const CURLcode code = curl_easy_perform(e);
  long status = 0;
  curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  const std::string reason = why[0] != '\0' ? why : curl_easy_strerror(code);
  Outcome outcome{std::move(exchange.response), {}, false, false};
  if (exchange.Cancelled()) {
    outcome.error = Error(ErrorCode::kCancelled, "interrupted");
  } else if (exchange.failure.has_value()) {
    outcome.error = std::move(exchange.failure);
  } else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    outcome.error = Error(ErrorCode::kInvalidArgument, "'" + request.url + "': " + reason);
  } else if (code != CURLE_OK) {
    outcome.may_repeat = true;
    outcome.never_sent = NeverConnected(code);
    outcome.error =
        code == CURLE_OPERATION_TIMEDOUT
            ? Error(ErrorCode::kUnavailable, HostOf(request.url) + ": no progress: " + reason)
            : Error(ErrorCode::kUnavailable, HostOf(request.url) + ": " + reason);
    outcome.error =
        std::move(*outcome.error)
            .WithHint(outcome.never_sent ? "is the hub running, and is the address right?"
                                         : "run the command again: it goes on where it stopped");
  }
  // A connection that failed in the middle is not one to use again: curl drops it itself.
  pool_->Return(std::move(easy));
  return outcome;
}

Status HttpClient::Pause(int attempt, const HttpResponse& answer) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const int doubled = options_.first_pause_ms << std::min(attempt, 10);
  int pause_ms = std::min(doubled, kMaxPauseMs);
  pause_ms = pause_ms / 2 + static_cast<int>(random() % static_cast<unsigned>(pause_ms + 1));
  if (const std::string* after = answer.Header("retry-after")) {
    int seconds = 0;
    std::from_chars(after->data(), after->data() + after->size(), seconds);
    pause_ms = std::max(pause_ms, std::min(seconds * 1000, kMaxPauseMs));
  }
  for (; pause_ms > 0; pause_ms -= 50) {
    if (options_.cancelled != nullptr && options_.cancelled->load()) {
      return Error(ErrorCode::kCancelled, "interrupted");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(pause_ms, 50)));
  }
  return OkStatus();
}

namespace {

bool IsPassing(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

Result<HttpResponse> Judge(const HttpRequest& request, HttpResponse response) {
  if (response.status < 300 || response.status == 304) return response;
  if (response.status < 400) {
    const std::string* to = response.Header("location");
    return Error(ErrorCode::kUnavailable,
                 HostOf(request.url) + " redirects" + (to == nullptr ? "" : " to " + *to))
        .WithHint("use the hub's own address: tokens do not follow redirects");
  }
  return wire::DecodeProblem(response.status, response.body);
}

}  // namespace

Result<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  for (int attempt = 0;; ++attempt) {
    Outcome outcome = Once(request, nullptr);
    const bool last = attempt + 1 >= options_.max_attempts || request.body_source;
    const bool safe = request.repeat == Repeat::kSafe;
    const bool failed_in_passing = outcome.error.has_value()
                                       ? outcome.never_sent || (outcome.may_repeat && safe)
                                       : IsPassing(outcome.response.status) && safe;
    if (!failed_in_passing || last) {
      if (outcome.error.has_value()) return std::move(*outcome.error);
      return Judge(request, std::move(outcome.response));
    }
    FLAIR_DO(Pause(attempt, outcome.response));
  }
}

Result<HttpResponse> HttpClient::Stream(const HttpRequest& request, const BodySink& sink) {
  Outcome outcome = Once(request, &sink);
  if (outcome.error.has_value()) return std::move(*outcome.error);
  return Judge(request, std::move(outcome.response));
}

std::string PercentEncode(std::string_view part) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

}  // namespace flair
