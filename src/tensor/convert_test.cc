#include "tensor/convert.h"

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace flair {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::uint64_t StoreOne(DType dtype, double value) {
  std::uint64_t word = 0;
  StoreFromDouble(dtype, {&value, 1},
                  std::as_writable_bytes(std::span(&word, 1)).first(DTypeBytes(dtype)));
  return word;
}

double LoadOne(DType dtype, std::uint64_t word) {
  double value = 0;
  LoadAsDouble(dtype, std::as_bytes(std::span(&word, 1)).first(DTypeBytes(dtype)), {&value, 1});
  return value;
}

std::ifstream OpenVectors(const std::string& name) {
  std::ifstream file(FLAIR_SOURCE_DIR "/tests/vectors/tensor/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  return file;
}

// Vectors: tests/vectors/tensor/make_conversions.py, from PyTorch.
TEST(ConvertTest, RoundsAsPyTorchDoes) {
  constexpr DType kColumns[] = {DType::kF16, DType::kBF16, DType::kF8E4M3, DType::kF8E5M2};
  auto file = OpenVectors("conversions.txt");
  int num_lines = 0;
  for (std::string line; std::getline(file, line); ++num_lines) {
    std::istringstream in(line);
    std::uint32_t bits = 0;
    in >> std::hex >> bits;
    const double value = static_cast<double>(std::bit_cast<float>(bits));
    for (const DType dtype : kColumns) {
      std::string want;
      in >> want;
      const std::uint64_t got = StoreOne(dtype, value);
      if (want == "nan") {
        EXPECT_TRUE(std::isnan(LoadOne(dtype, got))) << DTypeName(dtype) << " of " << line;
      } else {
        EXPECT_EQ(got, std::stoull(want, nullptr, 16)) << DTypeName(dtype) << " of " << line;
      }
    }
  }
  EXPECT_GT(num_lines, 500);
}

TEST(ConvertTest, EveryNarrowFloatSurvivesTheRoundTrip) {
  for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF8E4M3, DType::kF8E5M2}) {
    const std::uint64_t count = 1ull << (8 * DTypeBytes(dtype));
    for (std::uint64_t word = 0; word < count; ++word) {
      const double value = LoadOne(dtype, word);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(LoadOne(dtype, StoreOne(dtype, value))));
      } else {
        EXPECT_EQ(StoreOne(dtype, value), word) << DTypeName(dtype) << " " << word;
      }
    }
  }
}

// Halfway and just beside it, from each narrow value to the next: one rounding, ties to even.
TEST(ConvertTest, TiesGoToEvenAndNeighboursDoNot) {
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const std::uint64_t infinity = dtype == DType::kF16 ? 0x7c00 : 0x7f80;
    for (std::uint64_t word = 0; word + 1 < infinity; ++word) {
      const double low = LoadOne(dtype, word);
      const double high = LoadOne(dtype, word + 1);
      const double tie = (low + high) / 2;
      EXPECT_EQ(StoreOne(dtype, tie), word + (word & 1));
      // One float64 step beside the tie: by way of F32 this would be the tie itself.
      EXPECT_EQ(StoreOne(dtype, std::nextafter(tie, kInf)), word + 1);
      EXPECT_EQ(StoreOne(dtype, std::nextafter(tie, 0.0)), word);
      EXPECT_EQ(StoreOne(dtype, -tie), (word + (word & 1)) | 0x8000);
    }
  }
}

