// SPDX-License-Identifier: Apache-2.0
#include "hub/problem.h"

#include "hub/json.h"
#include "wire/problem.h"

namespace flair::hub {
namespace {

constexpr std::string_view kProblemType = "application/problem+json";

std::string_view Title(int status) {
  switch (status) {
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
    case 411:
      return "Length required";
    case 413:
      return "Body too large";
    case 416:
      return "Range not satisfiable";
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
    default:
      return "Bad request";
  }
}

}  // namespace

Response ProblemResponse(const Error& error) {
  Response r = JsonTextResponse(wire::EncodeProblem(error), wire::HttpStatusOf(error.code()));
  r.headers.Set("Content-Type", kProblemType);
  return r;
}

Response ProblemResponse(int status, std::string_view code, std::string_view detail,
                         std::string_view hint) {
  json::object body{{"type", "about:blank"},
                    {"title", std::string(Title(status))},
                    {"status", status},
                    {"code", std::string(code)},
                    {"detail", std::string(detail)}};
  if (!hint.empty()) body["hint"] = std::string(hint);
  Response r = JsonResponse(body, status);
  r.headers.Set("Content-Type", kProblemType);
  if (status == 401) r.headers.Set("WWW-Authenticate", "Bearer realm=\"flair\"");
  return r;
}

}  // namespace flair::hub
