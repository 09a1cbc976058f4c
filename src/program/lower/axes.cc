// SPDX-License-Identifier: Apache-2.0
#include "program/lower/axes.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "program/shapes.h"

namespace flair::program {
namespace {

// A cut of a dim: the product of the axes below it.
using Cuts = std::set<std::uint64_t>;

class Cutter {
 public:
  explicit Cutter(const Graph& graph) : g_(graph), cuts_(graph.nodes.size()) {
    for (NodeId id = 0; id < g_.nodes.size(); ++id) cuts_[id].resize(g_[id].dims.size());
  }

  Result<Atoms> Run() {
    while (changed_) {
      changed_ = false;
      for (NodeId id = 0; id < g_.nodes.size(); ++id) Relate(id);
      RelateState();
      if (error_) return *std::move(error_);
    }
    for (NodeId id = 0; id < g_.nodes.size(); ++id) CheckWhole(id);
    if (error_) return *std::move(error_);
    Atoms atoms(g_.nodes.size());
    for (NodeId id = 0; id < g_.nodes.size(); ++id) {
      for (std::size_t dim = 0; dim < cuts_[id].size(); ++dim) {
        atoms[id].push_back(AtomsOf(g_[id].dims[dim], cuts_[id][dim]));
      }
    }
    return atoms;
  }

 private:
  void Fail(NodeId id, std::string why) {
    if (error_) return;
    error_ = Error(ErrorCode::kUnsupported, "node '" + g_[id].name + "': " + std::move(why));
  }

  static Dims AtomsOf(std::uint64_t dim, const Cuts& cuts) {
    Dims sizes;
    std::uint64_t below = 1;
    for (const std::uint64_t cut : cuts) {
      sizes.push_back(cut / below);
      below = cut;
    }
    if (dim != below) sizes.push_back(dim / below);
    std::reverse(sizes.begin(), sizes.end());
    return sizes;
  }

  void AddCut(NodeId id, std::size_t dim, std::uint64_t cut) {
    const std::uint64_t size = g_[id].dims[dim];
    if (cut <= 1 || cut >= size || !cuts_[id][dim].insert(cut).second) return;
    changed_ = true;
    std::uint64_t below = 1;
    for (const std::uint64_t c : cuts_[id][dim]) {
      if (c % below != 0) return NoFactors(id);
      below = c;
    }
    if (size % below != 0) NoFactors(id);
  }
  void NoFactors(NodeId id) {
    Fail(id, ToText(g_[id].dims) + " and what it is reshaped to have no common factors");
  }

  void Same(NodeId a, std::size_t dim_a, NodeId b, std::size_t dim_b) {
    if (g_[a].dims[dim_a] != g_[b].dims[dim_b]) return;  // broadcast
    const Cuts left = cuts_[a][dim_a];
    for (const std::uint64_t cut : left) AddCut(b, dim_b, cut);
    const Cuts right = cuts_[b][dim_b];
    for (const std::uint64_t cut : right) AddCut(a, dim_a, cut);
  }
  // Aligned at the last dim, as broadcasting is.
  void Same(NodeId a, NodeId b) {
    const std::size_t ra = g_[a].dims.size(), rb = g_[b].dims.size();
    for (std::size_t i = 1; i <= std::min(ra, rb); ++i) Same(a, ra - i, b, rb - i);
  }

  // All cuts of a tensor, and its dims' bounds, as products of what is below them.
  Cuts WholeCuts(NodeId id) const {
    Cuts all;
    std::uint64_t below = 1;
    for (std::size_t dim = g_[id].dims.size(); dim-- > 0;) {
      for (const std::uint64_t cut : cuts_[id][dim]) all.insert(below * cut);
      below *= g_[id].dims[dim];
      all.insert(below);
    }
    return all;
  }
  void TakeCuts(NodeId id, const Cuts& all) {
    std::uint64_t below = 1;
    for (std::size_t dim = g_[id].dims.size(); dim-- > 0;) {
      const std::uint64_t above = below * g_[id].dims[dim];
      for (const std::uint64_t cut : all) {
        if (cut <= below || cut >= above) continue;
        if (cut % below != 0) return NoFactors(id);
        AddCut(id, dim, cut / below);
      }
      below = above;
    }
  }

