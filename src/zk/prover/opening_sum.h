// OpeningSum: one matrix in the sumcheck over all claims: its cells times what they weigh.
//
// The first two rounds read cells and compute weights piece by piece; from then on a quarter as
// many cells and weights are in memory, 8 bytes for each cell of the matrix. docs/spec/opening.md.
//
// Place: zk/prover, over batch. Thread safety: one thread at a time; it uses the machine's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "zk/prover/claim_weights.h"
#include "zk/prover/committed_matrix.h"

namespace flair::zk {

class OpeningSum {
 public:
  // `rows`: the first `num_rows` of 2^log_columns cells count. Borrows rows and claims.
  OpeningSum(const RowSource& rows, std::uint64_t num_rows, unsigned log_columns,
             std::span<const Claim> claims, std::size_t matrix, Fp2 lambda);

  // Adds its part of the round's polynomial at 0, 1 and 2; what it adds at 1 after the first
  // round is meaningless.
  void AddRound(std::array<Fp2, 3>& at) const;
  void Fold(Fp2 r);
  // The matrix's multilinear extension at the point of all r so far.
  // REQUIRES: as many as it has variables.
  Fp2 value() const { return value_; }

 private:
  bool is_bound() const { return variables_ == 0; }
  // Nothing is in memory yet.
  bool is_streaming() const { return bound_.size() < streamed_rounds_; }
  void AddStreamedRound(std::array<Fp2, 3>& at) const;
  // Cells of a piece, folded with all r so far; `scratch` has room for half a piece.
  void FoldPiece(std::span<const std::uint64_t> cells, KSpan scratch, KSpan out) const;
  void Materialize();
  // Cells of a piece, zeros behind the last.
  void ReadPiece(std::uint64_t piece, std::span<std::uint64_t> cells) const;
  // On all threads. `scratch` has room for half a piece.
  void ForEachPiece(
      const std::function<void(std::uint64_t piece, std::span<const std::uint64_t> cells,
                               KSpan scratch)>& visit) const;

  const RowSource& rows_;
  std::uint64_t num_cells_;
  unsigned log_columns_;
  unsigned variables_;  // that are not bound
  ClaimWeights weights_of_claims_;
  unsigned streamed_rounds_;
  std::vector<Fp2> bound_;     // the r of these
  std::uint64_t present_ = 0;  // elements of the two tables; zeros follow
  KVector cells_;
  KVector weights_;
  Fp2 value_;
  Fp2 weight_;
  const KKernels& kernels_;
};

}  // namespace flair::zk
