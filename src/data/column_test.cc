// Arrays as integers: the format that is inferred, exact integers, floats rounded once.
// SPDX-License-Identifier: Apache-2.0
#include "data/column.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "data/array_testing.h"

namespace flair::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SourceColumn Column(std::string name, DType dtype, std::vector<std::uint64_t> dims, Bytes bytes) {
  return {.name = std::move(name),
          .file = "f",
          .dtype = dtype,
          .dims = std::move(dims),
          .bytes = Held(std::move(bytes))};
}

SourceColumn Longs(std::string name, std::vector<std::int64_t> values) {
  return Column(std::move(name), DType::kI64, {values.size()},
                Elements(8, ByteOrder::kLittle, values));
}

SourceColumn Doubles(std::vector<double> values) {
  std::vector<std::int64_t> bits;
  for (const double v : values) bits.push_back(std::bit_cast<std::int64_t>(v));
  return Column("x", DType::kF64, {values.size()}, Elements(8, ByteOrder::kLittle, bits));
}

program::Format FormatOf(const SourceColumn& source) {
  const auto column = InferColumn(source);
  EXPECT_TRUE(column.ok()) << column.error().message();
  EXPECT_FALSE(column->has_classes());
  return column->format;
}

template <typename T>
std::string Refused(const Result<T>& result) {
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  return result.error().message();
}

CardColumn Numbers(int bits, int scale) {
  return {.name = "x",
          .dims = {},
          .format = {.bits = static_cast<std::uint8_t>(bits),
                     .scale = static_cast<std::int8_t>(scale)}};
}

TEST(InferColumnTest, IntegersGetTheLeastBits) {
  const struct {
    std::vector<std::int64_t> values;
    int bits;
  } kCases[] = {{{0}, 2},         {{-2, 1}, 2},          {{2}, 3},
                {{-3}, 3},        {{0, 255}, 9},         {{-128, 127}, 8},
                {{-129, 127}, 9}, {{(1 << 29) - 1}, 30}, {{-(1 << 29)}, 30}};
  for (const auto& c : kCases) {
    EXPECT_EQ(FormatOf(Longs("x", c.values)).bits, c.bits) << c.values[0];
    EXPECT_EQ(FormatOf(Longs("x", c.values)).scale, 0);
  }
  EXPECT_EQ(Refused(InferColumn(Longs("x", {0, 5, 1 << 29, 6}))),
            "column 'x': record 2: 536870912 is more than 30 bits hold");
  EXPECT_THAT(Refused(InferColumn(Longs("x", {0, INT64_MIN}))),
              HasSubstr("record 1: -9223372036854775808 is more"));
}

TEST(InferColumnTest, UnsignedNumbersBeyond63BitsAreRefusedAsTheyStand) {
  SourceColumn source = Longs("x", {1, -1});
  source.dtype = DType::kU64;
  EXPECT_EQ(Refused(InferColumn(source)),
            "column 'x': record 1: 18446744073709551615 is more than 30 bits hold");
}

TEST(InferColumnTest, FloatsGetTheFinestScaleThatHoldsAll) {
  EXPECT_EQ(FormatOf(Doubles({0, 0})).scale, 0);
  EXPECT_EQ(FormatOf(Doubles({0.5, 0.25})).bits, 15);
  EXPECT_EQ(FormatOf(Doubles({0.5})).scale, 14);      // 8192 at 14; 16384 needs 16 bits
  EXPECT_EQ(FormatOf(Doubles({-1})).scale, 14);       // -16384 fits
  EXPECT_EQ(FormatOf(Doubles({1})).scale, 13);        // 16384 does not
  EXPECT_EQ(FormatOf(Doubles({16383.4})).scale, 0);   // rounds to the last
  EXPECT_EQ(FormatOf(Doubles({16383.5})).scale, -1);  // rounds beyond it
  EXPECT_EQ(FormatOf(Doubles({1e-30})).scale, 60);
  EXPECT_EQ(FormatOf(Doubles({std::ldexp(1, 70)})).scale, -57);
  EXPECT_EQ(Refused(InferColumn(Doubles({1, -1e300, 1e299}))),
            "column 'x': record 1: -1e+300 is too large for any scale");
}

TEST(InferColumnTest, WhatIsNoNumberIsNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Refused(InferColumn(Doubles({1, nan}))), "column 'x': record 1: NaN is no number");
  EXPECT_EQ(Refused(InferColumn(Doubles({-inf}))), "column 'x': record 0: it is infinite");
}

TEST(InferColumnTest, AListThatIsCalledLabelHoldsClasses) {
  for (const char* name : {"label", "labels", "y", "target"}) {
    EXPECT_EQ(InferColumn(Longs(name, {0, 9, 3}))->classes, 10U) << name;
  }
  EXPECT_EQ(InferColumn(Longs("y", {0, 0}))->classes, 2U);
  EXPECT_EQ(InferColumn(Longs("y", {(1 << 15) - 1}))->classes, 1U << 15);
  EXPECT_FALSE(InferColumn(Longs("y", {1 << 15}))->has_classes());
  EXPECT_FALSE(InferColumn(Longs("y", {-1, 1}))->has_classes());
  EXPECT_FALSE(InferColumn(Longs("labels2", {0, 1}))->has_classes());
  SourceColumn table = Longs("y", {0, 1, 2, 3});
  table.dims = {2, 2};
  EXPECT_FALSE(InferColumn(table)->has_classes());
  EXPECT_EQ(InferColumn(Column("y", DType::kBool, {3}, Bytes(3, std::byte{7})))->classes, 2U);
}

