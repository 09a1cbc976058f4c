// SPDX-License-Identifier: Apache-2.0
#include "crypto/chacha20.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace flair {
namespace {

// Bernstein's original with zero key and nonce: the first block, as the eSTREAM sets and many
// libraries have it.
TEST(ChaCha20Test, TheZeroStream) {
  Bytes out(64);
  ChaCha20Stream(Digest{}, 0, 0, out);
  EXPECT_EQ(ToHex(out),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
}

TEST(ChaCha20Test, BlocksAreOneStreamAndNoncesAreOthers) {
  Digest key;
  key.bytes[3] = std::byte{7};
  Bytes whole(300);
  ChaCha20Stream(key, 5, 0, whole);
  Bytes rest(300 - 128);
  ChaCha20Stream(key, 5, 2, rest);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + 128));
  Bytes other(300);
  ChaCha20Stream(key, 6, 0, other);
  EXPECT_NE(other, whole);
}

// RFC 5869, test case 3: empty salt and info; its first 32 bytes.
TEST(HkdfTest, Rfc5869) {
  const Bytes secret(22, std::byte{0x0b});
  EXPECT_EQ(HkdfSha256(secret, {}).ToHex(),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

}  // namespace
}  // namespace flair
