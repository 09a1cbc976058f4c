// Gauge tensors: biases that a norm takes away again, so that nothing a program says depends on
// them but a running mean.
//
// Their gradient is 0 for every input. What a framework computes there is the noise of its own
// rounding, and the exact step has its own: Adam makes steps of a whole learning rate of either.
// So recorded steps bound them otherwise (docs/spec/step.md, "Slack"), and which tensors they are
// follows from the graph alone: nobody lists them.
//
// Place: program, above graph.h. Thread safety: functions of their arguments.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "program/graph.h"

namespace flair::program {

struct GaugeTensor {
  std::uint32_t parameter = 0;
  Rational momentum;  // of the norm's running mean, positive
  NodeId norm = 0;    // that takes it away
};

// Does a recorded step bound them by its learning rate? Adam's family does; under sgd they stay
// among the other tensors.
bool HasGaugeBudget(const Program& program);

// Those of a graph with its derivative, by parameter.
std::vector<GaugeTensor> GaugeTensorsOf(const Graph& graph);

}  // namespace flair::program
