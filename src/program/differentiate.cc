// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation: walks the forward pass backwards and adds, for each node
// that a parameter reaches, what the chain rule says about its inputs.
#include <algorithm>

#include "program/graph.h"
#include "program/graph_maker.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

class Derivative {
 public:
  explicit Derivative(Graph& graph) : g_(graph), make_(graph), forward_(graph.nodes.size()) {}

  Status Run() {
    FindReached();
    parts_.resize(forward_);
    if (!reached_[g_.loss]) return OkStatus();
    make_.Describe("grad " + g_[g_.loss].name, -1, true);
    parts_[g_.loss].push_back(make_.Constant({1, 1}, g_[g_.loss].dims));
    for (NodeId id = g_.loss + 1; id-- > 0;) {
      if (parts_[id].empty()) continue;
      make_.Describe("grad " + g_[id].name, g_[id].source, true);
      NodeId total = parts_[id][0];
      for (std::size_t i = 1; i < parts_[id].size(); ++i) {
        total = make_.Add(total, parts_[id][i], {1, 1}, {1, 1});
      }
      // Making nodes moves them about: this one is copied.
      const GraphNode node = g_[id];
      auto done = Propagate(node, id, total);
      if (!done.ok()) return std::move(done).error().In("node '" + node.name + "'");
    }
    return OkStatus();
  }

 private:
  // Which nodes a parameter reaches.
  void FindReached() {
    reached_.resize(forward_);
    for (NodeId id = 0; id < forward_; ++id) {
      const GraphNode& node = g_[id];
      reached_[id] =
          node.op == Primitive::kParameter || std::any_of(node.inputs.begin(), node.inputs.end(),
                                                          [&](NodeId i) { return reached_[i]; });
    }
  }

  bool Wanted(NodeId id) const { return reached_[id]; }
  void Give(NodeId id, NodeId part) { parts_[id].push_back(part); }
  const Dims& DimsOf(NodeId id) const { return g_[id].dims; }

  Status GiveSummed(NodeId id, NodeId part) {
    FLAIR_TRY(const NodeId summed, make_.SumTo(part, DimsOf(id)));
    Give(id, summed);
    return OkStatus();
  }

  // A part that belongs to an inner step: named after the node that receives it.
  void About(NodeId id) { make_.Describe("grad " + g_[id].name, g_[id].source, true); }

  Status Propagate(const GraphNode& node, NodeId id, NodeId dy) {
    const std::vector<NodeId>& in = node.inputs;
    switch (node.op) {
      case Primitive::kParameter:
        g_.gradients[node.index] = dy;
        return OkStatus();
      case Primitive::kMatmul:
        return Matmul(node, dy);
      case Primitive::kConv:
        return Conv(node, dy);
      case Primitive::kAdd:
        for (std::size_t i = 0; i < 2; ++i) {
          if (!Wanted(in[i])) continue;
          FLAIR_TRY(const NodeId scaled, make_.Affine(dy, i == 0 ? node.alpha : node.beta, {0, 1}));
          About(in[i]);
          FLAIR_DO(GiveSummed(in[i], scaled));
        }
        return OkStatus();
      case Primitive::kMul:
        for (std::size_t i = 0; i < 2; ++i) {
          if (!Wanted(in[i])) continue;
          About(in[i]);
          FLAIR_DO(GiveSummed(in[i], make_.Mul(dy, in[1 - i])));
        }
        return OkStatus();
      case Primitive::kAffine: {
        FLAIR_TRY(const NodeId scaled, make_.Affine(dy, node.alpha, {0, 1}));
        Give(in[0], scaled);
        return OkStatus();
      }
      case Primitive::kSum: {
        Dims kept = DimsOf(in[0]);
        for (const std::size_t axis : node.axes) kept[axis] = 1;
        About(in[0]);
        Give(in[0], make_.Expand(make_.Reshape(dy, kept), DimsOf(in[0])));
        return OkStatus();
      }
      case Primitive::kRelu:
        return Mirror(node, Primitive::kReluGrad, {dy, in[0]});
      case Primitive::kMaxPool:
        return Mirror(node, Primitive::kMaxPoolGrad, {dy, in[0]});
      case Primitive::kAvgPool:
        return Mirror(node, Primitive::kAvgPoolGrad, {dy});
      case Primitive::kReshape:
        About(in[0]);
        Give(in[0], make_.Reshape(dy, DimsOf(in[0])));
        return OkStatus();
      case Primitive::kPermute:
        return Permute(node, dy);
      case Primitive::kSlice: {
        GraphNode back{.op = Primitive::kPlace, .inputs = {dy}, .dims = DimsOf(in[0])};
        back.axis = node.axis;
        back.begin = node.begin;
        About(in[0]);
        Give(in[0], make_.Make(std::move(back)));
        return OkStatus();
      }
      case Primitive::kConcat:
        return Concat(node, dy);
      case Primitive::kBatchNorm:
        return BatchNorm(node, id, dy);
      case Primitive::kCrossEntropy:
        return CrossEntropy(node, dy);
      case Primitive::kMse:
        return Mse(node, dy);
      case Primitive::kColumn:
      case Primitive::kLabel:
      case Primitive::kBuffer:
      case Primitive::kMask:
      case Primitive::kConstant:
      case Primitive::kInverseRoot:
      // What follows occurs in no forward pass.
      case Primitive::kConvDataGrad:
      case Primitive::kConvWeightGrad:
      case Primitive::kReluGrad:
      case Primitive::kMaxPoolGrad:
      case Primitive::kAvgPoolGrad:
      case Primitive::kPlace:
      case Primitive::kExpand:
      case Primitive::kBatchNormGrad:
      case Primitive::kBatchNormScaleGrad:
      case Primitive::kCrossEntropyGrad:
        break;
    }
    return OkStatus();
  }

