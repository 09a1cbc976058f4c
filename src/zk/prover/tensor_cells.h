// Walks the cells of a tensor that lies in blocks.
//
// Place: zk/prover, over relation. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/relation/layout.h"

namespace flair::zk {

// visit(cell, index): where a cell lies, and its row-major index in the tensor.
template <typename Visit>
void ForEachCell(const TensorBlocks& tensor, const Visit& visit) {
  const std::size_t rank = tensor.sizes.size();
  std::vector<std::uint64_t> steps(rank, 1);
  for (std::size_t i = rank - 1; i-- > 0;) steps[i] = steps[i + 1] * tensor.sizes[i + 1];
  for (const TensorBlocks::Placed& block : tensor.blocks) {
    std::vector<std::uint64_t> at(rank, 0);
    std::uint64_t index = 0;
    for (std::size_t i = 0; i < rank; ++i) index += steps[i] * block.pieces[i].begin;
    const std::uint64_t size = std::uint64_t{1} << block.log_size();
    for (std::uint64_t x = 0; x < size; ++x) {
      visit(block.offset + x, index);
      for (std::size_t i = rank; i-- > 0;) {
        index += steps[i];
        if (++at[i] < std::uint64_t{1} << block.pieces[i].log_size) break;
        index -= steps[i] << block.pieces[i].log_size;
        at[i] = 0;
      }
    }
  }
}

}  // namespace flair::zk
