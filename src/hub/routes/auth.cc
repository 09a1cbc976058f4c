// Sign-in, handles and tokens over HTTP.
// SPDX-License-Identifier: Apache-2.0
#include "wire/auth.h"

#include "hub/auth/sign_in.h"
#include "hub/meta/audit.h"
#include "hub/problem.h"
#include "hub/routes/common.h"

namespace flair::hub {
namespace {

constexpr std::size_t kMaxTokenName = 100;

Response TooMany() {
  Response r = ProblemResponse(429, "unavailable", "too many sign-in requests", "wait a minute");
  r.headers.Set("Retry-After", "60");
  return r;
}

RateLimit& SignInLimit() {
  static RateLimit limit(kMaxPerMinute);
  return limit;
}

Result<Response> CreateChallenge(HubContext& hub, Call& call) {
  if (!SignInLimit().Allow(call.request.peer, hub.env.NowSeconds())) return TooMany();
  FLAIR_TRY(const std::string text, call.request.ReadBody(kMaxSmallBody));
  FLAIR_TRY(wire::ChallengeRequest asked, wire::DecodeChallengeRequest(text));
  if (asked.scopes.empty()) asked.scopes = {"read", "push", "review"};
  FLAIR_TRY(const std::uint8_t scopes, ParseScopes(asked.scopes));
  auto made = MakeChallenge(hub, asked.wallet, scopes);
  if (!made.ok() && made.error().code() == ErrorCode::kUnavailable) return TooMany();
  FLAIR_TRY(const Challenge c, std::move(made));
  return JsonTextResponse(wire::Encode(
      wire::Challenge{.nonce = c.nonce, .text = c.text, .expires_at = TimeText(c.expires_s)}));
}

Result<Response> CreateSession(HubContext& hub, Call& call) {
  if (!SignInLimit().Allow(call.request.peer, hub.env.NowSeconds())) return TooMany();
  FLAIR_TRY(const std::string text, call.request.ReadBody(kMaxSmallBody));
  FLAIR_TRY(const wire::SessionRequest asked, wire::DecodeSessionRequest(text));
  auto signed_in = FinishSignIn(hub, asked.nonce, asked.signature);
  if (!signed_in.ok()) {
    hub.metrics.CountEvent("sign_in_refused");
    const Error& error = signed_in.error();
    if (error.code() == ErrorCode::kUnauthorised || error.code() == ErrorCode::kRejected) {
      return ProblemResponse(401, "unauthorised", error.message(), error.hint());
    }
    return error;
  }
  hub.metrics.CountEvent("signed_in");
  return JsonTextResponse(
      wire::Encode(wire::SessionInfo{.token = signed_in->token,
                                     .wallet = signed_in->wallet,
                                     .scopes = ScopeNames(signed_in->scopes),
                                     .expires_at = TimeText(signed_in->expires_s)}));
}

Result<Response> EndSession(HubContext& hub, Call& call) {
  auto gone = Update(hub.db, [&](Database& db) -> Result<bool> {
    return RevokeToken(db, call.wallet(), call.session->token_id);
  });
  if (!gone.ok()) return std::move(gone).error();
  return NoContent();
}

Result<Response> GetWhoami(HubContext& hub, Call& call) {
  auto handle = Query(
      hub.db, [&](Database& db) -> Result<std::string> { return HandleOf(db, call.wallet()); });
  FLAIR_TRY(const std::string name, std::move(handle));
  return JsonTextResponse(wire::Encode(wire::Whoami{
      .wallet = call.wallet(), .handle = name, .scopes = ScopeNames(call.session->scopes)}));
}

Result<Response> SetHandle(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  FLAIR_TRY(const std::string handle, GetString(body, "handle"));
  FLAIR_DO(CheckHandle(handle));
  const Status set = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(Statement taken, db.Prepare("SELECT wallet FROM wallets WHERE handle=?"));
    taken.Bind(1, std::string_view(handle));
    FLAIR_TRY(const bool found, taken.Step());
    if (found && taken.Text(0) != call.wallet()) {
      return Error(ErrorCode::kAlreadyExists, "the handle '" + handle + "' is taken");
    }
    FLAIR_TRY(Statement update,
              db.Prepare("INSERT INTO wallets(wallet, handle, created_s) VALUES(?1,?2,?3) "
                         "ON CONFLICT(wallet) DO UPDATE SET handle=?2"));
    update.Bind(1, std::string_view(call.session->wallet)).Bind(2, std::string_view(handle));
    update.Bind(3, hub.env.NowSeconds());
    FLAIR_DO(update.Run());
    return AppendAudit(db, hub.env.NowSeconds(), "", call.wallet(), "handle.set",
                       ToText(json::object{{"handle", handle}}));
  });
  FLAIR_DO(set);
  return GetWhoami(hub, call);
}

