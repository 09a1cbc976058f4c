// SPDX-License-Identifier: Apache-2.0
#include "hub/http/message.h"

#include <algorithm>
#include <charconv>

#include "hub/http/text.h"
#include "hub/problem.h"

namespace flair::hub {
namespace {

std::optional<std::uint64_t> Number(std::string_view text) {
  std::uint64_t v = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || code != std::errc() || end != text.data() + text.size()) return {};
  return v;
}

bool EtagMatches(std::string_view list, std::string_view etag) {
  const std::string quoted = "\"" + std::string(etag) + "\"";
  return list == "*" || list.find(quoted) != std::string_view::npos;
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
  }
  return "?";
}

void Headers::Set(std::string_view name, std::string_view value) {
  for (auto& [n, v] : all_) {
    if (EqualIgnoringCase(n, name)) {
      v = value;
      return;
    }
  }
  all_.emplace_back(name, value);
}

const std::string* Headers::Find(std::string_view name) const {
  for (const auto& [n, v] : all_) {
    if (EqualIgnoringCase(n, name)) return &v;
  }
  return nullptr;
}

const std::string* Request::Query(std::string_view name) const {
  for (const auto& [n, v] : query) {
    if (n == name) return &v;
  }
  return nullptr;
}

Result<std::string> Request::ReadBody(std::size_t max_bytes) const {
  if (body->size_bytes() > max_bytes) {
    return Error(ErrorCode::kUnsupported, "request body: " + std::to_string(body->size_bytes()) +
                                              " bytes; at most " + std::to_string(max_bytes));
  }
  std::string out;
  // The declared size is a claim: grow with what arrives.
  constexpr std::size_t kStep = std::size_t{256} << 10;
  while (out.size() < body->size_bytes()) {
    const std::size_t had = out.size();
    const std::uint64_t left = body->size_bytes() - had;
    out.resize(had + static_cast<std::size_t>(std::min<std::uint64_t>(left, kStep)));
    FLAIR_TRY(const std::size_t got,
              body->Read(std::as_writable_bytes(std::span(out)).subspan(had)));
    out.resize(had + got);
    if (got == 0) return Error(ErrorCode::kCancelled, "request body: ended early");
  }
  return out;
}

Result<std::optional<ByteRange>> RequestedRange(const Request& request, std::uint64_t size_bytes) {
  const std::string* header = request.headers.Find("Range");
  if (header == nullptr) return std::optional<ByteRange>();
  std::string_view text = *header;
  constexpr std::string_view kUnit = "bytes=";
  // Several ranges, or another unit: the whole is a valid answer.
  if (!text.starts_with(kUnit) || text.find(',') != std::string_view::npos) {
    return std::optional<ByteRange>();
  }
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::optional<ByteRange>();
  const auto first = Number(text.substr(0, dash));
  const auto last = Number(text.substr(dash + 1));
  const Error outside(ErrorCode::kInvalidArgument, "range '" + *header + "' lies outside " +
                                                       std::to_string(size_bytes) + " bytes");
  if (dash == 0) {  // the last N bytes
    if (!last) return std::optional<ByteRange>();
    if (*last == 0 || size_bytes == 0) return outside;
    const std::uint64_t n = std::min(*last, size_bytes);
    return std::optional(ByteRange{size_bytes - n, n});
  }
  const bool open = dash + 1 == text.size();
  if (!first || (!open && !last) || (last && *last < *first)) return std::optional<ByteRange>();
  if (*first >= size_bytes) return outside;
  const std::uint64_t end = last ? std::min(*last, size_bytes - 1) : size_bytes - 1;
  return std::optional(ByteRange{*first, end - *first + 1});
}

Response RangedResponse(
    const Request& request, std::uint64_t size_bytes, std::string_view etag,
    std::string_view content_type,
    const std::function<std::variant<std::string, FileRange, StreamBody, EventBody>(ByteRange)>&
        body) {
  Response r;
  r.headers.Set("ETag", "\"" + std::string(etag) + "\"");
  r.headers.Set("Accept-Ranges", "bytes");
  if (const std::string* known = request.headers.Find("If-None-Match");
      known != nullptr && EtagMatches(*known, etag)) {
    r.status = 304;
    return r;
  }
  r.headers.Set("Content-Type", content_type);
  ByteRange range{0, size_bytes};
  const std::string* if_range = request.headers.Find("If-Range");
  if (if_range == nullptr || EtagMatches(*if_range, etag)) {
    auto asked = RequestedRange(request, size_bytes);
    if (!asked.ok()) {
      Response refused = ProblemResponse(416, "invalid-range", asked.error().message());
      refused.headers.Set("Content-Range", "bytes */" + std::to_string(size_bytes));
      return refused;
    }
    if (*asked) {
      range = **asked;
      r.status = 206;
      r.headers.Set("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                         std::to_string(range.offset + range.length_bytes - 1) +
                                         "/" + std::to_string(size_bytes));
    }
  }
  r.body = body(range);
  return r;
}

}  // namespace flair::hub
