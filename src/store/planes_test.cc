// Every kernel against a slow reference, on edge values and seeded noise, exactly.
// SPDX-License-Identifier: Apache-2.0
#include "store/planes.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "store/codec.h"
#include "store/store_testing.h"

namespace flair {
namespace {

std::uint64_t Element(const Bytes& b, std::size_t i, std::size_t width) {
  std::uint64_t v = 0;
  std::memcpy(&v, b.data() + i * width, width);
  return v;
}

// Written from the definition in planes.h, one element and one byte at a time.
Bytes SlowSplit(const Bytes& block, const Bytes* base, ElementShape shape) {
  const std::size_t width = std::size_t{1} << shape.log2_bytes;
  const std::size_t n = block.size() / width;
  const int bits = static_cast<int>(8 * width);
  const std::uint64_t top = std::uint64_t{1} << (bits - 1);
  const std::uint64_t mask = top | (top - 1);
  const auto ordered = [&](std::uint64_t v) {
    if (!shape.is_float) return v;
    return (v & top) != 0 ? ~v & mask : v | top;
  };
  Bytes planes(n * width);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t v = Element(block, i, width);
    if (base != nullptr) {
      const std::uint64_t d = (ordered(v) - ordered(Element(*base, i, width))) & mask;
      v = (d & top) != 0 ? 2 * ((~d + 1) & mask) - 1 : 2 * d;
    } else if (shape.is_float) {
      v = (v << 1) | (v >> (bits - 1));
    }
    for (std::size_t j = 0; j < width; ++j)
      planes[j * n + i] = static_cast<std::byte>(v >> (8 * j));
  }
  return planes;
}

// NaN payloads of both kinds, infinities, zeros of both signs, denormals, extremes.
Bytes EdgeFloats() {
  Bytes out;
  for (const std::uint32_t bits :
       {0x00000000U, 0x80000000U, 0x7F800000U, 0xFF800000U, 0x7FC00000U, 0x7FC00001U, 0x7F800001U,
        0xFFFFFFFFU, 0x7FFFFFFFU, 0x00000001U, 0x80000001U, 0x007FFFFFU, 0x00800000U, 0x7F7FFFFFU,
        0x3F800000U, 0xBF800000U}) {
    AppendLe32(out, bits);
  }
  return out;
}

class PlanesTest : public testing::TestWithParam<PlaneKernels> {
 protected:
  void SetUp() override { UsePlaneKernels(GetParam()); }
  void TearDown() override { UsePlaneKernels(BestPlaneKernels()); }
};

// Those that this machine can run, the portable ones always among them.
std::vector<PlaneKernels> KernelsHere() {
  std::vector<PlaneKernels> all = {PlaneKernels::kPortable, PlaneKernels::kAvx2,
                                   PlaneKernels::kAvx512};
  std::erase_if(all, [](PlaneKernels k) { return k > BestPlaneKernels(); });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Kernels, PlanesTest, testing::ValuesIn(KernelsHere()));

TEST_P(PlanesTest, AgreesWithTheSlowReferenceAndComesBack) {
  const Bytes edges = EdgeFloats();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{64}, std::size_t{999},
        std::size_t{8192}, std::size_t{8200}, std::size_t{40007}}) {
    for (const bool noise : {false, true}) {
      Bytes block = Noise(size, size + 1);
      Bytes base = Noise(size, size + 2);
      if (!noise) {
        for (std::size_t i = 0; i < size; ++i) {
          block[i] = edges[i % edges.size()];
          base[i] = edges[(i / 4 * 12 + i % 4) % edges.size()];
        }
      }
      for (std::uint8_t log2 = 0; log2 < 4; ++log2) {
        for (const bool is_float : {false, true}) {
          const ElementShape shape{log2, is_float};
          const std::size_t whole = size >> log2 << log2;
          Bytes planes(whole);
          SplitPlanes(block, shape, planes);
          EXPECT_TRUE(planes == SlowSplit(block, nullptr, shape)) << size << " " << int{log2};
          Bytes back = block;
          std::fill_n(back.begin(), whole, std::byte{0});
          MergePlanes(planes, shape, back);
          EXPECT_TRUE(back == block);

          SplitDelta(block, base, shape, planes);
          EXPECT_TRUE(planes == SlowSplit(block, &base, shape)) << size << " " << int{log2};
          std::fill_n(back.begin(), whole, std::byte{0});
          MergeDelta(planes, base, shape, back);
          EXPECT_TRUE(back == block);
        }
      }
    }
  }
}

