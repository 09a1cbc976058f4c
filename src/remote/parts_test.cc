// SPDX-License-Identifier: Apache-2.0
#include "remote/parts.h"

#include <gtest/gtest.h>

#include <random>

namespace flair {
namespace {

using wire::Piece;

TEST(PartsTest, APartEndsAtItsSizeAndAfterASeal) {
  const std::uint64_t third = kPartBytes / 3;
  const std::vector<Piece> pieces = {
      {"a", 0, third, false},        {"a", third, third, false}, {"b", 0, third, false},
      {"b", third, third, true},     {"c", 0, 1, false},         {"c", 1, 2 * kPartBytes, false},
      {"c", 9 * kPartBytes, 5, true}};
  const std::vector<Part> parts = SplitIntoParts(pieces);
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0], (Part{0, 3, 3 * third, false}));
  EXPECT_EQ(parts[1], (Part{3, 1, third, true}));
  EXPECT_EQ(parts[2], (Part{4, 1, 1, false}));
  EXPECT_EQ(parts[3], (Part{5, 1, 2 * kPartBytes, false}));
  EXPECT_EQ(parts[4], (Part{6, 1, 5, true}));
  EXPECT_TRUE(SplitIntoParts({}).empty());
}

TEST(PartsTest, NeighboursAndSmallGapsAreOneRequest) {
  const std::vector<Piece> pieces = {
      {"a", 100, 50, false},                    // then its neighbour
      {"a", 150, 10, false},                    // then a small gap
      {"a", 160 + kMaxGapBytes, 7, false},      // then a gap too large
      {"a", 168 + 2 * kMaxGapBytes, 1, false},  // then backwards
      {"a", 0, 5, false},                       // then another pack
      {"b", 5, 5, false},
  };
  const auto ranges = RangesFor(pieces, 0);
  ASSERT_EQ(ranges.size(), 4u);
  EXPECT_EQ(ranges[0], (PackRange{"a", 100, 67 + kMaxGapBytes, {{0, 60}, {kMaxGapBytes, 7}}}));
  EXPECT_EQ(ranges[1], (PackRange{"a", 168 + 2 * kMaxGapBytes, 1, {{0, 1}}}));
  EXPECT_EQ(ranges[2], (PackRange{"a", 0, 5, {{0, 5}}}));
  EXPECT_EQ(ranges[3], (PackRange{"b", 5, 5, {{0, 5}}}));
}

// Reads the ranges as a client would and compares with the pieces' own bytes.
TEST(PartsTest, GoingOnAtAnyByteGivesTheSameBytes) {
  std::mt19937 random(7);
  std::vector<std::string> packs(2);
  for (std::string& pack : packs) {
    for (int i = 0; i < 200'000; ++i) pack.push_back(static_cast<char>(random()));
  }
  std::vector<Piece> pieces;
  std::string whole;
  std::uint64_t at = 0;
  for (int i = 0; i < 12; ++i) {
    const std::uint64_t length = 1 + random() % 50;
    at += random() % 3 == 0 ? random() % (2 * kMaxGapBytes) : 0;
    if (at + length > 150'000) at = 0;
    const std::size_t pack = random() % 5 == 0 ? 1 : 0;
    pieces.push_back({std::to_string(pack), at, length, false});
    whole += packs[pack].substr(at, length);
    at += length;
  }
  for (std::uint64_t done = 0; done <= whole.size(); ++done) {
    std::string got = whole.substr(0, done);
    for (const PackRange& range : RangesFor(pieces, done)) {
      const std::string body =
          packs[std::stoul(range.pack)].substr(range.offset, range.length_bytes);
      ASSERT_EQ(body.size(), range.length_bytes);
      std::size_t from = 0;
      for (const auto& extent : range.extents) {
        got += body.substr(from + extent.skip, extent.take);
        from += extent.skip + extent.take;
      }
      ASSERT_EQ(from, body.size());
    }
    ASSERT_EQ(got, whole) << done;
  }
}

}  // namespace
}  // namespace flair
