// Messages of sign-in. The wallet signs the hub's text; the client checks first that
// it is a sign-in text for this hub and wallet, so that no hub obtains another signature.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"
#include "wire/json.h"

namespace flair::wire {

struct ChallengeRequest {
  std::string wallet;  // base58
  std::vector<std::string> scopes;
};
std::string Encode(const ChallengeRequest& m);
Result<ChallengeRequest> DecodeChallengeRequest(std::string_view text);

struct Challenge {
  std::string nonce;
  std::string text;
  std::string expires_at;  // RFC 3339
};
std::string Encode(const Challenge& m);
Result<Challenge> DecodeChallenge(std::string_view text);

// The text must be "<domain> wants you to sign in with your Solana account:\n<wallet>\n"
// and more, one of its lines "Nonce: <nonce>". Errors: kRejected says what differs.
Status CheckSignInText(std::string_view text, std::string_view domain, const Wallet& wallet,
                       std::string_view nonce);

struct SessionRequest {
  std::string nonce;
  std::string signature;  // 128 hex
};
std::string Encode(const SessionRequest& m);
Result<SessionRequest> DecodeSessionRequest(std::string_view text);

struct SessionInfo {
  std::string token;  // "flr_..."
  std::string wallet;
  std::vector<std::string> scopes;
  std::string expires_at;
};
std::string Encode(const SessionInfo& m);
Result<SessionInfo> DecodeSessionInfo(std::string_view text);

struct Whoami {
  std::string wallet;
  std::string handle;  // empty: none
  std::vector<std::string> scopes;
};
std::string Encode(const Whoami& m);
Result<Whoami> DecodeWhoami(std::string_view text);

struct TokenRequest {
  std::vector<std::string> scopes;
  std::string repo;                   // "OWNER/NAME"; empty: every repository
  std::optional<std::uint64_t> days;  // none: the hub's default
};
std::string Encode(const TokenRequest& m);

struct TokenInfo {
  std::string id;
  std::string token;  // only in the answer that made it
  std::vector<std::string> scopes;
  std::string repo;
  std::string created_at;
  std::string expires_at;
};
Result<TokenInfo> DecodeTokenInfo(std::string_view text);
// {"tokens": [...]}
Result<std::vector<TokenInfo>> DecodeTokens(std::string_view text);

}  // namespace flair::wire
