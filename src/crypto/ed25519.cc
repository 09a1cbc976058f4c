#include "crypto/ed25519.h"

#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

#include <algorithm>

#include "base/check.h"
#include "crypto/base58.h"

namespace flair {
namespace {

const unsigned char* Raw(const std::byte* p) { return reinterpret_cast<const unsigned char*>(p); }
unsigned char* Raw(std::byte* p) { return reinterpret_cast<unsigned char*>(p); }

}  // namespace

std::string Wallet::ToBase58() const { return flair::ToBase58(bytes); }

Result<Wallet> Wallet::FromBase58(std::string_view text) {
  FLAIR_TRY(const Bytes raw, flair::FromBase58(text, kBytes));
  if (raw.size() != kBytes) {
    return Error(ErrorCode::kInvalidArgument, "'" + std::string(text.substr(0, 64)) +
                                                  "' is no wallet address: base58 of 32 bytes");
  }
  return FromBytes(raw);
}

Result<Wallet> Wallet::FromBytes(ByteView raw) {
  if (raw.size() != kBytes) {
    return Error(ErrorCode::kCorrupt,
                 "a wallet has 32 bytes, this has " + std::to_string(raw.size()));
  }
  Wallet w;
  std::copy(raw.begin(), raw.end(), w.bytes.begin());
  return w;
}

Status VerifySignature(const Wallet& signer, ByteView message, const Signature& signature) {
  if (crypto_sign_ed25519_verify_detached(Raw(signature.data()), Raw(message.data()),
                                          message.size(), Raw(signer.bytes.data())) != 0) {
    return Error(ErrorCode::kRejected, "signature is not by wallet " + signer.ToBase58());
  }
  return OkStatus();
}

Keypair Keypair::FromSeed(const std::array<std::byte, 32>& seed) {
  Keypair key;
  crypto_sign_ed25519_seed_keypair(Raw(key.wallet_.bytes.data()), Raw(key.secret_.data()),
                                   Raw(seed.data()));
  return key;
}

Result<Keypair> Keypair::FromSecret(ByteView secret) {
  if (secret.size() != kSecretBytes) {
    return Error(ErrorCode::kCorrupt,
                 "a secret key has 64 bytes, this has " + std::to_string(secret.size()));
  }
  std::array<std::byte, 32> seed;
  std::copy_n(secret.begin(), seed.size(), seed.begin());
  Keypair key = FromSeed(seed);
  sodium_memzero(seed.data(), seed.size());
  if (!std::equal(secret.begin(), secret.end(), key.secret_.begin())) {
    return Error(ErrorCode::kCorrupt,
                 "the public half of the key does not belong to its secret half");
  }
  return key;
}

Keypair::Keypair(Keypair&& other) noexcept : secret_(other.secret_), wallet_(other.wallet_) {
  sodium_memzero(other.secret_.data(), other.secret_.size());
}

Keypair& Keypair::operator=(Keypair&& other) noexcept {
  if (this != &other) {
    secret_ = other.secret_;
    wallet_ = other.wallet_;
    sodium_memzero(other.secret_.data(), other.secret_.size());
  }
  return *this;
}

Keypair::~Keypair() { sodium_memzero(secret_.data(), secret_.size()); }

Signature Keypair::Sign(ByteView message) const {
  Signature signature;
  const int rc = crypto_sign_ed25519_detached(Raw(signature.data()), nullptr, Raw(message.data()),
                                              message.size(), Raw(secret_.data()));
  FLAIR_CHECK(rc == 0) << "ed25519 signing failed";
  return signature;
}

}  // namespace flair
