// Sessions and deploy tokens: opaque texts whose SHA-256 the database holds.
//
// Place: hub/auth. A token is "flr_" and 32 random bytes in base64url. A database
// that leaks gives nobody a token.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/context.h"

namespace flair::hub {

inline constexpr std::int64_t kSessionSeconds = 30 * 86'400;
inline constexpr std::int64_t kMaxDeployDays = 366;

struct NewToken {
  std::string wallet;
  bool is_deploy = false;
  std::string name;
  std::uint8_t scopes = 0;
  std::string repo_id;
  std::int64_t expires_s = 0;
};
struct IssuedToken {
  std::string token;  // shown once
  std::string id;
};
// REQUIRES: inside HubDb::Write.
Result<IssuedToken> IssueToken(Env& env, Database& db, const NewToken& wanted);

// Absent when unknown, revoked or expired.
Result<std::optional<Session>> FindSession(HubDb& db, std::string_view token, std::int64_t now_s);

struct TokenRow {
  std::string id;
  std::string name;
  bool is_deploy = false;
  std::uint8_t scopes = 0;
  std::string repo_id;
  std::int64_t created_s = 0;
  std::int64_t expires_s = 0;
};
Result<std::vector<TokenRow>> ListTokens(Database& db, std::string_view wallet, std::int64_t now_s);
// False when the wallet has no token of that id.
Result<bool> RevokeToken(Database& db, std::string_view wallet, std::string_view id);

std::vector<std::string> ScopeNames(std::uint8_t scopes);
// Errors: kInvalidArgument for an unknown name or none at all.
Result<std::uint8_t> ParseScopes(const std::vector<std::string>& names);

}  // namespace flair::hub
