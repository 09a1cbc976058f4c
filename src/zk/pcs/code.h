// Code: rows to codewords, eight rows and one coset at a time.
//
// The points x_j = 7 w^j split into n/C cosets: j = c + (n/C) i, c < n/C, i < C. On coset c
//   x_j^C = (7 w^c)^C =: gamma_c  for every i,
//   f(x_j) = sum_{k<C} [(cell_k + gamma_c pad_k)(7 w^c)^k] v^(ik),   v of order C,
// so that a codeword is n/C transforms of size C. docs/spec/commitment.md.
//
// Place: zk/pcs, over field; used by both sides. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/field/fft.h"
#include "zk/field/fp2.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

// x_j of column j.
Fp PointAt(const MatrixShape& shape, std::uint64_t column);

// A row over K, C + h coefficients, at some columns. REQUIRES: CheckShape passed.
std::vector<Fp2> EncodeAt(const MatrixShape& shape, std::span<const Fp2> row,
                          std::span<const std::uint64_t> columns);

class Code {
 public:
  // Keeps 8 n bytes of powers. REQUIRES: CheckShape passed.
  explicit Code(const MatrixShape& shape);

  std::uint64_t num_cosets() const { return n_ / num_columns_; }
  // Which column of the codeword stands at `place` of coset `coset`.
  std::uint64_t ColumnAt(std::uint64_t coset, std::uint64_t place) const {
    return coset + num_cosets() * ReverseBits(place, log_columns_);
  }
  // The inverse: (coset, place).
  std::pair<std::uint64_t, std::uint64_t> PlaceOf(std::uint64_t column) const {
    return {column % num_cosets(), ReverseBits(column / num_cosets(), log_columns_)};
  }

  // By coset, ascending.
  std::vector<std::vector<std::uint64_t>> PlacesOf(std::span<const std::uint64_t> columns) const;

  // `cells`: C columns of a tile; `pads`: h columns; `out`: C columns, in the order of places.
  void EncodeCoset(std::uint64_t coset, std::span<const std::uint64_t> cells,
                   std::span<const std::uint64_t> pads, std::span<std::uint64_t> out) const;
  // The same, of no place but these (ascending).
  void EncodeCosetAt(std::uint64_t coset, std::span<const std::uint64_t> cells,
                     std::span<const std::uint64_t> pads, std::span<const std::uint64_t> places,
                     std::span<std::uint64_t> out) const;

 private:
  // The first h coefficients of a coset's transform, before they are scaled: cells and pads.
  std::vector<std::uint64_t> PaddedCells(std::uint64_t coset, std::span<const std::uint64_t> cells,
                                         std::span<const std::uint64_t> pads) const;

  unsigned log_columns_;
  std::uint64_t num_columns_;
  std::uint64_t n_;
  std::uint64_t num_pads_;
  Fft fft_;
  std::vector<std::vector<std::uint64_t>> powers_;  // by coset: (7 w^c)^k, k < C
  std::vector<std::uint64_t> gammas_;               // by coset
};

}  // namespace flair::zk
