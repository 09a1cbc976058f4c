// The loops of product.cc that are worth their own instructions.
//
// Place: circuit, below product.h. Thread safety: constants and functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace flair::circuit {

// What a window asks of cell (r, k): 0 <= row[r] + depth[k] < size.
struct PackBound {
  const std::int64_t* row = nullptr;
  const std::int64_t* depth = nullptr;
  std::int64_t size = 0;
};

// Cells cells[first + row[r] + depth[k]], 0 where a bound does not hold.
struct PackSource {
  const std::int64_t* cells = nullptr;
  std::int64_t first = 0;
  const std::int64_t* row = nullptr;
  const std::int64_t* depth = nullptr;
  const PackBound* bounds = nullptr;
  std::size_t num_bounds = 0;
};

template <typename Cell>
struct ProductLoops {
  // packed[k][r], of `rows` or `columns` rows.
  void (*pack_rows)(const PackSource& source, std::size_t depth, Cell* packed) = nullptr;
  void (*pack_columns)(const PackSource& source, std::size_t depth, Cell* packed) = nullptr;
  // tile[r][c] = sum_k a[k][r] b[k][c]
  void (*multiply)(std::size_t depth, const Cell* a, const Cell* b, std::int64_t* tile) = nullptr;
};

struct ProductKernels {
  const char* name = "";
  std::size_t rows = 0;     // of a tile
  std::size_t columns = 0;  // of a tile
  ProductLoops<double> doubles;
  ProductLoops<std::uint64_t> integers;  // modulo 2^64: signed where the sums fit
};

inline constexpr std::size_t kMaxTile = 128;  // rows x columns

extern const ProductKernels kPortableProductKernels;
#if defined(__x86_64__)
extern const ProductKernels kAvx2ProductKernels;
extern const ProductKernels kAvx512ProductKernels;
#endif

// Those that run on this machine, the fastest last.
std::span<const ProductKernels* const> AllProductKernels();
const ProductKernels& FastestProductKernels();

}  // namespace flair::circuit
