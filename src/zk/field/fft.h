// Fft: discrete Fourier transforms over F of the eight rows of a tile at once.
//
//   X_k = sum_{j<n} x_j w^(jk),  n = 2^log_n,  w = RootOfUnity(log_n)
//
// Decimation in frequency: natural order in, bit-reversed order out; column j of the result
// holds X_k for k = ReverseBits(j, log_n). Radix 4, depth first, so that blocks stay in cache.
//
// Place: zk/field, over tile.h. Thread safety: Forward from any thread, on distinct tiles.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/field/fp.h"
#include "zk/field/tile.h"

namespace flair::zk {

constexpr std::size_t ReverseBits(std::size_t v, unsigned bits) {
  std::size_t reversed = 0;
  for (unsigned i = 0; i < bits; ++i) reversed |= ((v >> i) & 1) << (bits - 1 - i);
  return reversed;
}

// Columns of a tile, each to be multiplied by its factor; the first ones are those of `first`
// instead.
struct ScaledColumns {
  std::span<const std::uint64_t> first;
  std::span<const std::uint64_t> columns;
  std::span<const std::uint64_t> factors;
};

class Fft {
 public:
  // About 8 n bytes of twiddles. REQUIRES: log_n <= Fp::kTwoAdicity.
  explicit Fft(unsigned log_n);

  unsigned log_n() const { return log_n_; }
  std::size_t size() const { return std::size_t{1} << log_n_; }
  // In place. REQUIRES: kTileRows * size() canonical values.
  void Forward(std::span<std::uint64_t> tile, const TileKernels& kernels = Kernels()) const;
  // Of the result only these columns, the others hold anything: blocks without one of them are
  // left, half of the work for a hundred of 2^16. REQUIRES: ascending, below size().
  void ForwardAt(std::span<std::uint64_t> tile, std::span<const std::uint64_t> columns,
                 const TileKernels& kernels = Kernels()) const;
  // The transform of scaled columns, which the first pass reads where they are.
  // REQUIRES: size() columns and factors, a tile of as many; `first` no longer.
  void ForwardScaled(const ScaledColumns& in, std::span<std::uint64_t> tile,
                     const TileKernels& kernels = Kernels()) const;
  void ForwardScaledAt(const ScaledColumns& in, std::span<std::uint64_t> tile,
                       std::span<const std::uint64_t> columns,
                       const TileKernels& kernels = Kernels()) const;

 private:
  // False: the scaled columns are in the tile, and the pass is still to be made.
  bool FirstPass(const ScaledColumns& in, std::span<std::uint64_t> tile,
                 const TileKernels& kernels) const;
  void Passes(std::uint64_t* tile, unsigned log_n, const TileKernels& kernels) const;
  // A block that begins at column `first` of the tile.
  void PassesAt(std::uint64_t* tile, unsigned log_n, std::uint64_t first,
                std::span<const std::uint64_t> columns, const TileKernels& kernels) const;

  unsigned log_n_;
  std::vector<std::vector<std::uint64_t>> by_size_;  // of the radix-4 passes, by log of the block
};

}  // namespace flair::zk
