// Request and Response: HTTP as the rest of the hub sees it.
//
// Place: hub/http. Everything outside hub/http knows these types and neither Beast
// nor sockets. A request body is read from the socket as the handler asks for it;
// a response body is text, a range of a file (sendfile), a stream of known length, or
// a subscription to events.
//
// Thread safety: none; one handler owns one request.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace flair::hub {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
std::string_view MethodName(Method method);

// Names are compared without regard to case and never repeat.
class Headers {
 public:
  void Set(std::string_view name, std::string_view value);
  const std::string* Find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

class BodyReader {
 public:
  virtual ~BodyReader() = default;
  virtual std::uint64_t size_bytes() const = 0;  // Content-Length; 0 when there is no body
  // Up to out.size() bytes straight from the socket; 0 at the end of the body.
  // Errors: kCancelled when the client went away, kUnavailable when it was silent too long.
  virtual Result<std::size_t> Read(MutableByteView out) = 0;
};

struct Request {
  Method method = Method::kGet;
  std::string path;  // as sent, before the '?': for logs
  // Between the slashes, percent-decoded one by one ("%2F" stays inside its part); none is
  // "." or "..", none holds a control character.
  std::vector<std::string> parts;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  Headers headers;
  BodyReader* body = nullptr;  // never null inside a handler
  std::string peer;            // address of the client, without port

  const std::string* Query(std::string_view name) const;  // first of that name
  // The whole body. Errors: kUnsupported when it is longer than `max_bytes`.
  Result<std::string> ReadBody(std::size_t max_bytes) const;
};

// A file's bytes, sent by the kernel. REQUIRES: the range lies in the file.
struct FileRange {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t length_bytes = 0;
};

using ByteSink = std::function<Status(ByteView)>;

// `write` must give the sink exactly `length_bytes` bytes; when it fails the
// connection is cut, so that the client sees a short body.
struct StreamBody {
  std::uint64_t length_bytes = 0;
  std::function<Status(const ByteSink&)> write;
};

// The connection becomes a stream of server-sent events of this topic (events.h).
struct EventBody {
  std::string topic;
};

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileRange, StreamBody, EventBody> body;
};

// A byte range asked for with "Range: bytes=a-b" (one range only).
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length_bytes = 0;
};
// Absent: no (usable) Range header, send everything. Errors: kInvalidArgument when
// the range lies outside `size_bytes`: 416.
Result<std::optional<ByteRange>> RequestedRange(const Request& request, std::uint64_t size_bytes);

// Answers a GET or HEAD of a whole stored thing of `size_bytes` bytes with strong
// `etag` (without quotes): 200, 206, 304 or 416, ETag, Accept-Ranges and Content-Range
// set. `body` gives the body of a range.
Response RangedResponse(
    const Request& request, std::uint64_t size_bytes, std::string_view etag,
    std::string_view content_type,
    const std::function<std::variant<std::string, FileRange, StreamBody, EventBody>(ByteRange)>&
        body);

}  // namespace flair::hub
