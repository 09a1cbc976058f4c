// SPDX-License-Identifier: Apache-2.0
#include "crypto/blake3.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace flair {
namespace {

constexpr std::uint64_t kMiB = kBlockBytes;

Bytes Pattern(std::uint64_t size) {
  Bytes out(size);
  for (std::uint64_t i = 0; i < size; ++i)
    out[i] = static_cast<std::byte>((i * 167 + i / 251) % 256);
  return out;
}

// Around every boundary: block, chunk, 1 MiB, and trees of every small shape.
std::vector<std::uint64_t> Sizes() {
  std::vector<std::uint64_t> sizes = {0, 1, 63, 64, 65, 1023, 1024, 1025, 2047, 2048, 2049, 3073};
  for (std::uint64_t mib = 1; mib <= 9; ++mib) {
    for (const std::uint64_t extra :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1024}, std::uint64_t{1025}, kMiB - 1}) {
      sizes.push_back(mib * kMiB + extra);
    }
    sizes.push_back(mib * kMiB - 1);
  }
  return sizes;
}

// What Debian's b3sum prints for a file.
std::string B3Sum(const std::string& path) {
  FILE* pipe = popen(("b3sum --no-names '" + path + "'").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::array<char, 128> line{};
  const std::size_t n = std::fread(line.data(), 1, line.size() - 1, pipe);
  pclose(pipe);
  std::string text(line.data(), n);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

TEST(Blake3, AgreesWithB3Sum) {
  const auto path =
      std::filesystem::temp_directory_path() / ("flair_blake3_test_" + std::to_string(::getpid()));
  for (const std::uint64_t size : Sizes()) {
    const Bytes data = Pattern(size);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(size));
    EXPECT_EQ(Blake3(data).ToHex(), B3Sum(path.string())) << size << " bytes";
  }
  std::filesystem::remove(path);
}

TEST(Blake3, BlocksAddUpToTheWholeHash) {
  for (const std::uint64_t size : Sizes()) {
    if (BlockCount(size) < 2) continue;
    const Bytes data = Pattern(size);
    std::vector<Digest> values;
    for (std::uint64_t i = 0; i < BlockCount(size); ++i) {
      const std::uint64_t at = i * kBlockBytes;
      values.push_back(
          BlockChainingValue(ByteView(data).subspan(at, std::min(kBlockBytes, size - at)), i));
    }
    EXPECT_EQ(RootOfBlocks(values).ToHex(), Blake3(data).ToHex()) << size << " bytes";
  }
}

TEST(Blake3, ABlocksValueBindsBytesAndPosition) {
  Bytes block = Pattern(kBlockBytes);
  const Digest value = BlockChainingValue(block, 3);
  EXPECT_NE(value, BlockChainingValue(block, 4));
  EXPECT_NE(value, BlockChainingValue(ByteView(block).first(block.size() - 1), 3));
  block.back() ^= std::byte{1};
  EXPECT_NE(value, BlockChainingValue(block, 3));
}

TEST(Blake3, PiecesHashLikeTheWhole) {
  const Bytes data = Pattern(3 * kMiB + 77);
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{4096}, std::size_t{1} << 20}) {
    Blake3Hasher hasher;
    for (std::size_t at = 0; at < data.size(); at += piece) {
      hasher.Update(ByteView(data).subspan(at, std::min(piece, data.size() - at)));
    }
    EXPECT_EQ(hasher.Finish(), Blake3(data)) << piece;
  }
}

TEST(Blake3, ContextsSeparate) {
  EXPECT_NE(Blake3DeriveKey("flair.v1.tree", {}), Blake3DeriveKey("flair.v1.file", {}));
  EXPECT_NE(Blake3DeriveKey("flair.v1.tree", {}), Blake3({}));
}

TEST(BlockCount, RoundsUp) {
  EXPECT_EQ(BlockCount(0), 0U);
  EXPECT_EQ(BlockCount(1), 1U);
  EXPECT_EQ(BlockCount(kBlockBytes), 1U);
  EXPECT_EQ(BlockCount(kBlockBytes + 1), 2U);
  EXPECT_EQ(BlockCount(~std::uint64_t{0}), std::uint64_t{1} << 44);
}

TEST(Blake3DeathTest, BlockSizesArePromised) {
  EXPECT_EXIT(BlockChainingValue({}, 0), testing::ExitedWithCode(70), "0 bytes");
  EXPECT_EXIT(RootOfBlocks(std::vector<Digest>(1)), testing::ExitedWithCode(70), "1 blocks");
}

}  // namespace
}  // namespace flair
