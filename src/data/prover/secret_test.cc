// SPDX-License-Identifier: Apache-2.0
#include "data/prover/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sha256.h"

namespace flair::data {
namespace {

using testing::HasSubstr;
using testing::Not;

Secret Example() {
  return {.key = Sha256(AsBytes("key")),
          .source = "/data/\xc3\xa9t\xc3\xa9 \"a\".npy",
          .choices = {{.name = "x", .source = "train-images"}, {.name = "y", .source = "y"}}};
}

TEST(SecretTest, ASecretIsTheSameAfterItWasWrittenAndRead) {
  const Secret secret = Example();
  const auto read = DecodeSecret(EncodeSecret(secret));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->key, secret.key);
  EXPECT_EQ(read->source, secret.source);
  ASSERT_EQ(read->choices.size(), 2U);
  EXPECT_EQ(read->choices[0].source, "train-images");
  EXPECT_EQ(EncodeSecret(*read), EncodeSecret(secret));
}

TEST(SecretTest, TheSeedFollowsFromKeyAndGeneration) {
  const Secret secret = Example();
  Bytes message = ToBytes("flair data seed v1");
  Append(message, secret.key.view());
  Append(message, Bytes{std::byte{1}, {}, {}, {}, {}, {}, {}, {}});
  EXPECT_EQ(SeedOf(secret, 1), Sha256(message));
  EXPECT_NE(SeedOf(secret, 0), SeedOf(secret, 1));
  Secret other = secret;
  other.key.bytes[31] ^= std::byte{1};
  EXPECT_NE(SeedOf(other, 1), SeedOf(secret, 1));
}

TEST(SecretTest, WhatIsWrongIsRefused) {
  const std::string text = EncodeSecret(Example());
  const struct {
    std::string_view from, to;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {"\"format\":1", "\"format\":2", ErrorCode::kUnsupported, "format 2; this build reads 1"},
      {"\"key\":\"", "\"key\":\"0", ErrorCode::kCorrupt, "'key' must be 64 lower-case hex digits"},
      {"\"key\"", "\"Key\"", ErrorCode::kCorrupt, "an unknown key 'Key'"},
      {"\"source\":\"y\"", "\"source\":1", ErrorCode::kCorrupt, "column: 'source' must be a text"},
      {"{\"name\":\"x\",", "{", ErrorCode::kCorrupt, "column: 'name' is missing"},
      {",\"columns\"", ", \"columns\"", ErrorCode::kCorrupt, "not as it is written"},
      {"{\"format\":1", "{\"format\":1,\"format\":1", ErrorCode::kCorrupt, "not as it is written"},
      {"}]}\n", "}]}", ErrorCode::kCorrupt, "not as it is written"},
      {"}]}\n", "}]\n", ErrorCode::kCorrupt, "not JSON"},
  };
  for (const auto& wrong : kCases) {
    std::string broken = text;
    const std::size_t at = broken.find(wrong.from);
    ASSERT_NE(at, std::string::npos) << wrong.from;
    broken.replace(at, wrong.from.size(), wrong.to);
    const auto read = DecodeSecret(broken);
    ASSERT_FALSE(read.ok()) << wrong.to;
    EXPECT_EQ(read.error().code(), wrong.code);
    EXPECT_THAT(read.error().message(), HasSubstr(wrong.message));
  }
  EXPECT_FALSE(DecodeSecret(std::string(kMaxSecretBytes + 1, ' ')).ok());
}

TEST(SecretTest, NoMessageHoldsTheKey) {
  const std::string text = EncodeSecret(Example());
  const std::string part = Example().key.ToHex().substr(20, 8);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'!', '"', '\\', '\n', '{', '9', 'G'}) {
      std::string broken = text;
      broken[at] = c;
      const auto read = DecodeSecret(broken);
      if (read.ok()) continue;
      EXPECT_THAT(read.error().message(), Not(HasSubstr(part)));
      EXPECT_THAT(read.error().message(), Not(HasSubstr("\n")));
    }
    const auto cut = DecodeSecret(text.substr(0, at));
    ASSERT_FALSE(cut.ok());
    EXPECT_THAT(cut.error().message(), Not(HasSubstr(part)));
  }
}

}  // namespace
}  // namespace flair::data
