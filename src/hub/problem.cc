// SPDX-License-Identifier: Apache-2.0
#include "hub/problem.h"

#include "hub/json.h"

namespace flair::hub {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
  int status;
};

constexpr Row kRows[] = {
    {ErrorCode::kInvalidArgument, "invalid-argument", 400},
    {ErrorCode::kNotFound, "not-found", 404},
    {ErrorCode::kCorrupt, "corrupt", 422},
    {ErrorCode::kRejected, "rejected", 422},
    {ErrorCode::kIo, "io", 500},
    {ErrorCode::kUnsupported, "unsupported", 422},
    {ErrorCode::kConflict, "conflict", 409},
    {ErrorCode::kPolicyViolation, "policy-violation", 403},
    {ErrorCode::kUnauthorised, "unauthorised", 403},
    {ErrorCode::kUnavailable, "unavailable", 503},
    {ErrorCode::kCancelled, "cancelled", 503},
    {ErrorCode::kNoSpace, "no-space", 507},
    {ErrorCode::kAlreadyExists, "already-exists", 409},
};

const Row& RowOf(ErrorCode code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[4];
}

std::string_view Title(int status) {
  switch (status) {
    case 400:
      return "Bad request";
    case 401:
      return "Not signed in";
    case 403:
      return "Not allowed";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 408:
      return "Request timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length required";
    case 413:
      return "Body too large";
    case 416:
      return "Range not satisfiable";
    case 422:
      return "Cannot be processed";
    case 429:
      return "Too many requests";
    case 431:
      return "Header too large";
    case 500:
      return "Internal error";
    case 501:
      return "Not implemented";
    case 503:
      return "Unavailable";
    case 505:
      return "HTTP version not supported";
    case 507:
      return "Disk full";
    default:
      return "Error";
  }
}

}  // namespace

std::string_view CodeName(ErrorCode code) { return RowOf(code).name; }
int StatusOf(ErrorCode code) { return RowOf(code).status; }

Response ProblemResponse(const Error& error) {
  return ProblemResponse(StatusOf(error.code()), CodeName(error.code()), error.message(),
                         error.hint());
}

Response ProblemResponse(int status, std::string_view code, std::string_view detail,
                         std::string_view hint) {
  json::object body{{"type", "about:blank"}, {"title", Title(status)}, {"status", status},
                    {"code", code},          {"detail", detail},       {"hint", hint}};
  Response r = JsonResponse(body, status);
  r.headers.Set("Content-Type", "application/problem+json");
  if (status == 401) r.headers.Set("WWW-Authenticate", "Bearer realm=\"flair\"");
  return r;
}

}  // namespace flair::hub
