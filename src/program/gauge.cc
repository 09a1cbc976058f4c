// docs/spec/step.md, "Gauge tensors", has the pattern and why each of its conditions stands there.
// SPDX-License-Identifier: Apache-2.0
#include "program/gauge.h"

#include <optional>

#include "program/lower/optimiser.h"

namespace flair::program {
namespace {

class Pattern {
 public:
  explicit Pattern(const Graph& graph) : g_(graph), readers_(graph.nodes.size()) {
    for (NodeId id = 0; id < g_.nodes.size(); ++id) {
      for (const NodeId input : g_[id].inputs) {
        Readers& r = readers_[input];
        ++r.count;
        r.one = id;
      }
    }
  }

  // The norm that takes `parameter` away again, if it is a gauge tensor.
  std::optional<NodeId> NormAbove(NodeId parameter) const {
    NodeId bias = parameter;
    std::optional<NodeId> reader = OnlyReaderOf(bias);
    if (reader && g_[*reader].op == Primitive::kReshape) {
      bias = *reader;
      reader = OnlyReaderOf(bias);
    }
    if (!reader || !AddsPerChannel(*reader, bias)) return std::nullopt;
    const NodeId sum = *reader;
    reader = OnlyReaderOf(sum);
    if (!reader) return std::nullopt;
    // Only a norm that takes its statistics from the batch moves buffers; its vectors have one dim,
    // the sum has two or more: it is what is normalised. For the same reason neither the sum nor
    // the bias is the loss.
    return MomentumOf(*reader) ? reader : std::nullopt;
  }

  // SOUNDNESS: a mean that never moves, or that a step reads, would give what a bias gathers to
  // inference or to the other tensors. Test: the same.
  std::optional<Rational> MomentumOf(NodeId norm) const {
    std::optional<Rational> momentum;
    for (const RunningUpdate& update : g_.running) {
      if (update.node != norm) continue;
      if (update.momentum.num == 0 || IsRead(update.buffer)) return std::nullopt;
      momentum = update.momentum;
    }
    return momentum;
  }

 private:
  struct Readers {
    std::size_t count = 0;
    NodeId one = 0;
  };

  // SOUNDNESS: with a second reader, in the derivative too, the gradient is that one's. Test:
  // GaugeTest.NearMissesAreOrdinaryTensors.
  std::optional<NodeId> OnlyReaderOf(NodeId id) const {
    if (readers_[id].count != 1) return std::nullopt;
    return readers_[id].one;
  }

  // Is it a sum to which `bias` adds one number for each index of dim 1, and only there?
  // SOUNDNESS: what varies along an axis that the norm averages is not taken away. Test: the same.
  bool AddsPerChannel(NodeId id, NodeId bias) const {
    const GraphNode& sum = g_[id];
    if (sum.op != Primitive::kAdd) return false;
    const Rational& factor = sum.inputs[0] == bias ? sum.alpha : sum.beta;
    if (factor != Rational{1, 1}) return false;
    const Dims& own = g_[bias].dims;
    const std::size_t rank = sum.dims.size();
    if (rank < 2 || own.size() + 1 < rank) return false;  // it reaches dim 1
    for (std::size_t i = 0; i < own.size(); ++i) {
      const std::size_t dim = rank - own.size() + i;
      if (own[i] != (dim == 1 ? sum.dims[1] : 1)) return false;
    }
    return true;
  }

  bool IsRead(std::uint32_t buffer) const {
    for (NodeId id = 0; id < g_.nodes.size(); ++id) {
      const GraphNode& node = g_[id];
      if (node.op == Primitive::kBuffer && node.index == buffer) return readers_[id].count > 0;
    }
    return false;
  }

  const Graph& g_;
  std::vector<Readers> readers_;
};

}  // namespace

bool HasGaugeBudget(const Program& program) {
  return CodeOfOptimiser(program) != OptimiserCode::kSgd;
}

std::vector<GaugeTensor> GaugeTensorsOf(const Graph& graph) {
  const Pattern pattern(graph);
  std::vector<GaugeTensor> found;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const GraphNode& node = graph[id];
    if (node.op != Primitive::kParameter || !graph.gradients[node.index]) continue;
    if (const auto norm = pattern.NormAbove(id)) {
      found.push_back(
          {.parameter = node.index, .momentum = *pattern.MomentumOf(*norm), .norm = *norm});
    }
  }
  return found;
}

}  // namespace flair::program
