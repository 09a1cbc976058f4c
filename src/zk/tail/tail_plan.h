// TailPlan: where the coefficients of all combined rows lie when they are committed, not sent.
//
// The row of a group is its cells, one piece of 2^kappa coefficients, and its pads, a piece for
// each binary digit of h. All pieces lie one behind the other, largest first: element o of the
// tail's vector is element o mod C of row o div C of a matrix over K (two rows over F each).
// docs/spec/tail.md.
//
// Place: zk/tail, over pcs; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/field/fp2.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

struct TailPiece {
  std::size_t group = 0;
  std::uint64_t begin = 0;  // the first of its 2^log_size coefficients
  unsigned log_size = 0;
  std::uint64_t offset = 0;  // a multiple of its size
};

struct TailPlan {
  std::vector<TailPiece> pieces;  // by offset
  std::uint64_t num_elements = 0;
  MatrixShape shape;  // num_rows over F; no pads, since nothing here needs to be hidden
  std::uint64_t num_queries = 0;

  std::uint64_t num_rows() const { return shape.num_rows / 2; }  // over K
  unsigned row_variables() const;
  unsigned num_variables() const { return shape.log_columns + row_variables(); }
  // Of the rows over F in the row that is shown. REQUIRES: as many coordinates as variables.
  std::vector<Fp2> RowWeights(std::span<const Fp2> point) const;
  // Of what a proof sends of it, its path not counted.
  std::uint64_t bytes() const;
};

// `groups`: a matrix of each. `num_queries`: for tests; else what `work_bits` leave.
// Errors: kInvalidArgument when no matrix holds the rows.
Result<TailPlan> PlanTail(std::span<const MatrixShape> groups, unsigned work_bits,
                          std::optional<std::uint64_t> num_queries);

// What a combined row of so many coefficients costs by itself: sent or committed, whichever is
// less.
std::uint64_t BytesOfRow(std::uint64_t row_length);

}  // namespace flair::zk
