// How dims are cut into axes of a circuit.
//
//   [N, 16, 5, 5] -> reshape -> [N, 400]     400 is three axes: 16, 5, 5
//
// Reshaping is then nothing at all: the axes are grouped otherwise. What a reshaped tensor meets
// (a weight, a sum) is cut in the same way.
//
// Place: program/lower, above graph.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "program/graph.h"

namespace flair::program {

// Sizes of the axes of each dim of each node, outermost first; none for a dim of size 1.
using Atoms = std::vector<std::vector<Dims>>;

// Errors: kUnsupported, naming the node, for dims with no common factors ([2, 3] to [3, 2]), and
// for a cut of the batch or of what a window slides along.
Result<Atoms> CutIntoAxes(const Graph& graph);

}  // namespace flair::program