Bytes Decoded(const Bytes& record, const Bytes& base) {
  const RecordHeader h = Must(ParseRecordHeader(record));
  Bytes raw(h.raw_bytes);
  EXPECT_OK(DecodeBlock(h, ByteView(record).subspan(kRecordHeaderBytes), base, raw));
  return raw;
}

TEST(CodecTest, EdgeFloatsSurviveEveryCodec) {
  Bytes block;
  for (int i = 0; i < 300; ++i) Append(block, EdgeFloats());
  Bytes base = block;
  for (std::size_t i = 0; i < base.size(); i += 64) base[i] ^= std::byte{1};
  block.push_back(std::byte{5});  // a tail
  base.push_back(std::byte{6});
  for (std::uint8_t log2 = 0; log2 < 4; ++log2) {
    for (const bool is_float : {false, true}) {
      BlockToEncode in{.raw = block,
                       .content = {},
                       .index = 0,
                       .shape = {log2, is_float},
                       .base = {},
                       .base_content = {},
                       .depth = 0};
      Bytes record;
      AppendBlockRecord(record, in);
      EXPECT_EQ(Must(ParseRecordHeader(record)).block_codec, BlockCodec::kPlane);
      EXPECT_TRUE(Decoded(record, {}) == block);
      in.base = base;
      in.depth = 4;
      record.clear();
      AppendBlockRecord(record, in);
      EXPECT_TRUE(Decoded(record, base) == block);
    }
  }
}

TEST(CodecTest, ChoosesTheCodecThatPays) {
  const Bytes weights = Weights(1 << 20, 1);
  const auto codec = [&](const Bytes& raw, const Bytes& base) {
    Bytes record;
    AppendBlockRecord(record, {.raw = raw,
                               .content = {},
                               .index = 0,
                               .shape = {2, true},
                               .base = base,
                               .base_content = {},
                               .depth = 1});
    EXPECT_TRUE(Decoded(record, base) == raw);
    return Must(ParseRecordHeader(record)).block_codec;
  };
  EXPECT_EQ(codec(weights, {}), BlockCodec::kPlane);
  EXPECT_EQ(codec(weights, Trained(weights, 2)), BlockCodec::kSub);
  EXPECT_EQ(codec(weights, Weights(1 << 20, 9)), BlockCodec::kPlane) << "unrelated base";
  EXPECT_EQ(codec(Noise(1 << 20, 1), Noise(1 << 20, 2)), BlockCodec::kRaw);
  EXPECT_EQ(codec(Bytes(3, std::byte{1}), {}), BlockCodec::kRaw);
  EXPECT_EQ(codec(Bytes(1 << 20), {}), BlockCodec::kPlane) << "zeros";
}

TEST(CodecTest, ASampleThatMisleadsCostsSpaceNotBits) {
  // Compressible where the sample looks, noise elsewhere, and the other way round.
  for (const bool sampled : {false, true}) {
    Bytes block = Noise(1 << 20, 3);
    for (std::size_t piece = 0; piece < 4; ++piece) {
      const std::size_t at = piece * ((1 << 20) - 16384) / 3 / 8 * 8;
      if (sampled)
        std::fill_n(block.begin() + static_cast<std::ptrdiff_t>(at), 16384, std::byte{0});
    }
    Bytes record;
    AppendBlockRecord(record, {.raw = block,
                               .content = {},
                               .index = 0,
                               .shape = {2, true},
                               .base = {},
                               .base_content = {},
                               .depth = 0});
    EXPECT_LE(record.size(), block.size() + kRecordHeaderBytes);
    EXPECT_TRUE(Decoded(record, {}) == block);
  }
}

}  // namespace
}  // namespace flair
