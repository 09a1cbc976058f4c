// IDX and NPY files by hand: what is read, and what is refused before anything is made of it.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/array_testing.h"
#include "data/idx.h"
#include "data/npy.h"

namespace flair::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::int64_t> IntegersOf(const SourceColumn& column) {
  std::vector<std::int64_t> all;
  const Status read = ForEachInteger(column, [&](std::uint64_t first, auto values) -> Status {
    EXPECT_EQ(first, all.size());
    all.insert(all.end(), values.begin(), values.end());
    return OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read.error().message();
  return all;
}

std::vector<double> RealsOf(const SourceColumn& column) {
  std::vector<double> all;
  const Status read = ForEachReal(column, [&](std::uint64_t, auto values) -> Status {
    all.insert(all.end(), values.begin(), values.end());
    return OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read.error().message();
  return all;
}

Result<SourceColumn> Npy1(Bytes bytes) { return ReadNpy(Held(std::move(bytes)), "x", "x.npy"); }
Result<SourceColumn> Idx1(Bytes bytes) { return ReadIdx(Held(std::move(bytes)), "x", "x.idx"); }

TEST(NpyTest, EveryIntegerIsReadInBothByteOrders) {
  const struct {
    const char* kind;
    unsigned width;
    std::vector<std::int64_t> values;
  } kCases[] = {
      {"b1", 1, {0, 1}},
      {"u1", 1, {0, 255}},
      {"i1", 1, {-128, 127}},
      {"u2", 2, {1, 65535}},
      {"i2", 2, {-32768, 258}},
      {"u4", 4, {4294967295, 16909060}},
      {"i4", 4, {-2147483648, 16909060}},
      {"u8", 8, {INT64_MAX, 1}},
      {"i8", 8, {INT64_MIN, 72623859790382856}},
  };
  for (const auto& c : kCases) {
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
      const std::string descr = (order == ByteOrder::kLittle ? "<" : ">") + std::string(c.kind);
      const auto column = Npy1(Npy(descr, "(2,)", Elements(c.width, order, c.values)));
      ASSERT_TRUE(column.ok()) << descr << ": " << column.error().message();
      EXPECT_THAT(column->dims, ElementsAre(2));
      EXPECT_EQ(IntegersOf(*column), c.values) << descr;
    }
  }
}

TEST(NpyTest, FloatsAreReadInBothByteOrders) {
  for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    const auto column = Npy1(
        Npy(order == ByteOrder::kLittle ? "<f4" : ">f4", "(1, 3)", Floats({1.5, -2, 0}, order)));
    ASSERT_TRUE(column.ok()) << column.error().message();
    EXPECT_THAT(RealsOf(*column), ElementsAre(1.5, -2, 0));
  }
  const auto half = Npy1(Npy("<f2", "(1,)", Elements(2, ByteOrder::kLittle, {0x3e00})));
  EXPECT_THAT(RealsOf(half.value()), ElementsAre(1.5));
  const auto twice =
      Npy1(Npy(">f8", "(1,)", Elements(8, ByteOrder::kBig, {std::bit_cast<std::int64_t>(0.1)})));
  EXPECT_THAT(RealsOf(twice.value()), ElementsAre(0.1));
}

TEST(NpyTest, AnArrayLargerThanAPieceIsReadWhole) {
  std::vector<std::int64_t> values(150'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i * 7);
  const auto column = Npy1(Npy(">i4", "(150000,)", Elements(4, ByteOrder::kBig, values)));
  EXPECT_EQ(IntegersOf(column.value()), values);
}

TEST(NpyTest, VersionsAndSpellingsOfTheHeader) {
  const Bytes data(6);
  for (const char* header : {
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }      \n",
           "{\"shape\":(2,3,),\"descr\":\"<u1\",\"fortran_order\":False}",
           "{'fortran_order': False, 'shape': (2, 3), 'descr': '|u1'}",
       }) {
    for (const unsigned major : {1U, 2U}) {
      const auto column = Npy1(NpyWithHeader(header, data, major));
      ASSERT_TRUE(column.ok()) << header << ": " << column.error().message();
      EXPECT_THAT(column->dims, ElementsAre(2, 3));
    }
  }
}

TEST(NpyTest, WhatIsNoArrayIsRefused) {
  const Bytes six(6);
  const auto with = [&](std::string_view header) { return NpyWithHeader(header, six); };
  const auto shaped = [&](std::string_view shape) { return Npy("|u1", shape, six); };
  Bytes no_magic = shaped("(6,)");
  no_magic[0] = std::byte{'N'};
  Bytes minor = shaped("(6,)");
  minor[7] = std::byte{1};
  const struct {
    Bytes file;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {{}, ErrorCode::kCorrupt, "the file ends before its header"},
      {ToBytes("\x93NUMPY\x02"), ErrorCode::kCorrupt, "the file ends before its header"},
      {no_magic, ErrorCode::kCorrupt, "it does not begin as one"},
      {minor, ErrorCode::kUnsupported, "version 1.1; 1.0 and 2.0 are read"},
      {NpyWithHeader("{}", {}, 3), ErrorCode::kUnsupported, "version 3.0"},
      {Npy("<f4", "(6,)", six), ErrorCode::kCorrupt, "6 bytes behind byte 68; the shape says 24"},
      {shaped("(5,)"), ErrorCode::kCorrupt, "the shape says 5"},
      {shaped("(1099511627776,)"), ErrorCode::kCorrupt, "the shape says 1099511627776"},
      {shaped("(4294967296, 4294967296, 2)"), ErrorCode::kCorrupt, "more than 2^64"},
      {shaped("(18446744073709551616,)"), ErrorCode::kCorrupt, "a dim beyond 2^64"},
      {shaped("(6)"), ErrorCode::kCorrupt, "'(n)' is no shape"},
      {shaped("(06,)"), ErrorCode::kCorrupt, "a dim that is no number"},
      {shaped("(-6,)"), ErrorCode::kCorrupt, "a dim that is no number"},
      {shaped("(,)"), ErrorCode::kCorrupt, "a dim that is no number"},
      {shaped("(2 3)"), ErrorCode::kCorrupt, "the shape lacks ','"},
      {shaped("6"), ErrorCode::kCorrupt, "lacks '('"},
      {Npy("|O", "(6,)", six), ErrorCode::kUnsupported, "elements '|O'"},
      {Npy("<U3", "(6,)", six), ErrorCode::kUnsupported, "elements '<U3'"},
      {Npy("<c8", "(6,)", six), ErrorCode::kUnsupported, "elements '<c8'"},
      {Npy("|u2", "(3,)", six), ErrorCode::kUnsupported, "elements '|u2'"},
      {Npy("=u2", "(3,)", six), ErrorCode::kUnsupported, "elements '=u2'"},
      {with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}"),
       ErrorCode::kUnsupported, "an array of structures"},
      {with("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}"), ErrorCode::kUnsupported,
       "Fortran order"},
      {with("{'descr': '|u1', 'fortran_order': 0, 'shape': (6,)}"), ErrorCode::kCorrupt,
       "neither True nor False"},
      {with("{'descr': '|u1', 'shape': (6,)}"), ErrorCode::kCorrupt, "says not all of"},
      {with("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (6,)}"),
       ErrorCode::kCorrupt, "has twice, at byte"},
      {with("{'descr': '|u1', 'fortran_order': False, 'shape': (6,), 'x': 1}"), ErrorCode::kCorrupt,
       "a key that the header has not"},
      {with("{'descr': '|u1', 'fortran_order': False, 'shape': (6,)} import os"),
       ErrorCode::kCorrupt, "more behind the header's '}'"},
      {with("{'descr': '|u1"), ErrorCode::kCorrupt, "a text without an end"},
      {with(""), ErrorCode::kCorrupt, "lacks '{', at byte 10"},
  };
  for (const auto& wrong : kCases) {
    const auto column = Npy1(wrong.file);
    ASSERT_FALSE(column.ok()) << wrong.message;
    EXPECT_EQ(column.error().code(), wrong.code) << column.error().message();
    EXPECT_THAT(column.error().message(), HasSubstr(wrong.message));
    EXPECT_THAT(column.error().message(), testing::StartsWith("x.npy: NPY: "));
  }
}

TEST(NpyTest, AHeaderThatClaimsMoreThanTheFileHasIsRefused) {
  for (const std::int64_t claimed : {std::int64_t{7}, std::int64_t{4294967295}}) {
    Bytes file = ToBytes("\x93NUMPY\x02");
    file.push_back(std::byte{0});
    Append(file, Elements(4, ByteOrder::kLittle, {claimed}));
    file.resize(file.size() + 6);
    const auto column = Npy1(file);
    ASSERT_FALSE(column.ok());
    EXPECT_EQ(column.error().message(),
              "x.npy: NPY: a header of " + std::to_string(claimed) + " bytes, at byte 8");
  }
}

TEST(NpyTest, EveryCutIsRefused) {
  const Bytes whole = Npy("<i2", "(2, 2)", Bytes(8));
  ASSERT_TRUE(Npy1(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Npy1(Bytes(whole.begin(), whole.begin() + size)).ok()) << size;
  }
  Bytes longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Npy1(longer).ok());
}

