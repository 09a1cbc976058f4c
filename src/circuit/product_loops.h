// The bodies of product_kernels.h, compiled once for each kind of lanes.
//
// Multiplications and additions of doubles may be contracted here: all of them are exact.
//
// Place: included by product_kernels_*.cc alone, each of which sets kRows and kLanes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "circuit/product_kernels.h"

namespace flair::circuit {
namespace {

constexpr std::size_t kColumns = 2 * kLanes;
static_assert(kRows * kColumns <= kMaxTile);

template <typename Cell>
struct LanesOf {
  // NOLINTNEXTLINE(modernize-use-using): g++ has no vector_size in an alias that depends.
  typedef Cell Type __attribute__((vector_size(kLanes * sizeof(Cell)), aligned(8), may_alias));
};

// REQUIRES: of doubles, cells below 2^53 in size.
template <typename Cell, std::size_t kPanel>
void Pack(const PackSource& source, std::size_t depth, Cell* packed) {
  bool near = true;
  for (std::size_t r = 1; r < kPanel; ++r) {
    near = near && source.row[r] == source.row[0] + static_cast<std::int64_t>(r);
  }
  for (std::size_t k = 0; k < depth; ++k, packed += kPanel) {
    const std::int64_t at = source.first + source.depth[k];
    if (source.num_bounds == 0) {
      if (near) {
        const std::int64_t* from = source.cells + at + source.row[0];
        for (std::size_t r = 0; r < kPanel; ++r) packed[r] = static_cast<Cell>(from[r]);
      } else {
        for (std::size_t r = 0; r < kPanel; ++r) {
          packed[r] = static_cast<Cell>(source.cells[at + source.row[r]]);
        }
      }
      continue;
    }
    std::uint64_t inside[kPanel];
    std::uint64_t all = 1;
    for (std::size_t r = 0; r < kPanel; ++r) inside[r] = 1;
    for (std::size_t b = 0; b < source.num_bounds; ++b) {
      const PackBound& bound = source.bounds[b];
      const auto size = static_cast<std::uint64_t>(bound.size);
      const std::int64_t rest = bound.depth[k];
      for (std::size_t r = 0; r < kPanel; ++r) {
        inside[r] &= static_cast<std::uint64_t>(bound.row[r] + rest) < size ? 1 : 0;
      }
    }
    for (std::size_t r = 0; r < kPanel; ++r) all &= inside[r];
    if (near && all != 0) {
      const std::int64_t* from = source.cells + at + source.row[0];
      for (std::size_t r = 0; r < kPanel; ++r) packed[r] = static_cast<Cell>(from[r]);
    } else {
      for (std::size_t r = 0; r < kPanel; ++r) {
        packed[r] = inside[r] != 0 ? static_cast<Cell>(source.cells[at + source.row[r]]) : Cell{};
      }
    }
  }
}

template <typename Cell>
void Multiply(std::size_t depth, const Cell* a, const Cell* b, std::int64_t* tile) {
  using Lanes = typename LanesOf<Cell>::Type;
  using Ints = typename LanesOf<std::int64_t>::Type;
  Lanes sums[kRows][2] = {};
  for (std::size_t k = 0; k < depth; ++k, a += kRows, b += kColumns) {
    const Lanes low = *reinterpret_cast<const Lanes*>(b);
    const Lanes high = *reinterpret_cast<const Lanes*>(b + kLanes);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      sums[r][0] += a[r] * low;
      sums[r][1] += a[r] * high;
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t half = 0; half < 2; ++half, tile += kLanes) {
      *reinterpret_cast<Ints*>(tile) = __builtin_convertvector(sums[r][half], Ints);
    }
  }
}

template <typename Cell>
constexpr ProductLoops<Cell> MakeProductLoops() {
  return {.pack_rows = Pack<Cell, kRows>,
          .pack_columns = Pack<Cell, kColumns>,
          .multiply = Multiply<Cell>};
}

constexpr ProductKernels MakeProductKernels(const char* name) {
  return {.name = name,
          .rows = kRows,
          .columns = kColumns,
          .doubles = MakeProductLoops<double>(),
          .integers = MakeProductLoops<std::uint64_t>()};
}

}  // namespace
}  // namespace flair::circuit
