// SPDX-License-Identifier: Apache-2.0
#include "remote/session.h"

#include "base/hex.h"
#include "base/path.h"
#include "remote/address.h"
#include "remote/hub_api.h"

namespace flair {
namespace {

namespace json = wire::json;
constexpr std::size_t kMaxTokenFileBytes = std::size_t{1} << 20;

// The whole document: members of later versions survive a save.
Result<json::object> ReadDocument(Env& env, const std::string& path) {
  auto bytes = ReadFile(env, path, kMaxTokenFileBytes);
  if (!bytes.ok()) {
    if (bytes.error().code() == ErrorCode::kNotFound) return json::object{};
    return std::move(bytes).error();
  }
  auto document = wire::ParseObject(AsText(*bytes), kMaxTokenFileBytes);
  if (!document.ok()) {
    return Error(ErrorCode::kCorrupt, path + ": " + document.error().message())
        .WithHint("delete the file and sign in again");
  }
  return document;
}

Status WritePrivately(Env& env, const std::string& path, std::string_view text) {
  if (const std::string folder = ParentPath(path); !folder.empty()) FLAIR_DO(MakeDirs(env, folder));
  return WriteFileAtomically(env, path, AsBytes(text), WriteMode::kCreatePrivate);
}

Result<json::object> HubsOf(const json::object& document) {
  FLAIR_TRY(const json::object* hubs, wire::GetObject(document, "hubs"));
  return hubs == nullptr ? json::object{} : *hubs;
}

// One hub's sessions by wallet.
Result<json::object> SessionsOf(const json::object& hubs, const std::string& hub_url) {
  FLAIR_TRY(const json::object* entry, wire::GetObject(hubs, hub_url));
  if (entry == nullptr) return json::object{};
  if (!entry->contains("token")) return *entry;
  // The first form of the file: one session for each hub.
  json::object session = *entry;
  FLAIR_TRY(const std::string wallet, wire::GetStringOr(session, "wallet", ""));
  session.erase("wallet");
  return json::object{{wallet, std::move(session)}};
}

}  // namespace

Result<std::optional<StoredToken>> LoadToken(Env& env, const std::string& path,
                                             const std::string& hub_url,
                                             const std::string& wallet) {
  FLAIR_TRY(const json::object document, ReadDocument(env, path));
  FLAIR_TRY(const json::object hubs, HubsOf(document));
  FLAIR_TRY(const json::object sessions, SessionsOf(hubs, hub_url));
  const bool only = wallet.empty() && sessions.size() == 1;
  const std::string key = only ? std::string(sessions.begin()->key()) : wallet;
  FLAIR_TRY(const json::object* entry, wire::GetObject(sessions, key));
  if (entry == nullptr) return std::optional<StoredToken>{};
  StoredToken token;
  token.wallet = key;
  FLAIR_TRY(token.token, wire::GetString(*entry, "token"));
  FLAIR_TRY(token.expires_at, wire::GetStringOr(*entry, "expires_at", ""));
  return std::optional<StoredToken>(std::move(token));
}

Status SaveToken(Env& env, const std::string& path, const std::string& hub_url,
                 const StoredToken& token) {
  FLAIR_TRY(json::object document, ReadDocument(env, path));
  FLAIR_TRY(json::object hubs, HubsOf(document));
  FLAIR_TRY(json::object sessions, SessionsOf(hubs, hub_url));
  sessions[token.wallet] = json::object{{"token", token.token}, {"expires_at", token.expires_at}};
  hubs[hub_url] = std::move(sessions);
  document["hubs"] = std::move(hubs);
  return WritePrivately(env, path, wire::ToText(document) + "\n");
}

Status DropToken(Env& env, const std::string& path, const std::string& hub_url,
                 const std::string& wallet) {
  FLAIR_TRY(json::object document, ReadDocument(env, path));
  FLAIR_TRY(json::object hubs, HubsOf(document));
  FLAIR_TRY(json::object sessions, SessionsOf(hubs, hub_url));
  if (sessions.erase(wallet) == 0) return OkStatus();
  if (sessions.empty()) {
    hubs.erase(hub_url);
  } else {
    hubs[hub_url] = std::move(sessions);
  }
  document["hubs"] = std::move(hubs);
  return WritePrivately(env, path, wire::ToText(document) + "\n");
}

Result<wire::SessionInfo> SignIn(HttpClient& http, const std::string& hub_url, const Keypair& key,
                                 const std::vector<std::string>& scopes) {
  HttpRequest ask;
  ask.method = HttpMethod::kPost;
  ask.url = hub_url + "/api/v1/auth/challenge";
  ask.body = Encode(wire::ChallengeRequest{key.wallet().ToBase58(), scopes});
  FLAIR_TRY(const HttpResponse asked, http.Send(ask));
  FLAIR_TRY(const wire::Challenge challenge, wire::DecodeChallenge(asked.body));
  FLAIR_DO(
      wire::CheckSignInText(challenge.text, HubDomain(hub_url), key.wallet(), challenge.nonce));

  HttpRequest answer;
  answer.method = HttpMethod::kPost;
  answer.url = hub_url + "/api/v1/auth/session";
  answer.repeat = Repeat::kNever;  // the nonce is spent by the first
  answer.body =
      Encode(wire::SessionRequest{challenge.nonce, ToHex(key.Sign(AsBytes(challenge.text)))});
  FLAIR_TRY(const HttpResponse answered, http.Send(answer));
  return wire::DecodeSessionInfo(answered.body);
}

}  // namespace flair