TEST(ColumnForTest, TheProgramDecidesAndDimsOfOneDoNotCount) {
  const SourceColumn images = Column("images", DType::kU8, {2, 2, 3}, Bytes(12));
  const auto column =
      ColumnFor(images, {.name = "x", .row = {1, 2, 3}, .format = {.bits = 12, .scale = 8}});
  ASSERT_TRUE(column.ok());
  EXPECT_EQ(column->name, "x");
  EXPECT_THAT(column->dims, ElementsAre(1, 2, 3));
  EXPECT_EQ(column->source, DType::kU8);
  EXPECT_EQ(column->format.scale, 8);
  EXPECT_EQ(Refused(ColumnFor(images, {.name = "x", .row = {3, 2}, .format = {.bits = 12}})),
            "column 'x': a record has dims [2, 3]; the program's are [3, 2]");
  EXPECT_EQ(Refused(ColumnFor(Doubles({1}), {.name = "y", .row = {}, .classes = 3})),
            "column 'y' holds F64; classes are whole numbers");
}

TEST(ReadColumnTest, IntegersAreExactOrRefused) {
  EXPECT_EQ(ReadColumn(Longs("x", {-8, 7, 0}), Numbers(8, 4)).value(),
            (std::vector<std::int64_t>{-128, 112, 0}));
  EXPECT_EQ(Refused(ReadColumn(Longs("x", {7, 8}), Numbers(8, 4))),
            "column 'x': record 1: 8 is outside of [-8, 7.9375], which 8 bits at scale 4 hold");
  EXPECT_THAT(Refused(ReadColumn(Longs("x", {-9}), Numbers(8, 4))), HasSubstr("-9 is outside"));
  EXPECT_EQ(ReadColumn(Longs("x", {-512, 508}), Numbers(8, -2)).value(),
            (std::vector<std::int64_t>{-128, 127}));
  EXPECT_EQ(Refused(ReadColumn(Longs("x", {4, 6}), Numbers(8, -2))),
            "column 'x': record 1: 6 is no multiple of 2^2");
  EXPECT_THAT(Refused(ReadColumn(Longs("x", {512}), Numbers(8, -2))), HasSubstr("512 is outside"));
  // The ends of scale and of 64 bits.
  EXPECT_EQ(ReadColumn(Longs("x", {0}), Numbers(30, 60)).value(), std::vector<std::int64_t>{0});
  EXPECT_THAT(Refused(ReadColumn(Longs("x", {1}), Numbers(30, 60))), HasSubstr("1 is outside"));
  EXPECT_THAT(Refused(ReadColumn(Longs("x", {-1}), Numbers(30, 60))), HasSubstr("-1 is outside"));
  EXPECT_EQ(ReadColumn(Longs("x", {INT64_MIN}), Numbers(30, -60)).value(),
            std::vector<std::int64_t>{-8});
  EXPECT_THAT(Refused(ReadColumn(Longs("x", {INT64_MAX}), Numbers(30, -60))),
              HasSubstr("no multiple of 2^60"));
  EXPECT_THAT(Refused(ReadColumn(Longs("x", {INT64_MIN}), Numbers(30, 0))), HasSubstr("outside"));
}

TEST(ReadColumnTest, FloatsAreRoundedOnceAndHalvesUp) {
  const double below_half = std::nextafter(0.5, 0.0);
  EXPECT_EQ(ReadColumn(Doubles({0.5, -0.5, 1.5, -1.5, below_half, -0.51, -1e-300}), Numbers(8, 0))
                .value(),
            (std::vector<std::int64_t>{1, 0, 2, -1, 0, -1, 0}));
  EXPECT_EQ(ReadColumn(Doubles({0.25, -0.25, 0.3}), Numbers(8, 1)).value(),
            (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(ReadColumn(Doubles({127.4, -128.5}), Numbers(8, 0)).value(),
            (std::vector<std::int64_t>{127, -128}));
  EXPECT_EQ(Refused(ReadColumn(Doubles({0, 127.5}), Numbers(8, 0))),
            "column 'x': record 1: 127.5 is outside of [-128, 127], which 8 bits at scale 0 hold");
  EXPECT_THAT(Refused(ReadColumn(Doubles({1e308}), Numbers(8, 60))),
              HasSubstr("1e+308 is outside"));
  EXPECT_THAT(Refused(ReadColumn(Doubles({std::nan("")}), Numbers(8, 0))), HasSubstr("NaN is no"));
  EXPECT_THAT(Refused(ReadColumn(Doubles({-HUGE_VAL}), Numbers(8, 0))), HasSubstr("infinite"));
}

TEST(ReadColumnTest, AValuesRecordIsCountedByTheRecordsSize) {
  SourceColumn source = Longs("x", {0, 0, 0, 0, 999, 0});
  source.dims = {3, 2};
  CardColumn column = Numbers(8, 0);
  column.dims = {2};
  EXPECT_THAT(Refused(ReadColumn(source, column)), HasSubstr("record 2: 999 is outside"));
}

TEST(ReadColumnTest, ClassesOutOfRangeAreNamed) {
  CardColumn classes{.name = "y", .dims = {}, .source = DType::kI64, .classes = 3};
  EXPECT_EQ(ReadColumn(Longs("y", {0, 2}), classes).value(), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(Refused(ReadColumn(Longs("y", {0, 3}), classes)),
            "column 'y': record 1: 3 is none of 3 classes");
  EXPECT_THAT(Refused(ReadColumn(Longs("y", {-1}), classes)), HasSubstr("record 0: -1 is none"));
}

}  // namespace
}  // namespace flair::data
