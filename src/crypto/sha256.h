// SHA-256, for what the outside world fixes (seeds, token digests) and for the proof system.
//
// Place: crypto, over OpenSSL, whose compression function uses the machine's SHA instructions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/digest.h"

namespace flair {

Digest Sha256(ByteView data);

// SHA-256 taken apart (FIPS 180-4, 6.2), for many messages that grow in step, one block at a
// time: millions of columns of a commitment. 32 bytes each.
struct Sha256State {
  static constexpr std::size_t kBlockBytes = 64;
  std::array<std::uint32_t, 8> words = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

  // REQUIRES: `blocks` is a whole number of blocks.
  void Compress(ByteView blocks);
  // The last bytes, less than a block, of a message of `total_bytes`.
  Digest Finish(ByteView rest, std::uint64_t total_bytes);
};

}  // namespace flair
