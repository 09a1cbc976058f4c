// Walks the cells of a tensor that lies in blocks.
//
// Place: zk/prover, over relation. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/threads.h"
#include "zk/relation/layout.h"

namespace flair::zk {

// visit(cell, index) for cells begin ... end - 1 of a block: where a cell lies, and its row-major
// index in the tensor.
template <typename Visit>
void ForEachCellOf(const TensorBlocks& tensor, const TensorBlocks::Placed& block,
                   std::uint64_t begin, std::uint64_t end, const Visit& visit) {
  const std::size_t rank = tensor.sizes.size();
  std::vector<std::uint64_t> steps(rank, 1);
  for (std::size_t i = rank - 1; i-- > 0;) steps[i] = steps[i + 1] * tensor.sizes[i + 1];
  std::vector<std::uint64_t> at(rank, 0);
  std::uint64_t index = 0;
  std::uint64_t rest = begin;
  for (std::size_t i = rank; i-- > 0;) {
    const Piece& piece = block.pieces[i];
    at[i] = rest & ((std::uint64_t{1} << piece.log_size) - 1);
    rest >>= piece.log_size;
    index += steps[i] * (piece.begin + at[i]);
  }
  for (std::uint64_t x = begin; x < end; ++x) {
    visit(block.offset + x, index);
    for (std::size_t i = rank; i-- > 0;) {
      index += steps[i];
      if (++at[i] < std::uint64_t{1} << block.pieces[i].log_size) break;
      index -= steps[i] << block.pieces[i].log_size;
      at[i] = 0;
    }
  }
}

// All of a tensor's.
template <typename Visit>
void ForEachCell(const TensorBlocks& tensor, const Visit& visit) {
  for (const TensorBlocks::Placed& block : tensor.blocks) {
    ForEachCellOf(tensor, block, 0, std::uint64_t{1} << block.log_size(), visit);
  }
}

// The same on all threads, for many tensors at once: visit(i, cell, index) for the cells of
// tensors[i], in any order.
template <typename Visit>
void ForEachCellAtOnce(const std::vector<const TensorBlocks*>& tensors, const Visit& visit) {
  struct Part {
    std::size_t tensor;
    const TensorBlocks::Placed* block;
    std::uint64_t begin;
    std::uint64_t end;
  };
  constexpr std::uint64_t kCellsAtOnce = 1 << 16;
  std::vector<Part> parts;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    for (const TensorBlocks::Placed& block : tensors[i]->blocks) {
      const std::uint64_t size = std::uint64_t{1} << block.log_size();
      for (std::uint64_t begin = 0; begin < size; begin += kCellsAtOnce) {
        parts.push_back({i, &block, begin, std::min(begin + kCellsAtOnce, size)});
      }
    }
  }
  const Status done = ParallelFor(parts.size(), [&](std::size_t p) {
    const Part& part = parts[p];
    ForEachCellOf(
        *tensors[part.tensor], *part.block, part.begin, part.end,
        [&](std::uint64_t cell, std::uint64_t index) { visit(part.tensor, cell, index); });
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a walk cannot fail";
}

}  // namespace flair::zk
