// Adds primitives to a graph, folding what is constant.
//
// Place: program, inside the construction of graphs and derivatives.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "program/graph.h"

namespace flair::program {

class GraphMaker {
 public:
  explicit GraphMaker(Graph& graph) : graph_(graph) {}

  // What the next nodes belong to.
  void Describe(std::string name, std::int32_t source, bool is_gradient) {
    name_ = std::move(name);
    source_ = source;
    is_gradient_ = is_gradient;
  }

  NodeId Make(GraphNode node);
  NodeId Constant(Rational value, Dims dims);
  NodeId Matmul(NodeId a, bool transpose_a, NodeId b, bool transpose_b);
  NodeId Add(NodeId a, NodeId b, Rational alpha, Rational beta);
  NodeId Mul(NodeId a, NodeId b);
  Result<NodeId> Affine(NodeId x, Rational alpha, Rational beta);
  Result<NodeId> Sum(NodeId x, std::vector<std::size_t> axes);
  NodeId Reshape(NodeId x, Dims dims);
  NodeId Expand(NodeId x, Dims dims);
  // The sum over what a broadcast from `dims` repeated: its adjoint.
  Result<NodeId> SumTo(NodeId x, Dims dims);

  const GraphNode& operator[](NodeId id) const { return graph_.nodes[id]; }

 private:
  Graph& graph_;
  std::string name_;
  std::int32_t source_ = -1;
  bool is_gradient_ = false;
};

Error TooFine();

}  // namespace flair::program
