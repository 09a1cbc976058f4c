// Lookup tables, and the cells that must be rows of them.
//
// A class is one table: all segments of its number. Rows are tuples (v, c1, c2), known to both
// sides; how often each occurs is a cell of the witness. docs/spec/lookup.md.
//
// Place: zk/lookup, over field; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "zk/field/fp2.h"

namespace flair::zk {

// A companion of v in the rows of a segment: one value for all of them, or a list.
struct TableColumn {
  std::int32_t constant = 0;
  std::vector<std::int32_t> values;  // empty, or one for each row

  std::int32_t at(std::uint64_t row) const { return values.empty() ? constant : values[row]; }
};

// 2^log_rows rows, v = first, first + 1, ...
struct TableSegment {
  std::uint32_t class_number = 0;
  unsigned log_rows = 0;
  std::int32_t first = 0;
  TableColumn c1;
  TableColumn c2;
  std::uint64_t multiplicities = 0;  // the witness cell of the first row's; rows follow
};

// 2^log_size lookups: v, and the companions where the class has them, from these cells on.
struct LookupBlock {
  std::uint32_t class_number = 0;
  unsigned log_size = 0;
  std::uint64_t v = 0;
  std::optional<std::uint64_t> c1;
  std::optional<std::uint64_t> c2;
};

// A column's multilinear extension. REQUIRES: |r| = the segment's log_rows.
Fp2 EvaluateColumn(const TableColumn& column, std::span<const Fp2> r);
// That of v: first + sum 2^i r_i.
Fp2 EvaluateFirst(const TableSegment& segment, std::span<const Fp2> r);

}  // namespace flair::zk
