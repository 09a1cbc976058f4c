// SPDX-License-Identifier: Apache-2.0
#include "crypto/chacha20.h"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_stream_chacha20.h>

#include <algorithm>
#include <array>

namespace flair {
namespace {

unsigned char* Raw(std::byte* p) { return reinterpret_cast<unsigned char*>(p); }
const unsigned char* Raw(const std::byte* p) { return reinterpret_cast<const unsigned char*>(p); }

static_assert(crypto_auth_hmacsha256_KEYBYTES == Digest::kBytes);

}  // namespace

void ChaCha20Stream(const Digest& key, std::uint64_t nonce, std::uint64_t first_block,
                    MutableByteView out) {
  std::array<unsigned char, crypto_stream_chacha20_NONCEBYTES> n{};
  for (std::size_t i = 0; i < n.size(); ++i) n[i] = static_cast<unsigned char>(nonce >> (8 * i));
  std::fill(out.begin(), out.end(), std::byte{0});
  crypto_stream_chacha20_xor_ic(Raw(out.data()), Raw(out.data()), out.size(), n.data(), first_block,
                                Raw(key.bytes.data()));
}

Digest HkdfSha256(ByteView secret, ByteView info) {
  const Digest no_salt;
  Digest extracted;
  crypto_auth_hmacsha256(Raw(extracted.bytes.data()), Raw(secret.data()), secret.size(),
                         Raw(no_salt.bytes.data()));
  Bytes message(info.begin(), info.end());
  message.push_back(std::byte{1});
  Digest out;
  crypto_auth_hmacsha256(Raw(out.bytes.data()), Raw(message.data()), message.size(),
                         Raw(extracted.bytes.data()));
  return out;
}

}  // namespace flair
