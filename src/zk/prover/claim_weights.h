// ClaimWeights: what all claims on a matrix weigh its cells with, computed piece by piece.
//
//   W[x] = sum_blocks c eq(point, x - offset)
//
// A piece of 2^12 cells is the outer product of two small tables for each block that reaches into
// it, so that the weights of all cells are never in memory at once.
//
// Place: zk/prover, over batch. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/batch/claim.h"
#include "zk/prover/k_kernels.h"

namespace flair::zk {

class ClaimWeights {
 public:
  static constexpr unsigned kLogPiece = 12;
  static constexpr std::uint64_t kPiece = std::uint64_t{1} << kLogPiece;

  // Claim i counts lambda^i. Borrows the claims.
  ClaimWeights(std::span<const Claim> claims, std::size_t matrix, Fp2 lambda,
               std::uint64_t num_cells);

  // The weights of cells [piece 2^12, (piece + 1) 2^12); false when all are 0, and nothing is
  // written.
  bool Fill(std::uint64_t piece, KSpan out) const;

 private:
  struct Part {
    Fp2 coefficient;
    std::uint64_t offset;
    std::span<const Fp2> point;
    KVector low;            // eq of the lowest 6 coordinates
    std::vector<Fp2> high;  // of those up to the 12th
  };
  void Add(const Part& part, std::uint64_t piece, KSpan out) const;

  std::vector<Part> parts_;
  std::vector<std::vector<std::uint32_t>> by_piece_;
  const KKernels& kernels_;
};

}  // namespace flair::zk
