// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/int_rows.h"

#include <algorithm>

namespace flair::zk {

void IntRows::ReadPart(std::uint64_t row, std::uint64_t first, std::span<std::uint64_t> out) const {
  const std::uint64_t begin = std::min<std::uint64_t>(row * num_columns_ + first, cells_.size());
  const std::uint64_t count = std::min<std::uint64_t>(out.size(), cells_.size() - begin);
  for (std::uint64_t j = 0; j < count; ++j) out[j] = Fp::FromInt(cells_[begin + j]).value();
  for (std::uint64_t j = count; j < out.size(); ++j) out[j] = 0;
}

bool IntRows::ReadTile(std::uint64_t first_row, std::span<std::uint64_t> tile) const {
  const std::uint64_t begin = first_row * num_columns_;
  if (begin + kTileRows * num_columns_ > cells_.size()) return false;
  for (std::uint64_t j = 0; j < num_columns_; ++j) {
    for (std::size_t r = 0; r < kTileRows; ++r) {
      tile[j * kTileRows + r] = Fp::FromInt(cells_[begin + r * num_columns_ + j]).value();
    }
  }
  return true;
}

}  // namespace flair::zk
