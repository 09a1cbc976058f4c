// Parts: how a plan of pieces is cut into files and requests.
//
// A part is a run of pieces, at most kPartBytes unless one piece is longer; it is
// downloaded into one file, its pieces back to back, so that the file's length says where to
// go on. A request is one range of one pack; small gaps between pieces are read and
// thrown away, which is cheaper than another request.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "wire/transfer.h"

namespace flair {

inline constexpr std::uint64_t kPartBytes = std::uint64_t{32} << 20;
inline constexpr std::uint64_t kMaxGapBytes = 32 * 1024;

struct Part {
  std::size_t first_piece = 0;
  std::size_t num_pieces = 0;
  std::uint64_t size_bytes = 0;
  bool seal = false;  // its last piece's
  bool operator==(const Part&) const = default;
};
// A part ends after a piece that seals, so that what is committed is whole parts.
std::vector<Part> SplitIntoParts(std::span<const wire::Piece> pieces);

struct PackRange {
  std::string pack;
  std::uint64_t offset = 0;
  std::uint64_t length_bytes = 0;
  struct Extent {  // what is wanted, in order, from the range's start
    std::uint64_t skip = 0;
    std::uint64_t take = 0;
    bool operator==(const Extent&) const = default;
  };
  std::vector<Extent> extents;
  bool operator==(const PackRange&) const = default;
};
// The requests that bring `pieces`, without their first `done_bytes`.
std::vector<PackRange> RangesFor(std::span<const wire::Piece> pieces, std::uint64_t done_bytes);

}  // namespace flair
