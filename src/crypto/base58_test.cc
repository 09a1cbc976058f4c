// SPDX-License-Identifier: Apache-2.0
#include "crypto/base58.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "crypto/ed25519.h"

namespace flair {
namespace {

// Bitcoin Core's base58_encode_decode.json, and two well-known Solana addresses.
TEST(Base58, MatchesKnownVectors) {
  const struct {
    const char* hex;
    const char* text;
  } kVectors[] = {
      {"", ""},
      {"61", "2g"},
      {"626262", "a3gV"},
      {"636363", "aPEr"},
      {"73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"},
      {"00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"},
      {"516b6fcd0f", "ABnLTmg"},
      {"bf4f89001e670274dd", "3SEo3LWLoPntC"},
      {"572e4794", "3EFU7m"},
      {"ecac89cad93923c02321", "EJDM8drfXA6uyA"},
      {"10c8511e", "Rt5zm"},
      {"00000000000000000000", "1111111111"},
      {"0000000000000000000000000000000000000000000000000000000000000000",
       "11111111111111111111111111111111"},
      {"06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9",
       "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"},
  };
  for (const auto& v : kVectors) {
    EXPECT_EQ(ToBase58(FromHex(v.hex).value()), v.text);
    EXPECT_EQ(ToHex(FromBase58(v.text, 64).value()), v.hex);
  }
}

TEST(Base58, RefusesMalformedText) {
  const struct {
    const char* name;
    std::string text;
    const char* says;
  } kCases[] = {
      {"a zero", "a0", "position 1"},
      {"a capital O", "O", "position 0"},
      {"a capital I", "2I", "position 1"},
      {"a small l", "l", "position 0"},
      {"a space", "2g ", "position 2"},
      {"a byte above 127", "2\xc3", "position 1"},
      {"33 bytes", std::string(33, '1'), "more than 32 bytes"},
      {"2^256 and more", std::string(44, 'z'), "more than 32 bytes"},
      {"an endless text", std::string(1'000'000, 'z'), "too long"},
  };
  for (const auto& c : kCases) {
    const auto raw = FromBase58(c.text, 32);
    ASSERT_FALSE(raw.ok()) << c.name;
    EXPECT_EQ(raw.error().code(), ErrorCode::kInvalidArgument) << c.name;
    EXPECT_NE(raw.error().message().find(c.says), std::string::npos)
        << c.name << ": " << raw.error().message();
  }
}

TEST(Base58, AWalletHas32Bytes) {
  EXPECT_TRUE(Wallet::FromBase58("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA").ok());
  for (const char* text :
       {"", "2g", "1111111111111111111111111111111", "111111111111111111111111111111111"}) {
    EXPECT_EQ(Wallet::FromBase58(text).error().code(), ErrorCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace flair
