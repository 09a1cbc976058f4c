// SPDX-License-Identifier: Apache-2.0
#include "zk/mask/mask_shape.h"

#include <algorithm>

#include "base/check.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kMaxWidth = 1024;

std::uint64_t WidthFor(const MatrixShape& witness) {
  return std::min(kMaxWidth, witness.num_columns() / 4);
}
std::uint64_t RowsFor(std::uint64_t count, std::uint64_t width) {
  return (count + width - 1) / width;
}

}  // namespace

bool MaskShape::Fits(const MatrixShape& witness) {
  const std::uint64_t width = WidthFor(witness);
  return width >= 1 && 2 * width + 2 * witness.num_pads <= witness.row_length();
}

MaskShape::MaskShape(const MatrixShape& witness, std::uint64_t num_pads, std::uint64_t num_triples)
    : width_(WidthFor(witness)),
      h_(witness.num_pads),
      num_pads_(num_pads),
      num_triples_(num_triples),
      linear_rows_(RowsFor(num_pads, width_)),
      triple_rows_(RowsFor(num_triples, width_)) {
  FLAIR_CHECK(Fits(witness)) << "the mask rows have no room";
}

}  // namespace flair::zk
