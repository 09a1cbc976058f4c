// The graph in double precision: what the integers approximate.
//
// Place: program, above graph.h. It serves tests (finite differences, slack of the
// integer program) and the calibration of numeric profiles. It is no definition: the
// integer program is (docs/spec/step.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "program/draws.h"
#include "program/graph.h"

namespace flair::program {

using Reals = std::vector<double>;

struct RealInputs {
  std::vector<Reals> columns;  // labels as whole numbers
  std::vector<Reals> parameters;
  std::vector<Reals> buffers;
  Seed seed;
  std::uint64_t step = 0;
};

// The elements of every node, row-major. Derivatives of running statistics are not taken.
// REQUIRES: inputs of the graph's sizes.
std::vector<Reals> Evaluate(const Graph& graph, const RealInputs& inputs);
// Of the first `num_nodes` nodes alone.
std::vector<Reals> EvaluateFirst(const Graph& graph, const RealInputs& inputs,
                                 std::size_t num_nodes);

// Of each channel, axis 1 of `dims`.
struct Moments {
  Reals mean, variance;
};
Moments MomentsOf(const Reals& x, const Dims& dims);

// The buffers behind the step: each running statistic moved, in the order of the nodes.
// REQUIRES: Evaluate(graph, inputs) gave `values`.
std::vector<Reals> UpdatedBuffers(const Graph& graph, const RealInputs& inputs,
                                  const std::vector<Reals>& values);

}  // namespace flair::program