TEST(IdxTest, EveryTypeIsReadBigEndian) {
  const struct {
    unsigned type, width;
    std::vector<std::int64_t> values;
  } kCases[] = {
      {8, 1, {0, 255}},
      {9, 1, {-128, 127}},
      {11, 2, {-32768, 258}},
      {12, 4, {-2147483648, 16909060}},
  };
  for (const auto& c : kCases) {
    const auto column = Idx1(Idx(c.type, {2}, Elements(c.width, ByteOrder::kBig, c.values)));
    ASSERT_TRUE(column.ok()) << column.error().message();
    EXPECT_EQ(IntegersOf(*column), c.values);
  }
  const auto floats = Idx1(Idx(13, {3, 1}, Floats({0.5, -1, 3}, ByteOrder::kBig)));
  EXPECT_THAT(floats->dims, ElementsAre(3, 1));
  EXPECT_THAT(RealsOf(*floats), ElementsAre(0.5, -1, 3));
  const auto doubles =
      Idx1(Idx(14, {1}, Elements(8, ByteOrder::kBig, {std::bit_cast<std::int64_t>(0.1)})));
  EXPECT_THAT(RealsOf(*doubles), ElementsAre(0.1));
}

TEST(IdxTest, WhatIsNoArrayIsRefused) {
  const Bytes six(6);
  Bytes first = Idx(8, {6}, six);
  first[1] = std::byte{1};
  const std::int64_t large = 1 << 20;
  const struct {
    Bytes file;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {Bytes(3), ErrorCode::kCorrupt, "the file ends inside its first 4 bytes"},
      {first, ErrorCode::kCorrupt, "the first two bytes are not 0"},
      {Idx(10, {6}, six), ErrorCode::kUnsupported, "type 10 at byte 2"},
      {Idx(8, {}, six), ErrorCode::kCorrupt, "0 dims at byte 3"},
      {Idx(8, {1, 1, 1, 1, 1, 1, 1, 1, 6}, six), ErrorCode::kCorrupt, "9 dims at byte 3"},
      {Idx(8, {6, 1}, {}), ErrorCode::kCorrupt, "0 bytes behind byte 12; the dims say 6"},
      {{std::byte{0}, std::byte{0}, std::byte{8}, std::byte{3}, std::byte{0}},
       ErrorCode::kCorrupt,
       "the file ends inside its dims"},
      {Idx(8, {7}, six), ErrorCode::kCorrupt, "6 bytes behind byte 8; the dims say 7"},
      {Idx(8, {5}, six), ErrorCode::kCorrupt, "the dims say 5"},
      // 20 bytes that say 2^40 elements.
      {Idx(8, {large, large}, Bytes(8)), ErrorCode::kCorrupt, "the dims say 1099511627776"},
      {Idx(14, {0xffffffff, 0xffffffff, 0xffffffff}, six), ErrorCode::kCorrupt, "than 2^64"},
  };
  for (const auto& wrong : kCases) {
    const auto column = Idx1(wrong.file);
    ASSERT_FALSE(column.ok()) << wrong.message;
    EXPECT_EQ(column.error().code(), wrong.code) << column.error().message();
    EXPECT_THAT(column.error().message(), HasSubstr(wrong.message));
    EXPECT_THAT(column.error().message(), testing::StartsWith("x.idx: IDX: "));
  }
}