  void Relate(NodeId id) {
    const GraphNode& node = g_[id];
    const std::vector<NodeId>& in = node.inputs;
    switch (node.op) {
      case Primitive::kColumn:
      case Primitive::kLabel:
      case Primitive::kParameter:
      case Primitive::kBuffer:
      case Primitive::kMask:
      case Primitive::kConstant:
      case Primitive::kCrossEntropy:
      case Primitive::kMse:
        return;
      case Primitive::kMatmul:
        return Matmul(id, node);
      case Primitive::kConv:
        return Conv(id, in[0], in[1]);
      case Primitive::kConvDataGrad:
        return Conv(in[0], id, in[1]);
      case Primitive::kConvWeightGrad:
        return Conv(in[0], in[1], id);
      case Primitive::kSum:
        for (std::size_t dim = 0, out = 0; dim < g_[in[0]].dims.size(); ++dim) {
          const bool summed = std::find(node.axes.begin(), node.axes.end(), dim) != node.axes.end();
          if (!summed) Same(in[0], dim, id, out++);
        }
        return;
      case Primitive::kReshape: {
        Cuts all = WholeCuts(in[0]);
        all.merge(WholeCuts(id));
        TakeCuts(in[0], all);
        return TakeCuts(id, all);
      }
      case Primitive::kPermute:
        for (std::size_t i = 0; i < node.axes.size(); ++i) Same(in[0], node.axes[i], id, i);
        return;
      case Primitive::kMaxPool:
      case Primitive::kMaxPoolGrad:
      case Primitive::kAvgPool:
      case Primitive::kAvgPoolGrad:
        for (const NodeId input : in) {
          Same(input, 0, id, 0);
          Same(input, 1, id, 1);
        }
        return;
      case Primitive::kSlice:
      case Primitive::kPlace:
      case Primitive::kConcat:
        for (const NodeId input : in) {
          for (std::size_t dim = 0; dim < node.dims.size(); ++dim) {
            if (dim != node.axis) Same(input, dim, id, dim);
          }
        }
        return;
      case Primitive::kBatchNorm:
        Same(in[0], id);
        Same(in[1], 0, id, 1);
        return Same(in[2], 0, id, 1);
      case Primitive::kBatchNormGrad:
        Same(in[0], id);
        return Same(in[1], id);
      case Primitive::kBatchNormScaleGrad:
        Same(in[0], in[1]);
        return Same(id, 0, in[0], 1);
      case Primitive::kCrossEntropyGrad:
        return Same(in[0], id);
      case Primitive::kAdd:
      case Primitive::kMul:
      case Primitive::kAffine:
      case Primitive::kRelu:
      case Primitive::kReluGrad:
      case Primitive::kExpand:
      case Primitive::kInverseRoot:
        for (const NodeId input : in) Same(input, id);
        return;
    }
  }

  // Parameters and their gradients, buffers and the norms that move them.
  void RelateState() {
    for (NodeId id = 0; id < g_.nodes.size(); ++id) {
      if (g_[id].op == Primitive::kBuffer) {
        for (const RunningUpdate& update : g_.running) {
          if (update.buffer == g_[id].index) Same(id, 0, update.node, 1);
        }
      }
      if (g_[id].op != Primitive::kParameter) continue;
      if (const auto gradient = g_.gradients[g_[id].index]) Same(id, *gradient);
    }
  }

  void Matmul(NodeId id, const GraphNode& node) {
    const NodeId a = node.inputs[0], b = node.inputs[1];
    const std::size_t rank = node.dims.size();
    for (std::size_t dim = 0; dim + 2 < rank; ++dim) {
      Same(a, dim, id, dim);
      Same(b, dim, id, dim);
    }
    Same(a, rank - (node.transpose_a ? 1 : 2), id, rank - 2);
    Same(b, rank - (node.transpose_b ? 2 : 1), id, rank - 1);
    Same(a, rank - (node.transpose_a ? 2 : 1), b, rank - (node.transpose_b ? 1 : 2));
  }

  // z[N, O, ..], x[N, C, ..], w[O, C/g, ..]: channels are cut into groups and what is within one.
  void Conv(NodeId z, NodeId x, NodeId w) {
    Same(x, 0, z, 0);
    Same(w, 0, z, 1);
    const std::uint64_t within = g_[w].dims[1];
    if (within == g_[x].dims[1]) return Same(w, 1, x, 1);
    const std::uint64_t groups = g_[x].dims[1] / within;
    AddCut(x, 1, within);
    AddCut(z, 1, g_[z].dims[1] / groups);
    const Cuts inner = cuts_[w][1];
    for (const std::uint64_t cut : inner) AddCut(x, 1, cut);
    const Cuts outer = cuts_[x][1];
    for (const std::uint64_t cut : outer) {
      if (cut < within) AddCut(w, 1, cut);
      // A cut among the groups is one among the groups of the other tensor.
      if (cut > within && cut % within == 0) {
        AddCut(z, 1, cut / within * (g_[z].dims[1] / groups));
      }
    }
    const std::uint64_t per_group = g_[z].dims[1] / groups;
    const Cuts of_z = cuts_[z][1];
    for (const std::uint64_t cut : of_z) {
      if (cut > per_group && cut % per_group == 0) AddCut(x, 1, cut / per_group * within);
    }
  }

  void Whole(NodeId id, std::size_t dim, const char* what) {
    if (!cuts_[id][dim].empty()) {
      Fail(id, ToText(g_[id].dims) + " would be cut along " + what);
    }
  }
  void CheckWhole(NodeId id) {
    const GraphNode& node = g_[id];
    switch (node.op) {
      case Primitive::kColumn:
      case Primitive::kLabel:
        return Whole(id, 0, "the batch");
      case Primitive::kConv:
      case Primitive::kConvDataGrad:
      case Primitive::kConvWeightGrad:
      case Primitive::kMaxPool:
      case Primitive::kMaxPoolGrad:
      case Primitive::kAvgPool:
      case Primitive::kAvgPoolGrad:
        for (std::size_t dim = 2; dim < 4; ++dim) {
          Whole(id, dim, "a window");
          for (const NodeId input : node.inputs) Whole(input, dim, "a window");
        }
        return;
      case Primitive::kSlice:
      case Primitive::kPlace:
      case Primitive::kConcat:
        Whole(id, node.axis, "a slice");
        for (const NodeId input : node.inputs) Whole(input, node.axis, "a slice");
        return;
      default:
        return;
    }
  }

  const Graph& g_;
  std::vector<std::vector<Cuts>> cuts_;
  bool changed_ = true;
  std::optional<Error> error_;
};

}  // namespace

Result<Atoms> CutIntoAxes(const Graph& graph) { return Cutter(graph).Run(); }

}  // namespace flair::program
