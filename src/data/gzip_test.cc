// SPDX-License-Identifier: Apache-2.0
#include "data/gzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/array_testing.h"

namespace flair::data {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

Bytes Pattern(std::size_t size) {
  Bytes out(size);
  std::uint32_t x = 1;
  for (std::byte& b : out) b = static_cast<std::byte>((x = x * 1664525 + 1013904223) >> 24);
  return out;
}

Result<Bytes> Unpacked(const Bytes& file, std::uint64_t max_bytes = kPlenty) {
  FLAIR_TRY(const auto source, Unpack(*SourceOfBytes(file), max_bytes));
  Bytes out(source->size_bytes());
  FLAIR_DO(source->ReadAt(0, out));
  return out;
}

TEST(GzipTest, WhatWasPackedComesBack) {
  // Around the size of a piece, compressible and not.
  for (const std::size_t size : {0, 1, 262143, 262144, 262145, 1'000'000}) {
    const Bytes zeros(size), noise = Pattern(size);
    EXPECT_EQ(Unpacked(Gzip(zeros)).value(), zeros) << size;
    EXPECT_EQ(Unpacked(Gzip(noise)).value(), noise) << size;
  }
}

TEST(GzipTest, SeveralMembersAreOneFile) {
  const Bytes first = Pattern(300'000), second = ToBytes("end");
  Bytes file = Gzip(first);
  Append(file, Gzip({}));
  Append(file, Gzip(second));
  Bytes both = first;
  Append(both, second);
  EXPECT_EQ(Unpacked(file).value(), both);
}

TEST(GzipTest, EveryCutAndEveryChangedByteOfTheChecksumIsRefused) {
  const Bytes whole = Gzip(Pattern(100));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = Unpacked(Bytes(whole.begin(), whole.begin() + size));
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(read.error().message(), HasSubstr("the file ends before its data do"));
  }
  for (std::size_t at = whole.size() - 8; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= std::byte{1};
    const auto read = Unpacked(changed);
    ASSERT_FALSE(read.ok()) << at;
    EXPECT_THAT(read.error().message(), HasSubstr("incorrect"));
  }
}

TEST(GzipTest, WhatIsNoGzipOrHasMoreBehindItIsRefused) {
  for (Bytes file : {ToBytes("plain text, no gzip"), Bytes(40)}) {
    EXPECT_THAT(Unpacked(file).error().message(), HasSubstr("gzip: incorrect header check"));
  }
  Bytes file = Gzip(Pattern(10));
  Append(file, AsBytes("more behind the end"));
  EXPECT_EQ(Unpacked(file).error().code(), ErrorCode::kCorrupt);
}

TEST(GzipTest, UnpackingStopsAtTheLimit) {
  const Bytes file = Gzip(Bytes(1'000'000));
  EXPECT_TRUE(Unpacked(file, 1'000'000).ok());
  const auto read = Unpacked(file, 999'999);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(read.error().message(), "gzip: more than 999999 bytes unpacked");
}

}  // namespace
}  // namespace flair::data