TEST(SourceColumnTest, WhatCannotBeADataSetIsNamed) {
  const auto refused = [](DType dtype, std::vector<std::uint64_t> dims) {
    const Status status = CheckUsable(
        {.name = "x", .file = "f", .dtype = dtype, .dims = std::move(dims), .bytes = nullptr});
    return status.ok() ? "" : status.error().message();
  };
  const std::uint64_t large = std::uint64_t{1} << 36;
  EXPECT_EQ(refused(DType::kU8, {large / 16, 16}), "");
  EXPECT_THAT(refused(DType::kU8, {}), HasSubstr("column 'x' (f): a single number"));
  EXPECT_THAT(refused(DType::kU8, {3, 0}), HasSubstr("it is empty"));
  EXPECT_THAT(refused(DType::kU8, {0, large, large, large}), HasSubstr("it is empty"));
  EXPECT_THAT(refused(DType::kU8, {large, 2}), HasSubstr("more than 2^36 values"));
  EXPECT_THAT(refused(DType::kU8, {large}), HasSubstr("more than 2^32 records"));
  EXPECT_THAT(refused(DType::kU8, {1, 1, 1, 1, 1, 1, 1, 1, 1}), HasSubstr("9 dimensions"));
  EXPECT_THAT(refused(DType::kC64, {3}), HasSubstr("complex numbers"));
}

}  // namespace
}  // namespace flair::data
