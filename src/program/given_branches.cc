// SPDX-License-Identifier: Apache-2.0
#include "program/given_branches.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "program/evaluate.h"

namespace flair::program {
namespace {

using circuit::Ints;

Reals RealsOf(const Ints& cells, int scale) {
  Reals reals(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    reals[i] = std::ldexp(static_cast<double>(cells[i]), -scale);
  }
  return reals;
}

// Which cell of each window is the first largest one, counted within the window.
Ints LargestOf(const GraphNode& pool, const Dims& dims, const Reals& x) {
  const Window& w = pool.window;
  Ints chosen;
  for (std::uint64_t plane = 0; plane < dims[0] * dims[1]; ++plane) {
    const std::uint64_t first = plane * dims[2] * dims[3];
    for (std::uint64_t i = 0; i < w.out[0]; ++i) {
      for (std::uint64_t j = 0; j < w.out[1]; ++j) {
        std::int64_t best = -1;
        double most = 0;
        for (std::uint64_t k = 0; k < w.kernel[0] * w.kernel[1]; ++k) {
          const std::int64_t row = w.Source(0, i, k / w.kernel[1]);
          const std::int64_t column = w.Source(1, j, k % w.kernel[1]);
          if (row < 0 || column < 0) continue;
          const double v = x[first + static_cast<std::uint64_t>(row) * dims[3] +
                             static_cast<std::uint64_t>(column)];
          if (best >= 0 && v <= most) continue;
          best = static_cast<std::int64_t>(k);
          most = v;
        }
        chosen.push_back(std::max<std::int64_t>(best, 0));  // a window of padding alone has none
      }
    }
  }
  return chosen;
}

}  // namespace

std::vector<Ints> GivenBranches(const Lowered& lowered, const circuit::StepInputs& inputs,
                                const Seed& seed, std::uint64_t step) {
  std::vector<Ints> given(lowered.circuit.values.size());
  if (lowered.ties.empty() && lowered.choices.empty()) return given;
  const Program& p = *lowered.program;
  RealInputs reals{.columns = {}, .parameters = {}, .buffers = {}, .seed = seed, .step = step};
  for (std::size_t i = 0; i < lowered.columns.size(); ++i) {
    const int scale = p.columns[i].is_label() ? 0 : p.columns[i].format.scale;
    reals.columns.push_back(lowered.columns[i] ? RealsOf(inputs.cells[*lowered.columns[i]], scale)
                                               : Reals{});
  }
  for (std::size_t i = 0; i < lowered.parameters.size(); ++i) {
    reals.parameters.push_back(
        RealsOf(inputs.cells[lowered.parameters[i]], 30 - p.parameters[i].scale));
  }
  const int statistics = p.profile[static_cast<std::size_t>(ProfileLine::kStatistics)].scale;
  for (const circuit::ValueId buffer : lowered.buffers) {
    reals.buffers.push_back(RealsOf(inputs.cells[buffer], statistics));
  }
  NodeId last = 0;
  for (const TiedSign& tie : lowered.ties) last = std::max(last, tie.node);
  for (const TiedChoice& choice : lowered.choices) last = std::max(last, choice.node);
  const std::vector<Reals> values = EvaluateFirst(*lowered.graph, reals, std::size_t{last} + 1);
  for (const TiedSign& tie : lowered.ties) {
    for (const double v : values[tie.node]) given[tie.positive].push_back(v > 0 ? 1 : 0);
  }
  for (const TiedChoice& choice : lowered.choices) {
    const GraphNode& pool = (*lowered.graph)[choice.node];
    given[choice.value] =
        LargestOf(pool, (*lowered.graph)[pool.inputs[0]].dims, values[pool.inputs[0]]);
    given[choice.selector] = given[choice.value];
  }
  return given;
}

}  // namespace flair::program
