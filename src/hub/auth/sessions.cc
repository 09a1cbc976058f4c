// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sessions.h"

#include <array>

#include "crypto/sha256.h"

namespace flair::hub {
namespace {

constexpr std::string_view kPrefix = "flr_";
constexpr std::size_t kTokenChars = 43;  // 32 bytes in base64url without padding

std::string Base64Url(ByteView bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::byte b : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(b);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(kDigits[(bits >> held) & 63]);
    }
  }
  if (held > 0) out.push_back(kDigits[(bits << (6 - held)) & 63]);
  return out;
}

}  // namespace

Result<IssuedToken> IssueToken(Env& env, Database& db, const NewToken& wanted) {
  std::array<std::byte, 32> random{};
  env.RandomBytes(random);
  const std::string token = std::string(kPrefix) + Base64Url(random);
  const Digest hash = Sha256(AsBytes(token));
  const std::string id = hash.ToHex().substr(0, 16);
  FLAIR_TRY(Statement insert,
            db.Prepare("INSERT INTO sessions(token_sha256, id, wallet, is_deploy, name, scopes, "
                       "repo_id, created_s, expires_s) VALUES(?,?,?,?,?,?,?,?,?)"));
  insert.Bind(1, hash).Bind(2, std::string_view(id)).Bind(3, std::string_view(wanted.wallet));
  insert.Bind(4, std::int64_t{wanted.is_deploy}).Bind(5, std::string_view(wanted.name));
  insert.Bind(6, std::int64_t{wanted.scopes}).Bind(7, std::string_view(wanted.repo_id));
  insert.Bind(8, env.NowSeconds()).Bind(9, wanted.expires_s);
  FLAIR_DO(insert.Run());
  return IssuedToken{token, id};
}

Result<std::optional<Session>> FindSession(HubDb& hub_db, std::string_view token,
                                           std::int64_t now_s) {
  std::optional<Session> found;
  if (!token.starts_with(kPrefix) || token.size() != kPrefix.size() + kTokenChars) return found;
  const Digest hash = Sha256(AsBytes(token));
  FLAIR_DO(hub_db.Read([&](Database& db) -> Status {
    FLAIR_TRY(Statement row, db.Prepare("SELECT id, wallet, is_deploy, scopes, repo_id FROM "
                                        "sessions WHERE token_sha256=? AND expires_s > ?"));
    row.Bind(1, hash).Bind(2, now_s);
    FLAIR_TRY(const bool any, row.Step());
    if (!any) return OkStatus();
    found = Session{.token_id = row.Text(0),
                    .wallet = row.Text(1),
                    .scopes = static_cast<std::uint8_t>(row.Int(3)),
                    .is_deploy = row.Int(2) != 0,
                    .repo_id = row.Text(4)};
    return OkStatus();
  }));
  return found;
}

Result<std::vector<TokenRow>> ListTokens(Database& db, std::string_view wallet,
                                         std::int64_t now_s) {
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT id, name, is_deploy, scopes, repo_id, created_s, expires_s FROM "
                       "sessions WHERE wallet=? AND expires_s > ? ORDER BY created_s, id"));
  rows.Bind(1, wallet).Bind(2, now_s);
  std::vector<TokenRow> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    out.push_back({rows.Text(0), rows.Text(1), rows.Int(2) != 0,
                   static_cast<std::uint8_t>(rows.Int(3)), rows.Text(4), rows.Int(5), rows.Int(6)});
  }
}

Result<bool> RevokeToken(Database& db, std::string_view wallet, std::string_view id) {
  FLAIR_TRY(Statement remove, db.Prepare("DELETE FROM sessions WHERE wallet=? AND id=?"));
  remove.Bind(1, wallet).Bind(2, id);
  FLAIR_DO(remove.Run());
  return db.ChangedRows() > 0;
}

std::vector<std::string> ScopeNames(std::uint8_t scopes) {
  std::vector<std::string> out;
  for (const Scope s : {Scope::kRead, Scope::kPush, Scope::kReview, Scope::kMint}) {
    if ((scopes & static_cast<std::uint8_t>(s)) != 0) out.emplace_back(ScopeName(s));
  }
  return out;
}

Result<std::uint8_t> ParseScopes(const std::vector<std::string>& names) {
  std::uint8_t scopes = 0;
  for (const std::string& name : names) {
    FLAIR_TRY(const Scope s, ParseScope(name));
    scopes = static_cast<std::uint8_t>(scopes | static_cast<std::uint8_t>(s));
  }
  if (scopes == 0) {
    return Error(ErrorCode::kInvalidArgument, "'scopes' must name at least one scope")
        .WithHint("scopes: read, push, review, mint");
  }
  return scopes;
}

}  // namespace flair::hub
