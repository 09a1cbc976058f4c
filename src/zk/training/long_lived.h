// LongLived: how data, weights and state lie in the matrices that outlive proofs.
//
// Weights and state: one cell for each value, signed. Data: a tensor of records for each column,
// whose innermost axis packs neighbours into one cell, 4 values of 15 bits or fewer or 2 of 30,
// biased so that they are not negative: cell = sum_j 2^(15 j) (v_j + bias).
// Tensors are blocks as in relation/layout.h. docs/spec/training.md.
//
// Place: zk/training, over relation; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"
#include "zk/pcs/shape.h"
#include "zk/relation/layout.h"

namespace flair::zk {

struct LongLivedTensor {
  circuit::ValueId number = 0;  // whose values it holds
  TensorBlocks blocks;          // axes of the number; of data the records first, cells innermost
  // Of data.
  std::uint64_t packed = 1;  // values in a cell
  unsigned value_bits = 0;   // of each
};

struct LongLived {
  std::vector<LongLivedTensor> tensors;
  std::uint64_t num_cells = 0;

  const LongLivedTensor* Find(circuit::ValueId number) const;
};

// Carried numbers of a role. Errors: kInvalidArgument for more than 2^32 cells.
Result<LongLived> CarriedLayout(const circuit::Circuit& circuit, circuit::Carried::Role role);
// The columns that a circuit's data numbers read, each once.
Result<LongLived> DataLayout(const circuit::Circuit& circuit, std::uint64_t num_records);

// The shape of a matrix of so many cells for `openings` proofs: the rate is a quarter, and the
// width makes an opening smallest.
// Errors: kInvalidArgument when no shape holds them.
Result<MatrixShape> LongLivedShape(std::uint64_t num_cells, MatrixKind kind,
                                   std::uint64_t openings);
// That of a witness, opened once, at rate one half.
Result<MatrixShape> WitnessShape(std::uint64_t num_cells);

}  // namespace flair::zk
