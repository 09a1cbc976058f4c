// SPDX-License-Identifier: Apache-2.0
#include "wire/auth.h"

namespace flair::wire {
namespace {

constexpr std::size_t kMaxScopes = 16;
constexpr std::size_t kMaxTokens = 10'000;
constexpr std::size_t kMaxSignInBytes = 4096;

Result<TokenInfo> TokenOf(const json::object& o) {
  TokenInfo m;
  FLAIR_TRY(m.id, GetStringOr(o, "id", ""));
  FLAIR_TRY(m.token, GetStringOr(o, "token", ""));
  FLAIR_TRY(m.scopes, GetStrings(o, "scopes", kMaxScopes));
  FLAIR_TRY(m.repo, GetStringOr(o, "repo", ""));
  FLAIR_TRY(m.created_at, GetStringOr(o, "created_at", ""));
  FLAIR_TRY(m.expires_at, GetStringOr(o, "expires_at", ""));
  return m;
}

}  // namespace

std::string Encode(const ChallengeRequest& m) {
  return ToText(json::object{{"wallet", m.wallet}, {"scopes", ToArray(m.scopes)}});
}

Result<ChallengeRequest> DecodeChallengeRequest(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, kMaxProblemBytes));
  ChallengeRequest m;
  FLAIR_TRY(m.wallet, GetString(o, "wallet"));
  FLAIR_DO(Wallet::FromBase58(m.wallet));
  FLAIR_TRY(m.scopes, GetStrings(o, "scopes", kMaxScopes));
  return m;
}

std::string Encode(const Challenge& m) {
  return ToText(json::object{{"nonce", m.nonce}, {"text", m.text}, {"expires_at", m.expires_at}});
}

Result<Challenge> DecodeChallenge(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, kMaxProblemBytes));
  Challenge m;
  FLAIR_TRY(m.nonce, GetString(o, "nonce"));
  FLAIR_TRY(m.text, GetString(o, "text"));
  FLAIR_TRY(m.expires_at, GetStringOr(o, "expires_at", ""));
  return m;
}

Status CheckSignInText(std::string_view text, std::string_view domain, const Wallet& wallet,
                       std::string_view nonce) {
  const auto rejected = [](std::string message) {
    return Error(ErrorCode::kRejected, "sign-in: " + std::move(message))
        .WithHint("nothing was signed");
  };
  if (text.size() > kMaxSignInBytes) return rejected("the hub's text is too long");
  // A text that begins with the domain cannot be read as a commit's or an attachment's.
  const std::size_t space = text.find(' ');
  const std::string_view named = text.substr(0, space == std::string_view::npos ? 0 : space);
  const std::string first =
      std::string(named) + " wants you to sign in with your Solana account:\n";
  if (named.empty() || !text.starts_with(first)) {
    return rejected("the hub asks to sign something that is not a sign-in");
  }
  if (named != domain) {
    return rejected("the text is for '" + std::string(named) + "', this hub is '" +
                    std::string(domain) + "'");
  }
  if (!text.substr(first.size()).starts_with(wallet.ToBase58() + "\n")) {
    return rejected("the text names another wallet");
  }
  const std::string line = "\nNonce: " + std::string(nonce);
  const std::size_t at = text.find(line);
  if (nonce.empty() || at == std::string_view::npos ||
      (at + line.size() < text.size() && text[at + line.size()] != '\n')) {
    return rejected("the text names another nonce");
  }
  return OkStatus();
}

std::string Encode(const SessionRequest& m) {
  return ToText(json::object{{"nonce", m.nonce}, {"signature", m.signature}});
}

Result<SessionRequest> DecodeSessionRequest(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, kMaxProblemBytes));
  SessionRequest m;
  FLAIR_TRY(m.nonce, GetString(o, "nonce"));
  FLAIR_TRY(m.signature, GetString(o, "signature"));
  return m;
}

std::string Encode(const SessionInfo& m) {
  return ToText(json::object{{"token", m.token},
                             {"wallet", m.wallet},
                             {"scopes", ToArray(m.scopes)},
                             {"expires_at", m.expires_at}});
}

Result<SessionInfo> DecodeSessionInfo(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, kMaxProblemBytes));
  SessionInfo m;
  FLAIR_TRY(m.token, GetString(o, "token"));
  // It becomes a header's value: nothing in it may end the line.
  for (const char c : m.token) {
    if (c <= 0x20 || c >= 0x7f) {
      return Error(ErrorCode::kInvalidArgument, "'token' holds a character no token has");
    }
  }
  FLAIR_TRY(m.wallet, GetString(o, "wallet"));
  FLAIR_TRY(m.scopes, GetStrings(o, "scopes", kMaxScopes));
  FLAIR_TRY(m.expires_at, GetStringOr(o, "expires_at", ""));
  return m;
}

std::string Encode(const Whoami& m) {
  return ToText(
      json::object{{"wallet", m.wallet}, {"handle", m.handle}, {"scopes", ToArray(m.scopes)}});
}

Result<Whoami> DecodeWhoami(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, kMaxProblemBytes));
  Whoami m;
  FLAIR_TRY(m.wallet, GetString(o, "wallet"));
  FLAIR_TRY(m.handle, GetStringOr(o, "handle", ""));
  FLAIR_TRY(m.scopes, GetStrings(o, "scopes", kMaxScopes));
  return m;
}

std::string Encode(const TokenRequest& m) {
  json::object o{{"scopes", ToArray(m.scopes)}};
  if (!m.repo.empty()) o["repo"] = m.repo;
  if (m.days) o["days"] = *m.days;
  return ToText(o);
}

Result<TokenInfo> DecodeTokenInfo(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  return TokenOf(o);
}

Result<std::vector<TokenInfo>> DecodeTokens(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FLAIR_TRY(const json::array* items, GetArray(o, "tokens", kMaxTokens));
  std::vector<TokenInfo> out;
  if (items == nullptr) return out;
  for (const json::value& item : *items) {
    if (!item.is_object()) {
      return Error(ErrorCode::kInvalidArgument, "'tokens' must be a list of objects");
    }
    FLAIR_TRY(TokenInfo info, TokenOf(item.get_object()));
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace flair::wire