TEST(ConvertTest, KnownValues) {
  const struct {
    DType dtype;
    double value;
    std::uint64_t want;
  } kCases[] = {
      {DType::kF32, 1.0 + 0x1p-24, 0x3f800000},  // tie to even
      {DType::kF32, 1.0 + 0x1p-24 + 0x1p-50, 0x3f800001},
      {DType::kF32, 0x1p-149, 1},
      {DType::kF32, 1e300, 0x7f800000},
      {DType::kF32, kNan, 0x7fc00000},
      {DType::kF32, -kNan, 0x7fc00000},
      {DType::kF64, -0.0, 1ull << 63},
      {DType::kF64, -kNan, 0x7ff8000000000000},
      {DType::kF16, 65519.999, 0x7bff},
      {DType::kF16, 65520, 0x7c00},
      {DType::kF16, 0x1p-25, 0},
      {DType::kF16, 0x1.0000000000001p-25, 1},
      {DType::kF16, kNan, 0x7e00},
      {DType::kBF16, kInf, 0x7f80},
      {DType::kBF16, 5e-324, 0},
      {DType::kBF16, -5e-324, 0x8000},
      {DType::kF8E4M3, 464, 0x7e},
      {DType::kF8E4M3, 465, 0x7e},
      {DType::kF8E4M3, -kInf, 0xfe},
      {DType::kF8E4M3, kNan, 0x7f},
      {DType::kF8E5M2, kInf, 0x7c},
      {DType::kBool, -0.0, 0},
      {DType::kBool, 0.25, 1},
      {DType::kI8, 127.5, 127},
      {DType::kI8, -1000, 0x80},
      {DType::kI8, 2.5, 2},
      {DType::kI8, 3.5, 4},
      {DType::kU8, -3, 0},
      {DType::kU8, kNan, 0},
      {DType::kU16, 65535.4, 65535},
      {DType::kI32, -kInf, 0x80000000},
      {DType::kI64, 0x1p63, 0x7fffffffffffffff},
      {DType::kI64, -0x1p63, 0x8000000000000000},
      {DType::kU64, 0x1p64, ~0ull},
      {DType::kU64, 0x1p53, 1ull << 53},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(StoreOne(c.dtype, c.value), c.want) << DTypeName(c.dtype) << " " << c.value;
  }
}

TEST(ConvertTest, ComplexElementsAreTwoDoubles) {
  const float kIn[] = {1.5f, -2.0f, 0.0f, 8.0f};
  double doubles[4] = {};
  LoadAsDouble(DType::kC64, std::as_bytes(std::span(kIn)), doubles);
  EXPECT_EQ(doubles[1], -2.0);
  EXPECT_EQ(doubles[3], 8.0);
  float out[4] = {};
  StoreFromDouble(DType::kC64, doubles, std::as_writable_bytes(std::span(out)));
  EXPECT_TRUE(std::equal(out, out + 4, kIn));
}

TEST(ConvertTest, UnalignedBytesAreFine) {
  Bytes bytes(1 + 3 * 4);
  const double kIn[] = {1, 2, -3};
  StoreFromDouble(DType::kF32, kIn, MutableByteView(bytes).subspan(1));
  double back[3] = {};
  LoadAsDouble(DType::kF32, ByteView(bytes).subspan(1), back);
  EXPECT_EQ(back[2], -3);
}

TEST(ConvertDeathTest, SizesThatDoNotBelongTogetherAreOurMistake) {
  double out[2] = {};
  EXPECT_DEATH(LoadAsDouble(DType::kF32, Bytes(7), out), "7 bytes of F32 for 2 doubles");
}

// Vectors: as above; the scale is max|row| / 127 as F32, 1 for a row of zeros.
TEST(QuantiseTest, RowsMatchPyTorch) {
  auto file = OpenVectors("int8.txt");
  int num_rows = 0;
  for (std::string line; std::getline(file, line); ++num_rows) {
    std::istringstream in(line);
    std::vector<double> row;
    std::string token;
    while (in >> token && token != "|") {
      const auto bits = static_cast<std::uint32_t>(std::stoul(token, nullptr, 16));
      row.push_back(static_cast<double>(std::bit_cast<float>(bits)));
    }
    in >> token;
    const float scale =
        std::bit_cast<float>(static_cast<std::uint32_t>(std::stoul(token, nullptr, 16)));
    in >> token;
    std::vector<std::int8_t> got(row.size());
    const auto got_scale = QuantiseRowInt8(row, got);
    ASSERT_TRUE(got_scale.ok());
    EXPECT_EQ(*got_scale, scale) << line;
    for (const std::int8_t q : got) {
      int want = 0;
      in >> want;
      EXPECT_EQ(q, want) << line;
    }
  }
  EXPECT_EQ(num_rows, 4);
}

