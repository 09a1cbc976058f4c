// Contract: the sum of products that a term of a form is, over integers.
//
//   out[o...] += c * sum over the other axes of  a[...] b[...] ...
//
// Place: circuit, below run.h. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuit/circuit.h"

namespace flair::circuit {

using Ints = std::vector<std::int64_t>;

// Adds a term's cells to `out`, which has the axes `out_axes`. `factors`: one for each of the
// term's, row-major over the axes with which they are read.
// REQUIRES: sums that fit, as Rule Z has it.
void AddTerm(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes, const Term& term,
             const std::vector<std::span<const std::int64_t>>& factors,
             std::span<std::int64_t> out);

// The definition: loop in loop. AddTerm gives the same integers, products of matrices faster.
void AddTermByLoops(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes,
                    const Term& term, const std::vector<std::span<const std::int64_t>>& factors,
                    std::span<std::int64_t> out);

}  // namespace flair::circuit
