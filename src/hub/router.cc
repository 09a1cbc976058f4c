// SPDX-License-Identifier: Apache-2.0
#include "hub/router.h"

#include "base/check.h"
#include "base/log.h"
#include "hub/auth/sessions.h"
#include "hub/http/text.h"
#include "hub/problem.h"

namespace flair::hub {
namespace {

std::vector<std::string_view> Split(std::string_view pattern) {
  std::vector<std::string_view> parts;
  std::size_t at = 1;
  while (at <= pattern.size()) {
    const std::size_t slash = std::min(pattern.find('/', at), pattern.size());
    parts.push_back(pattern.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

bool IsParameter(std::string_view part) { return part.starts_with('{'); }
bool IsRest(std::string_view part) { return part.ends_with("...}"); }

std::optional<std::unordered_map<std::string, std::string>> Matches(
    const std::vector<std::string_view>& pattern, const std::vector<std::string>& parts) {
  std::unordered_map<std::string, std::string> parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i >= parts.size()) return {};
    const std::string_view p = pattern[i];
    if (IsRest(p)) {
      std::string rest;
      for (std::size_t j = i; j < parts.size(); ++j) rest += (j == i ? "" : "/") + parts[j];
      if (rest.empty()) return {};
      parameters.emplace(p.substr(1, p.size() - 5), std::move(rest));
      return parameters;
    }
    if (IsParameter(p)) {
      if (parts[i].empty()) return {};
      parameters.emplace(p.substr(1, p.size() - 2), parts[i]);
    } else if (p != parts[i]) {
      return {};
    }
  }
  if (pattern.size() != parts.size()) return {};
  return parameters;
}

// Absent: no token given. Errors: kUnauthorised when the header is no bearer token.
Result<std::optional<std::string>> BearerToken(const Request& request) {
  const std::string* header = request.headers.Find("Authorization");
  if (header == nullptr) return std::optional<std::string>();
  constexpr std::string_view kScheme = "Bearer ";
  if (header->size() <= kScheme.size() ||
      !EqualIgnoringCase(std::string_view(*header).substr(0, kScheme.size()), kScheme)) {
    return Error(ErrorCode::kUnauthorised, "Authorization: must be 'Bearer flr_…'");
  }
  return std::optional(std::string(Trimmed(std::string_view(*header).substr(kScheme.size()))));
}

Response NotSignedIn(std::string_view detail) {
  return ProblemResponse(401, "unauthorised", detail, "`flair login HUB` gives a token");
}

Response NoSuchRepo(const Call& call) {
  return ProblemResponse(404, "not-found",
                         "no repository '" + call.parameter("owner") + "/" +
                             call.parameter("name") + "' that you may read",
                         call.session ? "" : "if it is private, sign in: `flair login HUB`");
}

}  // namespace

Router::Router(HubContext& hub, const Handlers& handlers) : hub_(hub) {
  for (const Endpoint& e : Endpoints()) {
    const Handler* handler = handlers.Find(e.name);
    FLAIR_CHECK(handler != nullptr) << "endpoint without handler: " << e.name;
    routes_.push_back({&e, Split(e.pattern), *handler});
  }
}

Router::Match Router::Find(const Request& request) const {
  Match match;
  for (const Route& route : routes_) {
    auto parameters = Matches(route.pattern, request.parts);
    if (!parameters) continue;
    if (route.endpoint->method == request.method) {
      match.route = &route;
      match.parameters = std::move(*parameters);
      return match;
    }
    match.allowed += (match.allowed.empty() ? "" : ", ");
    match.allowed += MethodName(route.endpoint->method);
  }
  return match;
}

std::optional<Response> Router::Admit(Call& call) const {
  auto token = BearerToken(call.request);
  if (!token.ok()) return NotSignedIn(token.error().message());
  if (*token) {
    auto session = FindSession(hub_.db, **token, hub_.env.NowSeconds());
    if (!session.ok()) return ProblemResponse(session.error());
    if (!*session) return NotSignedIn("the token is unknown, revoked or expired");
    call.session = std::move(**session);
  }
  if (call.parameters.contains("owner")) {
    const Status found = hub_.db.Read([&](Database& db) -> Status {
      FLAIR_TRY(call.repo, FindRepo(db, call.parameter("owner"), call.parameter("name")));
      if (!call.repo) return OkStatus();
      call.role = call.repo->is_private ? Who::kAnyone : Who::kReader;
      if (!call.session) return OkStatus();
      FLAIR_TRY(const auto role, RoleOf(db, call.repo->id, call.session->wallet));
      if (role) call.role = *role;
      return OkStatus();
    });
    if (!found.ok()) return ProblemResponse(found.error());
    const bool foreign_token = call.session && !call.session->repo_id.empty() && call.repo &&
                               call.session->repo_id != call.repo->id;
    if (foreign_token && call.repo->is_private) call.role = Who::kAnyone;
    if (foreign_token && !call.repo->is_private) call.role = Who::kReader;
    if (!call.repo || call.role < Who::kReader) return NoSuchRepo(call);
  }
  const Endpoint& e = call.endpoint;
  if (!call.session) {
    // Without a token only what everybody may do; a reader of a public repository is everybody.
    const bool open = e.who == Who::kAnyone || (e.who == Who::kReader && call.repo);
    if (!open) return NotSignedIn("this needs a token");
    return {};
  }
  if (e.scope == Scope::kAccount) {
    if (call.session->is_deploy) {
      return ProblemResponse(403, "unauthorised", "a deploy token may not do this",
                             "sign in with the wallet: `flair login HUB`");
    }
  } else if ((call.session->scopes & static_cast<std::uint8_t>(e.scope)) !=
             static_cast<std::uint8_t>(e.scope)) {
    return ProblemResponse(403, "unauthorised",
                           "the token has no scope '" + std::string(ScopeName(e.scope)) + "'",
                           "sign in again with that scope");
  }
  if (call.repo && call.role < e.who) {
    return ProblemResponse(403, "unauthorised",
                           "this needs the role " + std::string(WhoName(e.who)) + "; yours is " +
                               std::string(WhoName(call.role)),
                           "an owner can change it: `flair invite WALLET --role …`");
  }
  return {};
}

Response Router::Answer(const Request& request, std::string_view& operation) {
  Match match = Find(request);
  if (match.route == nullptr) {
    if (match.allowed.empty()) return ProblemResponse(404, "not-found", "no such address");
    Response r = ProblemResponse(405, "method-not-allowed",
                                 std::string(MethodName(request.method)) + " is not served here");
    r.headers.Set("Allow", match.allowed);
    return r;
  }
  operation = match.route->endpoint->name;
  Call call{.request = request,
            .endpoint = *match.route->endpoint,
            .parameters = std::move(match.parameters),
            .session = {},
            .repo = {},
            .role = Who::kAnyone};
  if (auto refused = Admit(call)) return std::move(*refused);
  auto response = match.route->handler(hub_, call);
  if (response.ok()) return std::move(*response);
  const Error& error = response.error();
  if (response.error().code() == ErrorCode::kIo) {
    Log(LogLevel::kError, std::string(operation) + ": " + error.message());
  }
  return ProblemResponse(error);
}

Response Router::Handle(const Request& request) {
  const std::int64_t began = hub_.env.MonotonicNs();
  std::string_view operation = "unknown";
  Response response = Answer(request, operation);
  const double seconds = static_cast<double>(hub_.env.MonotonicNs() - began) * 1e-9;
  hub_.metrics.CountRequest(operation, response.status, seconds);
  if (LogEnabled(LogLevel::kInfo)) {
    Log(LogLevel::kInfo, request.peer + " " + std::string(MethodName(request.method)) + " " +
                             request.path + " " + std::to_string(response.status));
  }
  return response;
}

}  // namespace flair::hub
