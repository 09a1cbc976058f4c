// MaskShape: how the pads lie in rows of the witness matrix, and what proves constraints on them.
//
// H = <w>, w of order C_z = min(1024, C/4). A mask row over K is
//   z(X) = interpolant of C_z pads on H + (X^C_z - 1) s(X),   s uniform of degree < h,
// as coefficients: 2 rows over F (a, then b). K-rows, in order: linear pads; X, Y, Z of the
// triples, aligned; three blinders
//   B1 uniform of C_z + h coefficients,
//   B2 uniform of 2 C_z + h coefficients with sum 0 over H,
//   B3 a uniform multiple of X^C_z - 1 of degree < 2 C_z + 2 h.
// Three messages prove everything, each checked at the queried columns:
//   u_z = B1 + sum gamma_i z_i                                  (C_z + h: the rows have low degree)
//   q_d = B2 + sum A_i z_i, A_i interpolating the coefficients of the combined constraints:
//         its sum over H is the combined target                 (2 C_z + h)
//   q_q, (X^C_z - 1) q_q = B3 + sum gamma'_l (Z_l - X_l Y_l)    (C_z + 2 h)
// docs/spec/masking.md.
//
// Place: zk/mask, over pcs; used by both sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/field/fp2.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

class MaskShape {
 public:
  // REQUIRES: Fits(witness).
  MaskShape(const MatrixShape& witness, std::uint64_t num_pads, std::uint64_t num_triples);
  // Enough room above the pads: 2 C_z + 2 h <= C + h.
  static bool Fits(const MatrixShape& witness);

  std::uint64_t width() const { return width_; }  // C_z
  std::uint64_t num_random() const { return h_; }
  std::uint64_t num_pads() const { return num_pads_; }
  std::uint64_t num_triples() const { return num_triples_; }

  // K-rows.
  std::uint64_t linear_rows() const { return linear_rows_; }
  std::uint64_t triple_rows() const { return triple_rows_; }
  std::uint64_t pad_rows() const { return linear_rows_ + 3 * triple_rows_; }
  std::uint64_t num_rows() const { return pad_rows() + 3; }

  // Where pads lie, numbered row after row over all pad rows.
  std::uint64_t XOf(std::uint64_t triple) const { return TripleAt(0, triple); }
  std::uint64_t YOf(std::uint64_t triple) const { return TripleAt(1, triple); }
  std::uint64_t ZOf(std::uint64_t triple) const { return TripleAt(2, triple); }
  std::uint64_t num_places() const { return pad_rows() * width_; }

  // Coefficients of the messages.
  std::uint64_t low_degree_size() const { return width_ + h_; }
  std::uint64_t linear_size() const { return 2 * width_ + h_; }
  std::uint64_t quadratic_size() const { return width_ + 2 * h_; }

 private:
  std::uint64_t TripleAt(std::uint64_t part, std::uint64_t triple) const {
    return (linear_rows_ + part * triple_rows_) * width_ + triple;
  }

  std::uint64_t width_;
  std::uint64_t h_;
  std::uint64_t num_pads_;
  std::uint64_t num_triples_;
  std::uint64_t linear_rows_;
  std::uint64_t triple_rows_;
};

struct MaskMessages {
  std::vector<Fp2> low_degree;  // u_z
  std::vector<Fp2> linear;      // q_d
  std::vector<Fp2> quadratic;   // q_q
};

}  // namespace flair::zk
