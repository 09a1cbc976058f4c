// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED  // the compression function has no other name
#include "crypto/sha256.h"

#include <openssl/sha.h>

#include <cstring>

#include "base/check.h"

namespace flair {

void Sha256State::Compress(ByteView blocks) {
  FLAIR_CHECK(blocks.size() % kBlockBytes == 0) << blocks.size() << " bytes are no whole blocks";
  SHA256_CTX context{};
  std::memcpy(context.h, words.data(), sizeof context.h);
  for (std::size_t at = 0; at < blocks.size(); at += kBlockBytes) {
    SHA256_Transform(&context, reinterpret_cast<const unsigned char*>(blocks.data() + at));
  }
  std::memcpy(words.data(), context.h, sizeof context.h);
}

Digest Sha256State::Finish(ByteView rest, std::uint64_t total_bytes) {
  FLAIR_CHECK(rest.size() < kBlockBytes) << "a whole block is left";
  // 0x80, zeros, and the length in bits, big-endian, at the end of the last block.
  std::array<std::byte, 2 * kBlockBytes> last{};
  std::copy(rest.begin(), rest.end(), last.begin());
  last[rest.size()] = std::byte{0x80};
  const std::size_t size = rest.size() + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  for (std::size_t i = 0; i < 8; ++i) {
    last[size - 1 - i] = static_cast<std::byte>((total_bytes * 8) >> (8 * i));
  }
  Compress(ByteView(last).first(size));
  Digest digest;
  for (std::size_t i = 0; i < Digest::kBytes; ++i) {
    digest.bytes[i] = static_cast<std::byte>(words[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

Digest Sha256(ByteView data) {
  Sha256State state;
  const std::size_t whole = data.size() - data.size() % Sha256State::kBlockBytes;
  state.Compress(data.first(whole));
  return state.Finish(data.subspan(whole), data.size());
}

}  // namespace flair
