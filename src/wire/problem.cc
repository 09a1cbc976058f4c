// SPDX-License-Identifier: Apache-2.0
#include "wire/problem.h"

#include "base/utf8.h"
#include "wire/json.h"

namespace flair::wire {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  std::string_view title;
  int status;
};

constexpr Row kRows[] = {
    {ErrorCode::kInvalidArgument, "invalid-argument", "The request means nothing here", 400},
    {ErrorCode::kNotFound, "not-found", "There is no such thing", 404},
    {ErrorCode::kCorrupt, "corrupt", "The bytes break their format", 422},
    {ErrorCode::kRejected, "rejected", "A signature or proof is false", 422},
    {ErrorCode::kIo, "io", "The hub's system refused", 500},
    {ErrorCode::kUnsupported, "unsupported", "This hub does not do that", 422},
    {ErrorCode::kConflict, "conflict", "Somebody moved first", 409},
    {ErrorCode::kPolicyViolation, "policy-violation", "Refused by the repository's policy", 403},
    {ErrorCode::kUnauthorised, "unauthorised", "Not allowed", 403},
    {ErrorCode::kUnavailable, "unavailable", "Try again later", 503},
    {ErrorCode::kCancelled, "cancelled", "Interrupted", 499},
    {ErrorCode::kNoSpace, "no-space", "The hub's disk is full", 507},
    {ErrorCode::kAlreadyExists, "already-exists", "The name is taken", 409},
};

const Row& RowOf(ErrorCode code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[4];
}

// What a server says ends up on a terminal: one line, no control characters.
std::string OneLine(std::string_view text, std::size_t max_bytes) {
  std::string out;
  for (const char c : text.substr(0, max_bytes)) {
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  return out;
}

}  // namespace

std::optional<ErrorCode> CodeFromName(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.code;
  }
  return std::nullopt;
}

int HttpStatusOf(ErrorCode code) { return RowOf(code).status; }

ErrorCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::kUnauthorised;
    case 404:
    case 410:
      return ErrorCode::kNotFound;
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return ErrorCode::kUnavailable;
    case 409:
    case 412:
      return ErrorCode::kConflict;
    case 413:
    case 415:
    case 501:
      return ErrorCode::kUnsupported;
    case 422:
      return ErrorCode::kCorrupt;
    case 499:
      return ErrorCode::kCancelled;
    case 507:
      return ErrorCode::kNoSpace;
    default:
      return status >= 500 ? ErrorCode::kIo : ErrorCode::kInvalidArgument;
  }
}

std::string EncodeProblem(const Error& error) {
  const Row& row = RowOf(error.code());
  json::object o;
  o["type"] = "about:blank";
  o["title"] = json::string_view(row.title.data(), row.title.size());
  o["status"] = row.status;
  o["code"] = json::string_view(row.name.data(), row.name.size());
  o["detail"] = error.message();
  if (!error.hint().empty()) o["hint"] = error.hint();
  return ToText(o);
}

Error DecodeProblem(int status, std::string_view body) {
  ErrorCode code = CodeOfHttpStatus(status);
  const auto told = ParseObject(body, kMaxProblemBytes);
  if (!told.ok()) {
    return Error(code, "the hub answered with HTTP status " + std::to_string(status));
  }
  const auto text = [&](std::string_view name) {
    auto value = GetStringOr(*told, name, "");
    return value.ok() ? OneLine(*value, 4096) : std::string();
  };
  if (const auto named = CodeFromName(text("code"))) code = *named;
  std::string detail = text("detail");
  if (detail.empty()) detail = text("title");
  if (detail.empty()) detail = "the hub answered with HTTP status " + std::to_string(status);
  return Error(code, std::move(detail)).WithHint(text("hint"));
}

}  // namespace flair::wire
