// SPDX-License-Identifier: Apache-2.0
#include "remote/parts.h"

namespace flair {

std::vector<Part> SplitIntoParts(std::span<const wire::Piece> pieces) {
  std::vector<Part> parts;
  bool open = false;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!open || parts.back().size_bytes + pieces[i].length_bytes > kPartBytes) {
      parts.push_back({.first_piece = i, .num_pieces = 0, .size_bytes = 0, .seal = false});
    }
    Part& part = parts.back();
    ++part.num_pieces;
    part.size_bytes += pieces[i].length_bytes;
    part.seal = pieces[i].seal;
    open = !part.seal;
  }
  return parts;
}

std::vector<PackRange> RangesFor(std::span<const wire::Piece> pieces, std::uint64_t done_bytes) {
  std::vector<PackRange> ranges;
  for (const wire::Piece& piece : pieces) {
    if (done_bytes >= piece.length_bytes) {
      done_bytes -= piece.length_bytes;
      continue;
    }
    const std::uint64_t offset = piece.offset + done_bytes;
    const std::uint64_t take = piece.length_bytes - done_bytes;
    done_bytes = 0;
    if (!ranges.empty()) {
      PackRange& last = ranges.back();
      const std::uint64_t end = last.offset + last.length_bytes;
      if (last.pack == piece.pack && offset >= end && offset - end <= kMaxGapBytes) {
        last.length_bytes += offset - end + take;
        if (offset == end) {
          last.extents.back().take += take;
        } else {
          last.extents.push_back({.skip = offset - end, .take = take});
        }
        continue;
      }
    }
    ranges.push_back({.pack = piece.pack,
                      .offset = offset,
                      .length_bytes = take,
                      .extents = {{.skip = 0, .take = take}}});
  }
  return ranges;
}

}  // namespace flair
