// ChaCha20 as a stream of random bytes (libsodium), and HKDF-SHA256 for its keys.
//
// Bernstein's original: a nonce of 8 bytes and a block counter of 8 bytes, so that one key has
// 2^64 streams of 2^70 bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "crypto/digest.h"

namespace flair {

// Bytes 64 first_block, ... of the key's stream `nonce` (LE64).
void ChaCha20Stream(const Digest& key, std::uint64_t nonce, std::uint64_t first_block,
                    MutableByteView out);

// RFC 5869 with an empty salt and 32 bytes of output.
Digest HkdfSha256(ByteView secret, ByteView info);

}  // namespace flair
