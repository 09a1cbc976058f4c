// Tiles: eight rows of F side by side, so that one instruction works on all of them.
//
// Element j of row r is tile[8 j + r]: a column of a tile is 64 consecutive bytes, one block
// of SHA-256. Values are canonical on the way in and on the way out; all kernels give the
// same bits (kernels_test.cc holds them to Fp).
//
// Place: zk/field. The kernel is chosen once, by what the machine has.
// Thread safety: functions of distinct tiles from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace flair::zk {

inline constexpr std::size_t kTileRows = 8;

// What the tile functions are made of. `values` and `factors` are canonical.
using Quarters = const std::uint64_t* [4];

struct TileKernels {
  std::string_view name;  // "portable", "avx2", "avx512"
  // x[i] = x[i] * y[i], x[i] + y[i], x[i] - y[i]; n is a multiple of kTileRows.
  void (*multiply)(std::uint64_t* x, const std::uint64_t* y, std::size_t n);
  void (*add)(std::uint64_t* x, const std::uint64_t* y, std::size_t n);
  void (*subtract)(std::uint64_t* x, const std::uint64_t* y, std::size_t n);
  // Each of n columns of 8 times its own factor; `out` may be `tile`.
  void (*scale_columns)(const std::uint64_t* tile, const std::uint64_t* factors, std::uint64_t* out,
                        std::size_t n);
  // x[i] += c * y[i].
  void (*add_scaled)(std::uint64_t* x, const std::uint64_t* y, std::uint64_t c, std::size_t n);
  // One radix-4 pass of decimation in frequency over each of `blocks` blocks of 4 q columns;
  // `twiddles` holds w^j, w^2j, w^3j for j < q (fft.cc).
  void (*fft_pass4)(std::uint64_t* tile, const std::uint64_t* twiddles, std::size_t q,
                    std::size_t blocks);
  // That of one block from columns that are scaled on the way: column j of quarter k is in[k]'s,
  // times factors[k][j], written to out[k], j < n; `twiddles` as above.
  void (*fft_scaled_pass4)(const Quarters& in, const Quarters& factors,
                           const std::uint64_t* twiddles, std::uint64_t* const (&out)[4],
                           std::size_t n);
  // The last pass, radix 2, over each of `blocks` blocks of 2 columns.
  void (*fft_pass2)(std::uint64_t* tile, std::size_t blocks);
};

// The fastest that runs here.
const TileKernels& Kernels();
// All that run here, the portable one first. For tests and benchmarks.
std::span<const TileKernels* const> AllKernels();

}  // namespace flair::zk
