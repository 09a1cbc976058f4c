// SPDX-License-Identifier: Apache-2.0
#include "program/graph_maker.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "program/shapes.h"

namespace flair::program {

Error TooFine() {
  return Error(ErrorCode::kInvalidArgument, "a constant factor has terms of more than 62 bits");
}

NodeId GraphMaker::Make(GraphNode node) {
  node.name = name_;
  node.source = source_;
  node.is_gradient = is_gradient_;
  graph_.nodes.push_back(std::move(node));
  return static_cast<NodeId>(graph_.nodes.size() - 1);
}

NodeId GraphMaker::Constant(Rational value, Dims dims) {
  return Make({.op = Primitive::kConstant, .dims = std::move(dims), .alpha = value});
}

NodeId GraphMaker::Matmul(NodeId a, bool transpose_a, NodeId b, bool transpose_b) {
  const Dims &da = graph_[a].dims, &db = graph_[b].dims;
  Dims dims = da;
  const std::size_t rank = dims.size();
  dims[rank - 2] = da[rank - (transpose_a ? 1 : 2)];
  dims[rank - 1] = db[rank - (transpose_b ? 2 : 1)];
  return Make({.op = Primitive::kMatmul,
               .inputs = {a, b},
               .dims = std::move(dims),
               .transpose_a = transpose_a,
               .transpose_b = transpose_b});
}

NodeId GraphMaker::Add(NodeId a, NodeId b, Rational alpha, Rational beta) {
  const auto dims = Broadcast(graph_[a].dims, graph_[b].dims);
  FLAIR_CHECK(dims.has_value());
  if (graph_[a].op == Primitive::kConstant && graph_[b].op == Primitive::kConstant) {
    const auto left = Multiply(graph_[a].alpha, alpha), right = Multiply(graph_[b].alpha, beta);
    const auto sum = left && right ? program::Add(*left, *right) : std::nullopt;
    if (sum) return Constant(*sum, *dims);
  }
  return Make(
      {.op = Primitive::kAdd, .inputs = {a, b}, .dims = *dims, .alpha = alpha, .beta = beta});
}

NodeId GraphMaker::Mul(NodeId a, NodeId b) {
  const auto dims = Broadcast(graph_[a].dims, graph_[b].dims);
  FLAIR_CHECK(dims.has_value());
  if (graph_[a].op == Primitive::kConstant) std::swap(a, b);
  // A mask is a public, and a factor of products alone.
  if (graph_[b].op == Primitive::kConstant && graph_[a].dims == *dims &&
      graph_[a].op != Primitive::kMask) {
    const auto scaled = Affine(a, graph_[b].alpha, {0, 1});
    if (scaled.ok()) return *scaled;
  }
  return Make({.op = Primitive::kMul, .inputs = {a, b}, .dims = *dims});
}

Result<NodeId> GraphMaker::Affine(NodeId x, Rational alpha, Rational beta) {
  const GraphNode& node = graph_[x];
  if (alpha == Rational{1, 1} && beta == Rational{0, 1}) return x;
  if (node.op == Primitive::kConstant) {
    const auto product = Multiply(node.alpha, alpha);
    const auto value = product ? program::Add(*product, beta) : std::nullopt;
    if (!value) return TooFine();
    return Constant(*value, node.dims);
  }
  return Make(
      {.op = Primitive::kAffine, .inputs = {x}, .dims = node.dims, .alpha = alpha, .beta = beta});
}

Result<NodeId> GraphMaker::Sum(NodeId x, std::vector<std::size_t> axes) {
  const GraphNode& node = graph_[x];
  if (axes.empty()) return x;
  Dims dims;
  std::uint64_t count = 1;
  for (std::size_t i = 0; i < node.dims.size(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) {
      dims.push_back(node.dims[i]);
    } else {
      count *= node.dims[i];
    }
  }
  if (node.op == Primitive::kConstant) {
    const auto value = Multiply(node.alpha, {static_cast<std::int64_t>(count), 1});
    if (!value) return TooFine();
    return Constant(*value, std::move(dims));
  }
  std::sort(axes.begin(), axes.end());
  return Make(
      {.op = Primitive::kSum, .inputs = {x}, .dims = std::move(dims), .axes = std::move(axes)});
}

NodeId GraphMaker::Reshape(NodeId x, Dims dims) {
  const GraphNode& node = graph_[x];
  if (node.dims == dims) return x;
  if (node.op == Primitive::kConstant) return Constant(node.alpha, std::move(dims));
  return Make({.op = Primitive::kReshape, .inputs = {x}, .dims = std::move(dims)});
}

NodeId GraphMaker::Expand(NodeId x, Dims dims) {
  const GraphNode& node = graph_[x];
  if (node.dims == dims) return x;
  if (node.op == Primitive::kConstant) return Constant(node.alpha, std::move(dims));
  return Make({.op = Primitive::kExpand, .inputs = {x}, .dims = std::move(dims)});
}

Result<NodeId> GraphMaker::SumTo(NodeId x, Dims dims) {
  const Dims from = graph_[x].dims;
  const std::size_t skip = from.size() - dims.size();
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i < skip || (dims[i - skip] == 1 && from[i] != 1)) axes.push_back(i);
  }
  FLAIR_TRY(const NodeId sum, Sum(x, std::move(axes)));
  return Reshape(sum, std::move(dims));
}

}  // namespace flair::program
