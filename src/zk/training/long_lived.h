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
#include <span>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"
#include "zk/pcs/shape.h"
#include "zk/relation/layout.h"

namespace flair::zk {

struct LongLivedTensor {
  circuit::ValueId number = 0;  // whose values it holds; of data, the column's place instead
  TensorBlocks blocks;          // axes of the number; of data the records first, cells innermost
  // Of data.
  std::uint64_t packed = 1;  // values in a cell
  unsigned value_bits = 0;   // of each
};

struct LongLived {
  std::vector<LongLivedTensor> tensors;
  std::uint64_t num_cells = 0;
};

// A column of a data set, as its card has it.
struct DataColumn {
  std::vector<std::uint64_t> dims;  // of a record
  unsigned bits = 1;                // of a value, 30 at most
  std::int64_t bias = 0;            // values are >= -bias

  bool operator==(const DataColumn&) const = default;
};

// Carried numbers of a role. Errors: kInvalidArgument for more than 2^32 cells.
Result<LongLived> CarriedLayout(const circuit::Circuit& circuit, circuit::Carried::Role role);
// The tensors of the columns, in order. It follows from the card alone.
Result<LongLived> DataLayout(std::span<const DataColumn> columns, std::uint64_t num_records);
// Does every data number of the circuit read a column of its own dims, bits and bias?
// Errors: kInvalidArgument names the number.
Status CheckColumns(const circuit::Circuit& circuit, std::span<const DataColumn> columns);
// The columns of a circuit whose data numbers read one each.
std::vector<DataColumn> ColumnsOf(const circuit::Circuit& circuit);

// The shape of a matrix of so many cells for `openings` proofs: the rate is a quarter, and the
// width makes an opening smallest.
// Errors: kInvalidArgument when no shape holds them.
Result<MatrixShape> LongLivedShape(std::uint64_t num_cells, MatrixKind kind,
                                   std::uint64_t openings);
// That of a witness, opened once, at rate one half: by its opening and by its cells.
Result<MatrixShape> WitnessShape(std::uint64_t num_cells);

}  // namespace flair::zk
