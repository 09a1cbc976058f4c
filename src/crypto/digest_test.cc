// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <gtest/gtest.h>

#include "crypto/sha256.h"

namespace flair {
namespace {

TEST(Digest, HasOneSpelling) {
  const std::string hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  EXPECT_EQ(Digest::FromHex(hex).value().ToHex(), hex);
  std::string upper = hex;
  upper[20] = 'A';
  for (const std::string& bad :
       {std::string(), hex.substr(1), hex + "0", upper, hex.substr(0, 63) + "g"}) {
    EXPECT_EQ(Digest::FromHex(bad).error().code(), ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(Digest::FromBytes(Bytes(31)).error().code(), ErrorCode::kCorrupt);
}

// FIPS 180-2, B.1.
TEST(Sha256, MatchesTheStandardsVector) {
  EXPECT_EQ(Sha256(AsBytes("abc")).ToHex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace flair
