// Sign-in by wallet: a challenge text, signed raw, becomes a session once.
//
// Place: hub/auth. The text is Sign-In-With-Solana's. Invariants
//   (1) A nonce is the hub's, lives at most five minutes, and works once: it is
//       consumed in the transaction that makes the session.
//   (2) What was signed is looked up by nonce, never taken from the request.
//   (3) A wallet holds at most kMaxOpenNonces challenges; a peer asks at most
//       kMaxPerMinute times a minute.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "hub/auth/sessions.h"

namespace flair::hub {

inline constexpr std::int64_t kNonceSeconds = 300;
inline constexpr std::int64_t kMaxOpenNonces = 32;
inline constexpr int kMaxPerMinute = 600;

struct Challenge {
  std::string nonce;
  std::string text;
  std::int64_t expires_s = 0;
};

// The text a wallet signs. `domain`: the hub's host and port.
std::string SignInText(std::string_view domain, std::string_view uri, std::string_view wallet,
                       std::string_view nonce, std::uint8_t scopes, std::int64_t issued_s,
                       std::int64_t expires_s);

// Errors: kInvalidArgument (wallet), kUnavailable (too many open challenges).
Result<Challenge> MakeChallenge(HubContext& hub, std::string_view wallet, std::uint8_t scopes);

struct SignedIn {
  std::string token;
  std::string wallet;
  std::uint8_t scopes = 0;
  std::int64_t expires_s = 0;
};
// Errors: kUnauthorised when the nonce is unknown, used or expired; kRejected when the
// signature is false (the nonce stays usable).
Result<SignedIn> FinishSignIn(HubContext& hub, std::string_view nonce,
                              std::string_view signature_hex);

// [a-z0-9-]{3,31}, no '-' at an end, not reserved, not what could be an address.
Status CheckHandle(std::string_view handle);

// A fixed window of one minute for each key; forgets old windows.
class RateLimit {
 public:
  explicit RateLimit(int per_minute) : per_minute_(per_minute) {}
  bool Allow(const std::string& key, std::int64_t now_s);

 private:
  const int per_minute_;
  std::mutex mutex_;
  std::int64_t minute_ = 0;
  std::map<std::string, int> counts_;
};

}  // namespace flair::hub