json::object TokenJson(const TokenRow& t, std::string_view repo) {
  return {{"id", t.id},
          {"name", t.name},
          {"kind", t.is_deploy ? "deploy" : "sign-in"},
          {"scopes", wire::ToArray(ScopeNames(t.scopes))},
          {"repo", std::string(repo)},
          {"created_at", TimeText(t.created_s)},
          {"expires_at", TimeText(t.expires_s)}};
}

Result<Response> GetTokens(HubContext& hub, Call& call) {
  auto listed = Query(hub.db, [&](Database& db) -> Result<json::array> {
    FLAIR_TRY(const std::vector<TokenRow> rows,
              ListTokens(db, call.wallet(), hub.env.NowSeconds()));
    json::array out;
    for (const TokenRow& row : rows) {
      FLAIR_TRY(const auto repo, FindRepoById(db, row.repo_id));
      out.push_back(TokenJson(row, repo ? repo->owner + "/" + repo->name : ""));
    }
    return out;
  });
  FLAIR_TRY(json::array tokens, std::move(listed));
  return JsonResponse(json::object{{"tokens", std::move(tokens)}});
}

// "OWNER/NAME" that the wallet may read -> its row.
Result<RepoRow> RepoForToken(Database& db, const Call& call, const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    FLAIR_TRY(const auto repo, FindRepo(db, text.substr(0, slash), text.substr(slash + 1)));
    if (repo) {
      FLAIR_TRY(const auto role, RoleOf(db, repo->id, call.wallet()));
      if (role || !repo->is_private) return *repo;
    }
  }
  return Error(ErrorCode::kNotFound, "no repository '" + text + "' that you may read");
}

Result<Response> CreateToken(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  FLAIR_TRY(const std::vector<std::string> names, GetStrings(body, "scopes", 16));
  FLAIR_TRY(const std::uint8_t scopes, ParseScopes(names));
  FLAIR_TRY(const std::string name, GetStringOr(body, "name", "deploy token"));
  FLAIR_TRY(const std::string repo_text, GetStringOr(body, "repo", ""));
  FLAIR_TRY(const std::uint64_t days, GetUintOr(body, "days", 90));
  if (days == 0 || days > kMaxDeployDays) {
    return Error(ErrorCode::kInvalidArgument,
                 "'days' must be 1 to " + std::to_string(kMaxDeployDays));
  }
  if (name.size() > kMaxTokenName) {
    return Error(ErrorCode::kInvalidArgument, "'name' must have at most 100 bytes");
  }
  if ((scopes & ~call.session->scopes) != 0) {
    return Error(ErrorCode::kUnauthorised, "a token cannot have a scope that yours lacks");
  }
  const std::int64_t now_s = hub.env.NowSeconds();
  auto made = Update(hub.db, [&](Database& db) -> Result<json::object> {
    NewToken wanted{.wallet = call.wallet(),
                    .is_deploy = true,
                    .name = name,
                    .scopes = scopes,
                    .repo_id = {},
                    .expires_s = now_s + static_cast<std::int64_t>(days) * 86'400};
    if (!repo_text.empty()) {
      FLAIR_TRY(const RepoRow repo, RepoForToken(db, call, repo_text));
      wanted.repo_id = repo.id;
    }
    FLAIR_TRY(const IssuedToken issued, IssueToken(hub.env, db, wanted));
    FLAIR_DO(AppendAudit(db, now_s, wanted.repo_id, call.wallet(), "token.create",
                         ToText(json::object{{"token", issued.id}})));
    json::object out = TokenJson({.id = issued.id,
                                  .name = name,
                                  .is_deploy = true,
                                  .scopes = scopes,
                                  .repo_id = wanted.repo_id,
                                  .created_s = now_s,
                                  .expires_s = wanted.expires_s},
                                 repo_text);
    out["token"] = issued.token;
    return out;
  });
  FLAIR_TRY(json::object token, std::move(made));
  return JsonResponse(token, 201);
}

Result<Response> DropToken(HubContext& hub, Call& call) {
  auto gone = Update(hub.db, [&](Database& db) -> Result<bool> {
    FLAIR_TRY(const bool any, RevokeToken(db, call.wallet(), call.parameter("id")));
    if (any) {
      FLAIR_DO(AppendAudit(db, hub.env.NowSeconds(), "", call.wallet(), "token.revoke",
                           ToText(json::object{{"token", call.parameter("id")}})));
    }
    return any;
  });
  FLAIR_TRY(const bool any, std::move(gone));
  if (!any) return Error(ErrorCode::kNotFound, "you have no token '" + call.parameter("id") + "'");
  return NoContent();
}

}  // namespace

void AddAuthRoutes(Handlers& handlers) {
  handlers.Add("createChallenge", CreateChallenge);
  handlers.Add("createSession", CreateSession);
  handlers.Add("endSession", EndSession);
  handlers.Add("whoami", GetWhoami);
  handlers.Add("setHandle", SetHandle);
  handlers.Add("listTokens", GetTokens);
  handlers.Add("createToken", CreateToken);
  handlers.Add("revokeToken", DropToken);
}

}  // namespace flair::hub