  // An adjoint of the same geometry towards the only input.
  Status Mirror(const GraphNode& node, Primitive op, std::vector<NodeId> inputs) {
    About(node.inputs[0]);
    GraphNode back{.op = op, .inputs = std::move(inputs), .dims = DimsOf(node.inputs[0])};
    back.window = node.window;
    Give(node.inputs[0], make_.Make(std::move(back)));
    return OkStatus();
  }

  // z = a b: da = dz b', db = a' dz, and their transposes where a or b is transposed.
  Status Matmul(const GraphNode& node, NodeId dz) {
    const NodeId a = node.inputs[0], b = node.inputs[1];
    const bool ta = node.transpose_a, tb = node.transpose_b;
    if (Wanted(a)) {
      About(a);
      Give(a, ta ? make_.Matmul(b, tb, dz, true) : make_.Matmul(dz, false, b, !tb));
    }
    if (Wanted(b)) {
      About(b);
      Give(b, tb ? make_.Matmul(dz, true, a, ta) : make_.Matmul(a, !ta, dz, false));
    }
    return OkStatus();
  }

  Status Conv(const GraphNode& node, NodeId dz) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (!Wanted(node.inputs[i])) continue;
      GraphNode back{.op = i == 0 ? Primitive::kConvDataGrad : Primitive::kConvWeightGrad,
                     .inputs = {dz, node.inputs[1 - i]},
                     .dims = DimsOf(node.inputs[i])};
      back.window = node.window;
      back.groups = node.groups;
      About(node.inputs[i]);
      Give(node.inputs[i], make_.Make(std::move(back)));
    }
    return OkStatus();
  }

  Status Permute(const GraphNode& node, NodeId dy) {
    GraphNode back{.op = Primitive::kPermute, .inputs = {dy}, .dims = DimsOf(node.inputs[0])};
    back.axes.resize(node.axes.size());
    for (std::size_t i = 0; i < node.axes.size(); ++i) back.axes[node.axes[i]] = i;
    About(node.inputs[0]);
    Give(node.inputs[0], make_.Make(std::move(back)));
    return OkStatus();
  }

  Status Concat(const GraphNode& node, NodeId dy) {
    std::uint64_t begin = 0;
    for (const NodeId input : node.inputs) {
      const std::uint64_t extent = DimsOf(input)[node.axis];
      if (Wanted(input)) {
        GraphNode back{.op = Primitive::kSlice, .inputs = {dy}, .dims = DimsOf(input)};
        back.axis = node.axis;
        back.begin = begin;
        About(input);
        Give(input, make_.Make(std::move(back)));
      }
      begin += extent;
    }
    return OkStatus();
  }

  Status BatchNorm(const GraphNode& node, NodeId id, NodeId dy) {
    const NodeId x = node.inputs[0], gamma = node.inputs[1], beta = node.inputs[2];
    if (Wanted(x)) {
      About(x);
      Give(x, make_.Make({.op = Primitive::kBatchNormGrad, .inputs = {dy, id}, .dims = node.dims}));
    }
    if (Wanted(gamma)) {
      About(gamma);
      Give(gamma,
           make_.Make(
               {.op = Primitive::kBatchNormScaleGrad, .inputs = {dy, id}, .dims = DimsOf(gamma)}));
    }
    if (Wanted(beta)) {
      std::vector<std::size_t> axes;
      for (std::size_t i = 0; i < node.dims.size(); ++i) {
        if (i != 1) axes.push_back(i);
      }
      About(beta);
      FLAIR_TRY(const NodeId sum, make_.Sum(dy, std::move(axes)));
      Give(beta, sum);
    }
    return OkStatus();
  }

  // A loss passes its own factor on; nothing else makes sense of a scalar in integers.
  Result<Rational> FactorOf(NodeId dy) const {
    if (g_[dy].op != Primitive::kConstant) {
      return Error(ErrorCode::kInvalidArgument,
                   "a loss reaches the program's loss through add, affine and reduce only");
    }
    return g_[dy].alpha;
  }

  Status CrossEntropy(const GraphNode& node, NodeId dy) {
    const NodeId logits = node.inputs[0];
    if (!Wanted(logits)) return OkStatus();
    FLAIR_TRY(const Rational factor, FactorOf(dy));
    const auto per_row = Multiply(factor, {1, static_cast<std::int64_t>(DimsOf(logits)[0])});
    if (!per_row) return TooFine();
    About(logits);
    GraphNode back{
        .op = Primitive::kCrossEntropyGrad, .inputs = node.inputs, .dims = DimsOf(logits)};
    back.alpha = *per_row;
    Give(logits, make_.Make(std::move(back)));
    return OkStatus();
  }

  Status Mse(const GraphNode& node, NodeId dy) {
    FLAIR_TRY(const Rational factor, FactorOf(dy));
    const auto count = static_cast<std::int64_t>(NumElements(DimsOf(node.inputs[0])));
    const auto c = Multiply(factor, MakeRational(2, count).value_or(Rational{}));
    if (!c) return TooFine();
    for (std::size_t i = 0; i < 2; ++i) {
      if (!Wanted(node.inputs[i])) continue;
      About(node.inputs[i]);
      Give(node.inputs[i], make_.Add(node.inputs[i], node.inputs[1 - i], *c, Negate(*c)));
    }
    return OkStatus();
  }

  Graph& g_;
  GraphMaker make_;
  std::size_t forward_;  // nodes of the forward pass
  std::vector<bool> reached_;
  std::vector<std::vector<NodeId>> parts_;
};

}  // namespace

Status Differentiate(Graph& graph) { return Derivative(graph).Run(); }

}  // namespace flair::program
