// Nest: a term as loops, the form in which contract.cc computes it.
//
//   out[start_0 + sum_l steps_0[l] x_l] += c * prod_f factor_f[start_f + sum_l steps_f[l] x_l]
//
// for all 0 <= x_l < size_l that keep to every bound. An axis is a loop; the axis `in` of a
// window is none, it follows from two others.
//
// Place: circuit, below contract.h. Thread safety: plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "circuit/circuit.h"

namespace flair::circuit {

using Index = std::int64_t;

struct Loop {
  AxisId axis = 0;
  Index size = 0;
  bool meets = false;  // different counters may lead to one cell of the result
};

// Index of a tensor as a linear function of the loops' counters.
struct Walk {
  Index start = 0;
  std::vector<Index> steps;  // by loop
};

// What a window asks of two loops: 0 <= stride out + dilation kernel + offset < size.
struct Bound {
  std::size_t out_loop = 0;
  std::size_t kernel_loop = 0;
  Index stride = 1;
  Index dilation = 1;
  Index offset = 0;
  Index size = 0;

  Index Step(std::size_t loop) const {
    return (loop == out_loop ? stride : 0) + (loop == kernel_loop ? dilation : 0);
  }
};

struct Nest {
  std::vector<Loop> loops;
  std::vector<Walk> walks;  // of the result, then of the factors
  std::vector<Bound> bounds;
  Index coefficient = 1;

  bool IsBounded(std::size_t loop) const;
};

// Loops that are one walk in all tensors are one loop.
Nest NestOf(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes, const Term& term);

}  // namespace flair::circuit