TEST(QuantiseTest, ScalesFollowTheChannelAxis) {
  const float kData[] = {127, 254, 12.7f, 127, 254, 12.7f};  // [2, 3]
  const ByteView data = std::as_bytes(std::span(kData));
  const std::uint64_t kDims[] = {2, 3};
  const auto rows = QuantiseInt8(DType::kF32, kDims, 0, data);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->scales, (std::vector<float>{2, 2}));
  EXPECT_EQ(rows->values[0], 64);  // 63.5 to even
  const auto columns = QuantiseInt8(DType::kF32, kDims, 1, data);
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ(columns->scales, (std::vector<float>{1, 2, 0.1f}));
  EXPECT_EQ(columns->values, (std::vector<std::int8_t>(6, 127)));
  const auto back = DequantiseInt8(*columns, kDims, 1);
  ASSERT_TRUE(back.ok());
  for (int i = 0; i < 6; ++i) EXPECT_NEAR((*back)[i], kData[i], 1e-6 * kData[i]);
}

TEST(QuantiseTest, ErrorIsAtMostHalfAStep) {
  std::vector<double> row;
  for (int i = 0; i < 1000; ++i) row.push_back(std::sin(i * 0.7) * std::exp(i * 0.01));
  std::vector<std::int8_t> q(row.size());
  const auto scale = QuantiseRowInt8(row, q);
  ASSERT_TRUE(scale.ok());
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_LE(std::fabs(row[i] - *scale * q[i]), 0.5001 * *scale);
  }
}

TEST(QuantiseTest, WhatCannotBeQuantisedSaysWhy) {
  const float kOne[] = {1, 2};
  const float kBad[] = {1, std::numeric_limits<float>::quiet_NaN()};
  const double kHuge[] = {1e300};
  const auto bytes = [](auto& a) { return std::as_bytes(std::span(a)); };
  const struct {
    const char* name;
    DType dtype;
    std::vector<std::uint64_t> dims;
    std::size_t axis;
    ByteView data;
    const char* message;
  } kCases[] = {
      {"NaN", DType::kF32, {2}, 0, bytes(kBad), "NaN or infinity"},
      {"beyond F32", DType::kF64, {1}, 0, bytes(kHuge), "too large for an F32 scale"},
      {"integers", DType::kI32, {2}, 0, bytes(kOne), "I32 is not a float type"},
      {"axis", DType::kF32, {2}, 1, bytes(kOne), "no axis 1 in a tensor of 1 axes"},
      {"count", DType::kF32, {3}, 0, bytes(kOne), "2 elements, but dims of 3"},
      {"overflow", DType::kF32, {1ull << 63, 4}, 0, bytes(kOne), "overflow"},
      {"half an element", DType::kF64, {1}, 0, bytes(kOne).first(7), "end inside an element"},
  };
  for (const auto& c : kCases) {
    const auto got = QuantiseInt8(c.dtype, c.dims, c.axis, c.data);
    ASSERT_FALSE(got.ok()) << c.name;
    EXPECT_EQ(got.error().code(), ErrorCode::kInvalidArgument) << c.name;
    EXPECT_NE(got.error().message().find(c.message), std::string::npos) << got.error().message();
  }
  const std::uint64_t kEmpty[] = {0, 1ull << 63, 3};
  EXPECT_FALSE(QuantiseInt8(DType::kF32, kEmpty, 5, {}).ok());
  EXPECT_TRUE(QuantiseInt8(DType::kF32, kEmpty, 0, {}).ok());
  EXPECT_FALSE(DequantiseInt8({.values = {1}, .scales = {}}, {}, 0).ok());
}

}  // namespace
}  // namespace flair
