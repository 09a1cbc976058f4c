// SPDX-License-Identifier: Apache-2.0
#include "object/encoding.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/hex.h"

namespace flair {
namespace {

Bytes Hex(std::string_view text) { return FromHex(text).value(); }

TEST(Varint, EveryLengthRoundTripsAndIsMinimal) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t v :
         {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1, ~std::uint64_t{0} >> bit}) {
      Bytes out;
      AppendVarint(out, v);
      ByteReader reader(out);
      EXPECT_EQ(reader.Varint().value(), v);
      EXPECT_TRUE(reader.empty());
      std::size_t length = 1;
      for (std::uint64_t rest = v >> 7; rest != 0; rest >>= 7) ++length;
      EXPECT_EQ(out.size(), length) << v;
    }
  }
}

TEST(Varint, RefusesWhatTheEncoderDoesNotWrite) {
  const struct {
    const char* name;
    const char* hex;
    const char* says;
  } kCases[] = {
      {"nothing", "", "cut off"},
      {"cut", "80", "cut off"},
      {"padded zero", "8000", "padded"},
      {"padded one", "818000", "padded"},
      {"padded to ten bytes", "81808080808080808000", "padded"},
      {"2^64", "80808080808080808002", "more than 64 bits"},
      {"eleven bytes", "8080808080808080808001", "more than 64 bits"},
  };
  for (const auto& c : kCases) {
    const Bytes in = Hex(c.hex);
    const auto v = ByteReader(in).Varint();
    ASSERT_FALSE(v.ok()) << c.name;
    EXPECT_EQ(v.error().code(), ErrorCode::kCorrupt) << c.name;
    EXPECT_NE(v.error().message().find(c.says), std::string::npos)
        << c.name << ": " << v.error().message();
  }
}

TEST(ByteReader, NeverReadsPastTheEnd) {
  const Bytes in = Hex("0201ff");
  ByteReader reader(in);
  EXPECT_EQ(reader.Take(std::numeric_limits<std::uint64_t>::max()).error().code(),
            ErrorCode::kCorrupt);
  EXPECT_EQ(ToHex(reader.TakePrefixed().value()), "01ff");
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(reader.Take(0).value().size(), 0U);
  EXPECT_EQ(reader.Take(1).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(reader.TakeDigest().error().code(), ErrorCode::kCorrupt);
}

constexpr std::array<std::uint32_t, 2> kKnown = {1, 3};

TEST(Message, RefusesMalformedMessages) {
  const struct {
    const char* name;
    const char* hex;
    const char* says;
  } kCases[] = {
      {"field 0", "0000", "not a field number"},
      {"a field twice", "01000100", "after 1"},
      {"fields out of order", "03000100", "after 3"},
      {"an unknown number below 64", "0200", "field 2 is not known"},
      {"63 is below 64", "3f00", "field 63 is not known"},
      {"a number of 33 bits", "808080801000", "more than 32 bits"},
      {"a length past the end", "0102ff", "2 bytes announced, 1 left"},
      {"a huge length", "01ffffffffffffffffff01", "left"},
      {"a padded number", "810000", "padded"},
      {"a padded length", "018000", "padded"},
      {"no length", "01", "cut off"},
  };
  for (const auto& c : kCases) {
    const Bytes in = Hex(c.hex);
    const auto m = MessageDecoder::Parse(in, kKnown);
    ASSERT_FALSE(m.ok()) << c.name;
    EXPECT_EQ(m.error().code(), ErrorCode::kCorrupt) << c.name;
    EXPECT_NE(m.error().message().find(c.says), std::string::npos)
        << c.name << ": " << m.error().message();
  }
}

TEST(Message, KeepsUnknownFieldsFrom64On) {
  const Bytes in =
      Hex("010105"
          "4001aa"
          "ffffffff0f00");
  const auto m = MessageDecoder::Parse(in, kKnown);
  ASSERT_TRUE(m.ok()) << m.error().message();
  EXPECT_EQ(m->Uint(1).value(), 5U);
  EXPECT_FALSE(m->Has(3));
  const std::vector<UnknownField> expected = {{64, Hex("aa")}, {0xFFFFFFFF, {}}};
  EXPECT_EQ(m->unknown(), expected);
}

TEST(Message, BoundsTheNumberOfUnknownFields) {
  MessageEncoder few;
  for (std::uint32_t i = 0; i < 256; ++i) few.Raw(64 + i, {});
  const Bytes accepted = few.Take();
  EXPECT_TRUE(MessageDecoder::Parse(accepted, kKnown).ok());
  MessageEncoder many;
  for (std::uint32_t i = 0; i < 257; ++i) many.Raw(64 + i, {});
  const Bytes refused = many.Take();
  EXPECT_EQ(MessageDecoder::Parse(refused, kKnown).error().code(), ErrorCode::kCorrupt);
}

TEST(Message, FieldsOfTheWrongFormAreRefused) {
  const Bytes in =
      Hex("01020100"
          "0302c0af");
  const auto m = MessageDecoder::Parse(in, kKnown).value();
  EXPECT_EQ(m.Uint(1).error().code(), ErrorCode::kCorrupt);        // a byte after the number
  EXPECT_EQ(m.Text(3).error().code(), ErrorCode::kCorrupt);        // overlong UTF-8
  EXPECT_EQ(m.TakeDigest(3).error().code(), ErrorCode::kCorrupt);  // two bytes
  EXPECT_EQ(m.OptionalDigest(3).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(m.Raw(2).error().code(), ErrorCode::kCorrupt);  // absent
}

TEST(Message, DefaultsAreLeftOutNeverWritten) {
  const Bytes in =
      Hex("010100"
          "0300");
  const auto m = MessageDecoder::Parse(in, kKnown).value();
  EXPECT_EQ(m.UintOr(1, 0).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(m.UintOr(1, 7).value(), 0U);
  EXPECT_EQ(m.TextOr(3, "").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(m.UintOr(2, 9).value(), 9U);
  EXPECT_EQ(m.TextOr(2, "x").value(), "x");
  EXPECT_EQ(m.OptionalDigest(2).value(), std::nullopt);
}

TEST(MessageDeathTest, NumbersMustAscend) {
  MessageEncoder m;
  m.Uint(2, 1);
  EXPECT_EXIT(m.Uint(2, 1), testing::ExitedWithCode(70), "field 2 after 2");
}

}  // namespace
}  // namespace flair
