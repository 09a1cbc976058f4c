// ClaimWeights: what all claims on a matrix weigh its cells with, computed piece by piece.
//
//   W[x] = sum_blocks c eq(point, x - offset)
//
// A piece of 2^12 cells is the outer product of two small tables for each block that reaches into
// it. So the weights of all cells are never in memory, nor are those of a piece before variables
// are bound: a round is summed part by part, and the first folds are those of small tables.
//
// Place: zk/prover, over batch. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
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

  // Adds the first round's polynomial of W times the cells of a piece, [piece 2^12,
  // (piece + 1) 2^12), at 0, 1 and 2. REQUIRES: kPiece cells, no fold.
  void AddRound(std::uint64_t piece, std::span<const std::uint64_t> cells,
                std::array<Fp2, 3>& at) const;
  // The same behind folds, at 0 and 2, of kPiece / 2^folds cells that were folded, too.
  void AddRound(std::uint64_t piece, KSpan folded, std::array<Fp2, 3>& at) const;
  // Binds the lowest variable. REQUIRES: no more than kMaxFolds of them.
  static constexpr unsigned kMaxFolds = 2;
  void Fold(Fp2 r);
  // The folded weights of a piece, kPiece / 2^folds of them.
  void Fill(std::uint64_t piece, KSpan out) const;

 private:
  struct Part {
    Fp2 coefficient;
    std::uint64_t offset;
    std::span<const Fp2> point;
    KVector low;            // eq of the lowest 9 coordinates, without those that are bound
    std::vector<Fp2> high;  // of those up to the 12th
  };
  // Where a part begins in a folded piece, and what all of it there is multiplied by.
  struct InPiece {
    std::uint64_t begin;
    Fp2 coefficient;
  };
  InPiece Of(const Part& part, std::uint64_t piece) const;
  // `cell_of` reads a cell, `sum` runs a kernel on those from one on.
  template <typename CellOf, typename SumFrom>
  void AddPart(const Part& part, InPiece in, const CellOf& cell_of, const SumFrom& sum,
               std::array<Fp2, 3>& at) const;
  void Add(const Part& part, InPiece in, KSpan out) const;

  std::vector<Part> parts_;
  std::vector<std::vector<std::uint32_t>> by_piece_;
  unsigned folds_ = 0;
  const KKernels& kernels_;
};

}  // namespace flair::zk
