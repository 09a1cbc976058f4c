// Sessions: sign-in with a wallet, and the tokens kept on this machine.
//
// Tokens live in one JSON file, mode 0600, whose path the door gives
// (~/.config/flair/tokens.json), by hub and wallet, so that several wallets on a machine
// never act as one another: {"hubs": {"http://...": {"<wallet>": {token, expires_at}}}}.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "crypto/ed25519.h"
#include "remote/http_client.h"
#include "wire/auth.h"

namespace flair {

struct StoredToken {
  std::string token;
  std::string wallet;      // base58
  std::string expires_at;  // RFC 3339
};

// `wallet` (base58); empty, where no wallet is at hand: the only session at that hub.
// Absent: not signed in there (or no file). Errors: kCorrupt for a broken file.
Result<std::optional<StoredToken>> LoadToken(Env& env, const std::string& path,
                                             const std::string& hub_url, const std::string& wallet);
Status SaveToken(Env& env, const std::string& path, const std::string& hub_url,
                 const StoredToken& token);
Status DropToken(Env& env, const std::string& path, const std::string& hub_url,
                 const std::string& wallet);

// Challenge, check of the text, signature, session. Does not store anything.
// Errors: kRejected when the hub's text is not a sign-in text for this hub and wallet.
Result<wire::SessionInfo> SignIn(HttpClient& http, const std::string& hub_url, const Keypair& key,
                                 const std::vector<std::string>& scopes);

}  // namespace flair
