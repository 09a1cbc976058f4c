// SPDX-License-Identifier: Apache-2.0
#include "hub/http/exchange.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "hub/http/head.h"
#include "hub/http/socket_io.h"
#include "hub/problem.h"

namespace flair::hub {
namespace {

// A body that nobody read is read and dropped up to here, so that the connection can go on.
constexpr std::uint64_t kMaxDrainBytes = std::uint64_t{1} << 20;

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

class SocketBody final : public BodyReader {
 public:
  SocketBody(int socket, std::string& buffer, const Head& head, int stall_ms)
      : socket_(socket),
        buffer_(buffer),
        size_(head.content_length),
        left_(head.content_length),
        owes_continue_(head.expects_continue && head.content_length > 0),
        stall_ms_(stall_ms) {}

  std::uint64_t size_bytes() const override { return size_; }
  std::uint64_t left() const { return left_; }
  bool owes_continue() const { return owes_continue_; }

  Result<std::size_t> Read(MutableByteView out) override {
    if (left_ == 0 || out.empty()) return std::size_t{0};
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size()));
    if (!buffer_.empty()) {  // what came in with the head
      const std::size_t n = std::min(want, buffer_.size());
      std::memcpy(out.data(), buffer_.data(), n);
      buffer_.erase(0, n);
      left_ -= n;
      return n;
    }
    if (owes_continue_) {
      owes_continue_ = false;
      FLAIR_DO(SendAll(socket_, AsBytes("HTTP/1.1 100 Continue\r\n\r\n"), stall_ms_));
    }
    FLAIR_TRY(const std::size_t n, ReceiveSome(socket_, out.first(want), stall_ms_));
    if (n == 0) return Error(ErrorCode::kCancelled, "the client closed the connection");
    left_ -= n;
    return n;
  }

 private:
  int socket_;
  std::string& buffer_;
  std::uint64_t size_;
  std::uint64_t left_;
  bool owes_continue_;
  int stall_ms_;
};

std::uint64_t LengthOf(const Response& r) {
  if (const auto* text = std::get_if<std::string>(&r.body)) return text->size();
  if (const auto* file = std::get_if<FileRange>(&r.body)) return file->length_bytes;
  if (const auto* stream = std::get_if<StreamBody>(&r.body)) return stream->length_bytes;
  return 0;
}

bool IsSafeValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string HeadText(const Response& r, bool keep_alive) {
  std::string out = "HTTP/1.1 " + std::to_string(r.status) + " ";
  out += Reason(r.status);
  out += "\r\n";
  for (const auto& [name, value] : r.headers.all()) {
    if (IsSafeValue(value)) out += name + ": " + value + "\r\n";
  }
  const bool is_events = std::holds_alternative<EventBody>(r.body);
  const bool has_length = r.headers.Find("Content-Length") != nullptr;
  if (!is_events && !has_length && r.status != 204 && r.status != 304) {
    out += "Content-Length: " + std::to_string(LengthOf(r)) + "\r\n";
  }
  out += "X-Content-Type-Options: nosniff\r\n";
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  return out;
}

// Refuses a stream that writes more or less than it promised.
Status SendStream(int socket, const StreamBody& stream, int stall_ms) {
  std::uint64_t left = stream.length_bytes;
  FLAIR_DO(stream.write([&](ByteView piece) -> Status {
    if (piece.size() > left) return Error(ErrorCode::kCorrupt, "response longer than announced");
    left -= piece.size();
    return SendAll(socket, piece, stall_ms);
  }));
  if (left != 0) return Error(ErrorCode::kCorrupt, "response shorter than announced");
  return OkStatus();
}

Status SendResponse(int socket, const Response& r, Method method, bool keep_alive, int stall_ms) {
  std::string head = HeadText(r, keep_alive);
  const bool has_body = method != Method::kHead && r.status != 204 && r.status != 304;
  const std::string* text = std::get_if<std::string>(&r.body);
  constexpr std::size_t kOneSend = 64 * 1024;
  if (has_body && text != nullptr && text->size() <= kOneSend) {
    head += *text;
    return SendAll(socket, AsBytes(head), stall_ms);
  }
  const bool follows = has_body && LengthOf(r) > 0;
  FLAIR_DO(SendAll(socket, AsBytes(head), stall_ms, follows ? More::kYes : More::kNo));
  if (!follows) return OkStatus();
  if (text != nullptr) return SendAll(socket, AsBytes(*text), stall_ms);
  if (const auto* file = std::get_if<FileRange>(&r.body)) {
    return SendFileRange(socket, file->path, file->offset, file->length_bytes, stall_ms);
  }
  if (const auto* stream = std::get_if<StreamBody>(&r.body)) {
    return SendStream(socket, *stream, stall_ms);
  }
  return OkStatus();
}

bool Drain(SocketBody& body) {
  if (body.left() == 0) return true;
  if (body.owes_continue() || body.left() > kMaxDrainBytes) return false;
  Bytes scratch(64 * 1024);
  while (body.left() > 0) {
    if (!body.Read(scratch).ok()) return false;
  }
  return true;
}

Response Handle(const HttpHandler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& e) {  // third-party code under a handler
    Log(LogLevel::kError, request.path + ": " + e.what());
    return ProblemResponse(500, "internal", "the hub made a mistake; its log says more");
  }
}

}  // namespace

std::string RefusalText(int status, std::string_view detail) {
  Response r = ProblemResponse(status, "bad-request", detail);
  // The methods that some address takes; which ones this address takes, the router knows.
  if (status == 405) r.headers.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  return HeadText(r, false) + std::get<std::string>(r.body);
}

After RunExchange(int socket, std::string& buffer, std::size_t head_bytes, const std::string& peer,
                  const HttpHandler& handler, const ExchangeOptions& options,
                  const std::function<bool()>& closing) {
  auto parsed = ParseHead(std::string_view(buffer).substr(0, head_bytes));
  if (const Refusal* refusal = std::get_if<Refusal>(&parsed)) {
    (void)SendAll(socket, AsBytes(RefusalText(refusal->status, refusal->detail)), options.stall_ms);
    return After::kClose;
  }
  Head& head = std::get<Head>(parsed);
  buffer.erase(0, head_bytes);
  if (head.content_length > options.max_body_bytes) {
    (void)SendAll(socket, AsBytes(RefusalText(413, "body larger than this hub takes")),
                  options.stall_ms);
    return After::kClose;
  }
  SocketBody body(socket, buffer, head, options.stall_ms);
  Request& request = head.request;
  request.body = &body;
  request.peer = peer;

  const Response response = Handle(handler, request);
  const EventBody* events = std::get_if<EventBody>(&response.body);
  const bool is_stream = events != nullptr && request.method != Method::kHead;
  // A body of known, small rest can be dropped; otherwise the next request could not be found.
  const bool keep = head.keep_alive && !closing() && !is_stream && Drain(body);
  const Status sent =
      SendResponse(socket, response, request.method, keep || is_stream, options.stall_ms);
  if (options.observe) {
    options.observe(head_bytes + body.size_bytes() - body.left(), LengthOf(response));
  }
  if (!sent.ok()) {
    if (sent.error().code() != ErrorCode::kCancelled) {
      Log(LogLevel::kWarning, request.path + ": " + sent.error().message());
    }
    return After::kClose;
  }
  if (is_stream) {
    // A duplicate, so that closing ours can never hit a number given out anew.
    const int own = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    const bool taken = own >= 0 && options.adopt && options.adopt(own, events->topic);
    return taken ? After::kAdopted : After::kClose;
  }
  return keep ? After::kKeep : After::kClose;
}

}  // namespace flair::hub
