// Ed25519 keys and signatures: a wallet is a public key.
//
// Verification is strict: S must be canonical, R and the public key canonical
// points outside the small-order subgroup. libsodium's detached verification
// applies these rules; the tests hold it to them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

// A Solana wallet's address.
struct Wallet {
  static constexpr std::size_t kBytes = 32;
  std::array<std::byte, kBytes> bytes{};

  auto operator<=>(const Wallet&) const = default;
  ByteView view() const { return bytes; }
  std::string ToBase58() const;
  // Errors: kInvalidArgument unless base58 of 32 bytes.
  static Result<Wallet> FromBase58(std::string_view text);
  // Errors: kCorrupt unless 32 bytes.
  static Result<Wallet> FromBytes(ByteView bytes);
};

using Signature = std::array<std::byte, 64>;

// Errors: kRejected when the signature is not `signer`'s over `message`.
Status VerifySignature(const Wallet& signer, ByteView message, const Signature& signature);

// A secret key. Its bytes are wiped when it dies; it does not copy.
class Keypair {
 public:
  static constexpr std::size_t kSecretBytes = 64;  // seed, then public key: Solana's id.json

  static Keypair FromSeed(const std::array<std::byte, 32>& seed);
  // Errors: kCorrupt when the second half is not the public key of the first.
  static Result<Keypair> FromSecret(ByteView secret);

  Keypair(Keypair&&) noexcept;
  Keypair& operator=(Keypair&&) noexcept;
  Keypair(const Keypair&) = delete;
  ~Keypair();

  const Wallet& wallet() const { return wallet_; }
  Signature Sign(ByteView message) const;
  // Secret material, for writing the key file only.
  ByteView secret() const { return secret_; }

 private:
  Keypair() = default;
  std::array<std::byte, kSecretBytes> secret_{};
  Wallet wallet_;
};

}  // namespace flair
