// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sign_in.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hex.h"
#include "crypto/ed25519.h"
#include "hub/json.h"
#include "hub/meta/audit.h"

namespace flair::hub {
namespace {

constexpr std::string_view kReserved[] = {
    "admin",   "api",    "assets",   "auth",   "blog",   "commit",  "commits", "docs",
    "explore", "flair",  "healthz",  "help",   "hub",    "login",   "logout",  "me",
    "metrics", "models", "new",      "null",   "org",    "orgs",    "policy",  "proposals",
    "root",    "search", "settings", "static", "status", "support", "system",  "tokens",
    "user",    "users",  "wallet",   "www"};

std::string_view DomainOf(std::string_view url) {
  const std::size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? url : url.substr(scheme + 3);
}

Error NoSuchNonce() {
  return Error(ErrorCode::kUnauthorised, "sign-in: the nonce is unknown, used or expired")
      .WithHint("ask for a new challenge: `flair login HUB`");
}

Status TouchWallet(Database& db, std::string_view wallet, std::int64_t now_s) {
  FLAIR_TRY(Statement insert,
            db.Prepare("INSERT OR IGNORE INTO wallets(wallet, created_s) VALUES(?,?)"));
  insert.Bind(1, wallet).Bind(2, now_s);
  return insert.Run();
}

struct NonceRow {
  std::string wallet;
  std::uint8_t scopes = 0;
  std::string text;
};

Result<NonceRow> FindNonce(Database& db, std::string_view nonce, std::int64_t now_s) {
  FLAIR_TRY(Statement row, db.Prepare("SELECT wallet, scopes, text FROM nonces WHERE nonce=? AND "
                                      "expires_s > ?"));
  row.Bind(1, nonce).Bind(2, now_s);
  FLAIR_TRY(const bool found, row.Step());
  if (!found) return NoSuchNonce();
  return NonceRow{row.Text(0), static_cast<std::uint8_t>(row.Int(1)), row.Text(2)};
}

}  // namespace

std::string SignInText(std::string_view domain, std::string_view uri, std::string_view wallet,
                       std::string_view nonce, std::uint8_t scopes, std::int64_t issued_s,
                       std::int64_t expires_s) {
  std::string text;
  text += std::string(domain) + " wants you to sign in with your Solana account:\n";
  text += std::string(wallet) + "\n\n";
  text += "Sign in to Flair. This costs nothing and moves no funds.\n\n";
  text += "URI: " + std::string(uri) + "\n";
  text += "Version: 1\n";
  text += "Chain ID: mainnet\n";
  text += "Nonce: " + std::string(nonce) + "\n";
  text += "Issued At: " + TimeText(issued_s) + "\n";
  text += "Expiration Time: " + TimeText(expires_s) + "\n";
  text += "Resources:";
  for (const std::string& scope : ScopeNames(scopes)) text += "\n- urn:flair:scope:" + scope;
  return text;
}

Result<Challenge> MakeChallenge(HubContext& hub, std::string_view wallet, std::uint8_t scopes) {
  FLAIR_DO(Wallet::FromBase58(wallet));
  std::array<std::byte, 16> random{};
  hub.env.RandomBytes(random);
  const std::int64_t now_s = hub.env.NowSeconds();
  Challenge c{.nonce = ToHex(random), .text = {}, .expires_s = now_s + kNonceSeconds};
  c.text = SignInText(DomainOf(hub.public_url), hub.public_url, wallet, c.nonce, scopes, now_s,
                      c.expires_s);
  const Status stored = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(Statement sweep, db.Prepare("DELETE FROM nonces WHERE expires_s <= ?"));
    sweep.Bind(1, now_s);
    FLAIR_DO(sweep.Run());
    FLAIR_TRY(Statement open, db.Prepare("SELECT COUNT(*) FROM nonces WHERE wallet=?"));
    open.Bind(1, wallet);
    FLAIR_DO(open.Step());
    if (open.Int(0) >= kMaxOpenNonces) {
      return Error(ErrorCode::kUnavailable, "too many open sign-ins for this wallet")
          .WithHint("wait five minutes");
    }
    FLAIR_TRY(Statement insert, db.Prepare("INSERT INTO nonces(nonce, wallet, scopes, text, "
                                           "expires_s) VALUES(?,?,?,?,?)"));
    insert.Bind(1, std::string_view(c.nonce)).Bind(2, wallet).Bind(3, std::int64_t{scopes});
    insert.Bind(4, std::string_view(c.text)).Bind(5, c.expires_s);
    return insert.Run();
  });
  FLAIR_DO(stored);
  return c;
}

Result<SignedIn> FinishSignIn(HubContext& hub, std::string_view nonce,
                              std::string_view signature_hex) {
  FLAIR_TRY(const Bytes raw, FromHex(signature_hex));
  Signature signature{};
  if (raw.size() != signature.size()) {
    return Error(ErrorCode::kInvalidArgument, "'signature' must be 128 hex digits");
  }
  std::memcpy(signature.data(), raw.data(), raw.size());
  const std::int64_t now_s = hub.env.NowSeconds();
  SignedIn out;
  const Status stored = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(const NonceRow row, FindNonce(db, nonce, now_s));
    FLAIR_TRY(const Wallet wallet, Wallet::FromBase58(row.wallet));
    if (!VerifySignature(wallet, AsBytes(row.text), signature).ok()) {
      return Error(ErrorCode::kRejected,
                   "sign-in: the signature is not " + row.wallet + "'s over the challenge");
    }
    FLAIR_TRY(Statement consume, db.Prepare("DELETE FROM nonces WHERE nonce=?"));
    consume.Bind(1, nonce);
    FLAIR_DO(consume.Run());
    if (db.ChangedRows() != 1) return NoSuchNonce();
    FLAIR_TRY(Statement sweep, db.Prepare("DELETE FROM sessions WHERE expires_s <= ?"));
    sweep.Bind(1, now_s);
    FLAIR_DO(sweep.Run());
    FLAIR_DO(TouchWallet(db, row.wallet, now_s));
    out.wallet = row.wallet;
    out.scopes = row.scopes;
    out.expires_s = now_s + kSessionSeconds;
    FLAIR_TRY(const IssuedToken issued, IssueToken(hub.env, db,
                                                   {.wallet = row.wallet,
                                                    .is_deploy = false,
                                                    .name = "sign-in",
                                                    .scopes = row.scopes,
                                                    .repo_id = {},
                                                    .expires_s = out.expires_s}));
    out.token = issued.token;
    return AppendAudit(db, now_s, "", row.wallet, "auth.sign-in",
                       ToText(json::object{{"token", issued.id}}));
  });
  FLAIR_DO(stored);
  return out;
}

Status CheckHandle(std::string_view handle) {
  const auto bad = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidArgument,
                 "handle '" + std::string(handle.substr(0, 40)) + "': " + std::string(why))
        .WithHint("3 to 31 of a-z, 0-9 and '-', like site-b");
  };
  if (handle.size() < 3 || handle.size() > 31) return bad("must have 3 to 31 characters");
  if (handle.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string_view::npos) {
    return bad("only a-z, 0-9 and '-'");
  }
  if (handle.front() == '-' || handle.back() == '-') return bad("no '-' at an end");
  if (std::find(std::begin(kReserved), std::end(kReserved), handle) != std::end(kReserved)) {
    return bad("is reserved");
  }
  return OkStatus();
}

bool RateLimit::Allow(const std::string& key, std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  if (now_s / 60 != minute_) {
    minute_ = now_s / 60;
    counts_.clear();
  }
  return ++counts_[key] <= per_minute_;
}

}  // namespace flair::hub
