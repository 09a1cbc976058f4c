// SPDX-License-Identifier: Apache-2.0
#include "program/graph.h"

#include <algorithm>

#include "program/graph_maker.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

// Replaces each node of a program by primitives that say the same.
class Expansion {
 public:
  Expansion(const Program& program, const std::vector<Dims>& shapes)
      : p_(program), shapes_(shapes), make_(graph_) {}

  Result<Graph> Run() {
    for (std::size_t i = 0; i < p_.columns.size(); ++i) {
      Leaf(p_.columns[i].is_label() ? Primitive::kLabel : Primitive::kColumn, i);
    }
    for (std::size_t i = 0; i < p_.parameters.size(); ++i) Leaf(Primitive::kParameter, i);
    for (std::size_t i = 0; i < p_.buffers.size(); ++i) Leaf(Primitive::kBuffer, i);
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      node_ = &p_.nodes[i];
      make_.Describe(node_->name, static_cast<std::int32_t>(i), false);
      FLAIR_TRY(const NodeId id, Expand());
      made_.push_back(id);
    }
    graph_.loss = made_[p_.loss];
    graph_.gradients.resize(p_.parameters.size());
    return std::move(graph_);
  }

 private:
  void Leaf(Primitive op, std::size_t index) {
    const auto id = static_cast<ValueId>(made_.size());
    make_.Describe(p_.NameOf(id), -1, false);
    made_.push_back(
        make_.Make({.op = op, .dims = shapes_[id], .index = static_cast<std::uint32_t>(index)}));
  }

  NodeId In(std::size_t i) const { return made_[node_->inputs[i]]; }
  const Dims& DimsOf(NodeId id) const { return graph_[id].dims; }
  const Dims& OutDims() const { return shapes_[made_.size()]; }
  const std::vector<std::int64_t>& List(std::string_view name) const {
    return AttributeOf(Operators(), node_->op, name).ints;
  }
  std::int64_t Integer(std::string_view name) const { return List(name).front(); }
  Rational Fraction(std::string_view name) const {
    return AttributeOf(Operators(), node_->op, name).rational();
  }

  void Part(std::string_view part) {
    const auto source = static_cast<std::int32_t>(made_.size() - p_.FirstNode());
    make_.Describe(node_->name + (part.empty() ? "" : "." + std::string(part)), source, false);
  }

  Result<NodeId> Expand() {
    switch (static_cast<OpCode>(node_->op.code)) {
      case OpCode::kLinear:
        return Linear();
      case OpCode::kMatmul:
        return make_.Matmul(In(0), Integer("transpose_a") != 0, In(1), Integer("transpose_b") != 0);
      case OpCode::kConv:
        return Conv();
      case OpCode::kAdd:
        return make_.Add(In(0), In(1), Fraction("alpha"), Fraction("beta"));
      case OpCode::kMul:
        return make_.Mul(In(0), In(1));
      case OpCode::kAffine:
        return make_.Affine(In(0), Fraction("scale"), Fraction("shift"));
      case OpCode::kRelu:
        return make_.Make({.op = Primitive::kRelu, .inputs = {In(0)}, .dims = OutDims()});
      case OpCode::kReduce:
        return Reduce();
      case OpCode::kMaxPool:
        return MaxPool();
      case OpCode::kAvgPool:
        return AvgPool();
      case OpCode::kReshape:
      case OpCode::kFlatten:
        return make_.Reshape(In(0), OutDims());
      case OpCode::kPermute:
        return Permute();
      case OpCode::kSlice:
        return make_.Make({.op = Primitive::kSlice,
                           .inputs = {In(0)},
                           .dims = OutDims(),
                           .axis = static_cast<std::size_t>(Integer("axis")),
                           .begin = static_cast<std::uint64_t>(Integer("begin"))});
      case OpCode::kConcat:
        return Concat();
      case OpCode::kBatchNorm:
        return BatchNorm();
      case OpCode::kDropout:
        return Dropout();
      case OpCode::kCrossEntropy:
        return make_.Make({.op = Primitive::kCrossEntropy, .inputs = {In(0), In(1)}});
      case OpCode::kMse:
        return make_.Make({.op = Primitive::kMse, .inputs = {In(0), In(1)}});
    }
    return Error(ErrorCode::kUnsupported, "operator code " + std::to_string(node_->op.code));
  }

  // A vector [C] as [C, 1, ..., 1], so that it broadcasts over axis 1 of `rank` axes.
  NodeId Channelwise(NodeId vector, std::size_t rank) {
    Dims dims(rank - 1, 1);
    dims[0] = DimsOf(vector)[0];
    return make_.Reshape(vector, std::move(dims));
  }

  Result<NodeId> Linear() {
    const Dims& x = DimsOf(In(0));
    const std::uint64_t features = x.back();
    const bool biased = node_->inputs.size() == 3;
    if (biased) Part("product");
    const NodeId flat = make_.Reshape(In(0), {NumElements(x) / features, features});
    NodeId z = make_.Matmul(flat, false, In(1), true);
    z = make_.Reshape(z, OutDims());
    if (!biased) return z;
    Part("");
    return make_.Add(z, In(2), {1, 1}, {1, 1});
  }

  Result<NodeId> Conv() {
    const bool biased = node_->inputs.size() == 3;
    if (biased) Part("product");
    FLAIR_TRY(const Window window, MakeWindow(DimsOf(In(0)), DimsOf(In(1)), List("stride"),
                                              List("pad"), List("dilation")));
    const NodeId z = make_.Make({.op = Primitive::kConv,
                                 .inputs = {In(0), In(1)},
                                 .dims = OutDims(),
                                 .window = window,
                                 .groups = static_cast<std::uint64_t>(Integer("groups"))});
    if (!biased) return z;
    Part("");
    return make_.Add(z, Channelwise(In(2), 4), {1, 1}, {1, 1});
  }

  Result<NodeId> Reduce() {
    std::vector<std::size_t> axes;
    std::int64_t count = 1;
    for (const std::int64_t axis : List("axes")) {
      axes.push_back(static_cast<std::size_t>(axis));
      count *= static_cast<std::int64_t>(DimsOf(In(0))[axes.back()]);
    }
    const bool mean = Integer("by") != 0;
    if (mean) Part("sum");
    FLAIR_TRY(const NodeId sum, make_.Sum(In(0), std::move(axes)));
    if (!mean) return sum;
    Part("");
    return make_.Affine(sum, {1, count}, {0, 1});
  }

  Result<Window> PoolWindow(const std::vector<std::int64_t>& pad) const {
    const std::vector<std::int64_t>& size = List("window");
    return MakeWindow(
        DimsOf(In(0)),
        {1, 1, static_cast<std::uint64_t>(size[0]), static_cast<std::uint64_t>(size[1])},
        List("stride"), pad, {1, 1});
  }

  Result<NodeId> MaxPool() {
    FLAIR_TRY(const Window window, PoolWindow(List("pad")));
    return make_.Make(
        {.op = Primitive::kMaxPool, .inputs = {In(0)}, .dims = OutDims(), .window = window});
  }

  Result<NodeId> AvgPool() {
    FLAIR_TRY(const Window window, PoolWindow({0, 0, 0, 0}));
    Part("sum");
    const NodeId sum = make_.Make(
        {.op = Primitive::kAvgPool, .inputs = {In(0)}, .dims = OutDims(), .window = window});
    Part("");
    const auto count = static_cast<std::int64_t>(window.kernel[0] * window.kernel[1]);
    return make_.Affine(sum, {1, count}, {0, 1});
  }

  Result<NodeId> Permute() {
    GraphNode node{.op = Primitive::kPermute, .inputs = {In(0)}, .dims = OutDims()};
    for (const std::int64_t axis : List("axes"))
      node.axes.push_back(static_cast<std::size_t>(axis));
    return make_.Make(std::move(node));
  }

  Result<NodeId> Concat() {
    GraphNode node{.op = Primitive::kConcat,
                   .dims = OutDims(),
                   .axis = static_cast<std::size_t>(Integer("axis"))};
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) node.inputs.push_back(In(i));
    return make_.Make(std::move(node));
  }

  Result<NodeId> BatchNorm() {
    const NodeId x = In(0), gamma = In(1), beta = In(2);
    const std::size_t rank = DimsOf(x).size();
    if (Integer("mode") != 0) {  // eval: frozen statistics
      Part("root");
      const NodeId root = make_.Make({.op = Primitive::kInverseRoot,
                                      .inputs = {In(4)},
                                      .dims = DimsOf(In(4)),
                                      .alpha = Fraction("eps")});
      Part("centred");
      const NodeId centred = make_.Add(x, Channelwise(In(3), rank), {1, 1}, {-1, 1});
      Part("factor");
      const NodeId factor = make_.Mul(root, gamma);
      Part("product");
      const NodeId scaled = make_.Mul(centred, Channelwise(factor, rank));
      Part("");
      return make_.Add(scaled, Channelwise(beta, rank), {1, 1}, {1, 1});
    }
    const NodeId out = make_.Make({.op = Primitive::kBatchNorm,
                                   .inputs = {x, gamma, beta},
                                   .dims = OutDims(),
                                   .alpha = Fraction("eps")});
    const auto n = static_cast<std::int64_t>(NumElements(DimsOf(x)) / DimsOf(x)[1]);
    const Rational factor = Integer("running_variance") == 0
                                ? MakeRational(n, n - 1).value_or(Rational{1, 1})
                                : Rational{1, 1};
    for (std::size_t i = 3; i < 5; ++i) {
      graph_.running.push_back({.buffer = node_->inputs[i] - p_.FirstBuffer(),
                                .node = out,
                                .statistic = i == 3 ? RunningUpdate::Statistic::kMean
                                                    : RunningUpdate::Statistic::kVariance,
                                .momentum = Fraction("momentum"),
                                .factor = i == 3 ? Rational{1, 1} : factor});
    }
    return out;
  }

  Result<NodeId> Dropout() {
    const Rational p = Fraction("p");
    Part("mask");
    const NodeId mask =
        make_.Make({.op = Primitive::kMask, .dims = OutDims(), .index = draws_++, .alpha = p});
    Part("kept");
    const NodeId kept = make_.Mul(In(0), mask);
    Part("");
    return make_.Affine(kept, {p.den, p.den - p.num}, {0, 1});
  }

  const Program& p_;
  const std::vector<Dims>& shapes_;
  Graph graph_;
  GraphMaker make_;
  const Node* node_ = nullptr;
  std::vector<NodeId> made_;  // by ValueId
  std::uint32_t draws_ = 0;
};

}  // namespace

Result<Graph> BuildGraph(const Program& program, const std::vector<Dims>& shapes) {
  FLAIR_TRY(Graph graph, Expansion(program, shapes).Run());
  FLAIR_DO(Differentiate(graph));
  return graph;
}

}  // namespace flair::program
