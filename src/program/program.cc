// SPDX-License-Identifier: Apache-2.0
#include "program/program.h"

#include <algorithm>

#include "base/check.h"

namespace flair::program {

std::int64_t Schedule::NumeratorAt(std::uint64_t step) const {
  FLAIR_CHECK(!pieces.empty());
  for (const Piece& piece : pieces) {
    if (piece.steps == 0 || step < piece.steps) return piece.numerator;
    step -= piece.steps;
  }
  return pieces.back().numerator;
}

std::int64_t Schedule::LargestNumerator() const {
  std::int64_t largest = 0;
  for (const Piece& piece : pieces) largest = std::max(largest, piece.numerator);
  return largest;
}

const std::string& Program::NameOf(ValueId id) const {
  if (id < FirstParameter()) return columns[id].name;
  if (id < FirstBuffer()) return parameters[id - FirstParameter()].name;
  if (id < FirstNode()) return buffers[id - FirstBuffer()].name;
  return nodes[id - FirstNode()].name;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
}

}  // namespace flair::program
