// Graph: a program taken apart into primitive operators, with its derivative beside it.
//
// Place: program, above shapes.h; the evaluator (evaluate.h) and the lowering (lower.h)
// read it. The set of primitives is closed under differentiation: what only a backward
// pass needs (the adjoints of convolution, pooling and slicing, the selection by stored
// bits) is a primitive like the others.
//
// Invariants
//   (1) A node reads earlier nodes only.
//   (2) Every node has the dims that its operator and inputs imply.
// Thread safety: a plain value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "program/program.h"
#include "program/window.h"

namespace flair::program {

using NodeId = std::uint32_t;

enum class Primitive : std::uint8_t {
  // Leaves. `index` is the place in the program's list, or the number of the draw.
  kColumn,
  kLabel,
  kParameter,
  kBuffer,
  kMask,      // 1 with probability 1 - alpha, else 0; drawn anew in each step
  kConstant,  // alpha everywhere
  // Arithmetic.
  kMatmul,          // batched; transpose_a, transpose_b
  kConv,            // x, W; window, groups
  kConvDataGrad,    // dz, W: the adjoint of kConv in x
  kConvWeightGrad,  // dz, x: the adjoint in W
  kAdd,             // alpha a + beta b, broadcast
  kMul,             // a b, broadcast
  kAffine,          // alpha x + beta
  kSum,             // over `axes`, which go
  kRelu,
  kReluGrad,  // dy, x: dy where x > 0
  kMaxPool,
  kMaxPoolGrad,  // dy, x: dy at the first maximum of each window
  kAvgPool,      // the sum of a window; its divisor is an affine of its own
  kAvgPoolGrad,  // dy: the adjoint
  // Wiring.
  kReshape,
  kPermute,  // out axis i is axis axes[i] of x
  kSlice,    // [begin, begin + extent) of axis
  kPlace,    // the adjoint: x at `begin` of axis, zeros elsewhere
  kConcat,
  kExpand,  // broadcast to dims
  // Normalisation over all axes but 1.
  kBatchNorm,           // x, gamma, beta; alpha = eps
  kBatchNormGrad,       // dy, and the kBatchNorm node: towards x
  kBatchNormScaleGrad,  // dy, and the kBatchNorm node: towards gamma
  kInverseRoot,         // 1 / sqrt(x + alpha)
  // Losses: one number each.
  kCrossEntropy,      // logits, label; the mean over the batch
  kCrossEntropyGrad,  // logits, label; times alpha
  kMse,               // the mean over all elements
};

struct GraphNode {
  Primitive op = Primitive::kConstant;
  std::vector<NodeId> inputs;
  Dims dims;
  std::string name;
  std::int32_t source = -1;  // the program's node whose profile lines apply; -1: none
  bool is_gradient = false;  // of that node: its gradient line applies

  std::uint32_t index = 0;
  Rational alpha{1, 1};
  Rational beta{1, 1};
  bool transpose_a = false;
  bool transpose_b = false;
  std::vector<std::size_t> axes;
  std::size_t axis = 0;
  std::uint64_t begin = 0;
  Window window;
  std::uint64_t groups = 1;
};

// buffer' = (1 - momentum) buffer + momentum * factor * statistic of `node`.
struct RunningUpdate {
  enum class Statistic : std::uint8_t { kMean, kVariance };
  std::uint32_t buffer = 0;
  NodeId node = 0;
  Statistic statistic = Statistic::kMean;
  Rational momentum;
  Rational factor;  // n / (n - 1) where the variance is unbiased
};

struct Graph {
  std::vector<GraphNode> nodes;
  NodeId loss = 0;
  std::vector<std::optional<NodeId>> gradients;  // of each parameter; none: it has no effect
  std::vector<RunningUpdate> running;

  const GraphNode& operator[](NodeId id) const { return nodes[id]; }
};

// The forward graph, then the derivative of the loss in every parameter.
// REQUIRES: CheckProgram(program) gave `shapes`.
// Errors: kInvalidArgument for a loss that is no weighted sum of cross_entropy, mse and
// reduced values, or a factor that passes 62 bits.
Result<Graph> BuildGraph(const Program& program, const std::vector<Dims>& shapes);

// BuildGraph()'s second half. REQUIRES: `graph` holds a forward pass.
Status Differentiate(Graph& graph);

}  // namespace flair::program
