// BLAKE3 (official C implementation), whole and in blocks.
//
// Place: crypto. Three uses: ids (DeriveKey mode, one context per kind of
// object), content hashes (plain mode: what `b3sum` prints), and block hashes:
// content of more than one block is a BLAKE3 tree whose 1 MiB blocks are aligned
// subtrees, so blocks hash in parallel and each one verifies alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace flair {

// Plain BLAKE3 of `data`.
Digest Blake3(ByteView data);
// BLAKE3's derive_key mode: one function per `context`.
Digest Blake3DeriveKey(std::string_view context, ByteView data);

// Incremental, plain mode.
class Blake3Hasher {
 public:
  Blake3Hasher();
  ~Blake3Hasher();
  Blake3Hasher(Blake3Hasher&&) noexcept;
  Blake3Hasher& operator=(Blake3Hasher&&) noexcept;
  void Update(ByteView data);
  Digest Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Content is cut into blocks of this many bytes; only the last may be shorter.
inline constexpr std::uint64_t kBlockBytes = std::uint64_t{1} << 20;

inline std::uint64_t BlockCount(std::uint64_t size_bytes) {
  return size_bytes / kBlockBytes + (size_bytes % kBlockBytes != 0 ? 1 : 0);
}

// The chaining value of block `index` inside a content of several blocks.
// REQUIRES: 0 < block.size() <= kBlockBytes.
Digest BlockChainingValue(ByteView block, std::uint64_t index);

// The plain BLAKE3 hash of a content from its blocks' chaining values.
// REQUIRES: at least two blocks (one block is hashed whole by Blake3()).
Digest RootOfBlocks(std::span<const Digest> chaining_values);

}  // namespace flair
