// Sums, products and the branches of relu.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "program/lower/lowering.h"

namespace flair::program {
namespace {

// Hidden factors of a piece.
std::size_t Hidden(const circuit::Builder& b, const Piece& piece) {
  return static_cast<std::size_t>(
      std::count_if(piece.factors.begin(), piece.factors.end(), [&](const circuit::Read& read) {
        return b[read.value].kind != circuit::Value::Kind::kPublic;
      }));
}

// Every piece times one more factor.
void MultiplyPieces(Expression& e, const circuit::Read& read, Unit unit) {
  for (Piece& piece : e.pieces) {
    piece.factors.push_back(read);
    piece.unit = Times(piece.unit, unit);
  }
}

}  // namespace

Status Lowering::LowerConstant(NodeId id) {
  ValueOf(id) = {.dims = MakeAxes(id, {}), .pieces = {}, .constant = UnitOf(g_[id].alpha)};
  return OkStatus();
}

Result<Expression> Lowering::Product(NodeId a, Expression shape_a, NodeId b,
                                     const AxesOfDims& axes_b) {
  const Expression &ea = ValueOf(a), &eb = ValueOf(b);
  if (ea.is_constant() && eb.is_constant()) {
    shape_a.constant = Times(ea.constant, eb.constant);
    return shape_a;
  }
  // A constant is a factor that is no factor.
  const auto lone = [&](NodeId id, const AxesOfDims& axes) -> Result<Expression> {
    FLAIR_TRY(const Operand operand, Factor(id));
    return axes_.Renamed(ReadOf(operand, ValueOf(id).dims), axes);
  };
  if (ea.is_constant()) {
    const Unit by = ea.constant;
    FLAIR_TRY(Expression other, lone(b, axes_b));
    Scale(other, by);
    shape_a.pieces = std::move(other.pieces);
    return shape_a;
  }
  FLAIR_TRY(Expression left, lone(a, shape_a.dims));
  shape_a.pieces = std::move(left.pieces);
  if (ValueOf(b).is_constant()) {
    Scale(shape_a, ValueOf(b).constant);
    return shape_a;
  }
  FLAIR_TRY(const Expression right, lone(b, axes_b));
  if (right.pieces.empty()) {  // times 0
    shape_a.pieces.clear();
    return shape_a;
  }
  MultiplyPieces(shape_a, right.pieces[0].factors[0], right.pieces[0].unit);
  return shape_a;
}

Status Lowering::LowerMatmul(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId a = node.inputs[0], b = node.inputs[1];
  const std::size_t rank = node.dims.size();
  const AxesOfDims of_a = ValueOf(a).dims;
  AxesOfDims of_b = ValueOf(b).dims;
  const Axes inner = of_a[rank - (node.transpose_a ? 2 : 1)];
  const std::size_t rows = rank - (node.transpose_a ? 1 : 2);
  const std::size_t inner_b = rank - (node.transpose_b ? 1 : 2);
  const std::size_t columns = rank - (node.transpose_b ? 2 : 1);
  const Axes all = Flat(of_a);
  std::set<AxisId> used(all.begin(), all.end());
  for (std::size_t dim = 0; dim + 2 < rank; ++dim) of_b[dim] = of_a[dim];
  of_b[inner_b] = inner;
  for (AxisId& axis : of_b[columns]) {
    if (used.contains(axis)) axis = axes_.OfSize(b_.axis(axis).size, used);
    used.insert(axis);
  }
  FLAIR_TRY(Expression product, Product(a, {.dims = of_a, .pieces = {}}, b, of_b));
  product.dims = of_a;
  product.dims[rank - 2] = of_a[rows];
  product.dims[rank - 1] = of_b[columns];
  product.dims.push_back(inner);
  axes_.SumOver(product, inner);
  product.dims.pop_back();
  ValueOf(id) = std::move(product);
  return OkStatus();
}

Status Lowering::LowerAdd(NodeId id) {
  const GraphNode& node = g_[id];
  Expression a = ValueOf(node.inputs[0]), b = ValueOf(node.inputs[1]);
  axes_.Align(a, b, node.dims.size());
  Scale(a, UnitOf(node.alpha));
  Scale(b, UnitOf(node.beta));
  AddTo(a, b);
  ValueOf(id) = std::move(a);
  return OkStatus();
}

Status Lowering::LowerMasked(NodeId id, NodeId x, NodeId mask) {
  Expression e = ValueOf(x);
  const Axes axes = Flat(e.dims);
  if (!nodes_[mask].mask) {
    const circuit::ValueId value = b_.AddPublic(g_[mask].name, axes, 0, 1);
    made_.publics.push_back({.value = value,
                             .kind = PublicInput::Kind::kMask,
                             .index = g_[mask].index,
                             .drop = g_[mask].alpha});
    nodes_[mask].mask = value;
  }
  // A form of its own, and its factor too where that does not vary along all of the mask's axes:
  // a public shares its axes with one factor, and no window reads along them.
  const auto varies = [&](const Piece& piece) {
    return std::all_of(axes.begin(), axes.end(), [&](AxisId axis) {
      return std::any_of(
          piece.factors.begin(), piece.factors.end(), [&](const circuit::Read& read) {
            return std::find(read.axes.begin(), read.axes.end(), axis) != read.axes.end();
          });
    });
  };
  if (!e.constant.is_zero() || !std::all_of(e.pieces.begin(), e.pieces.end(), [&](const Piece& p) {
        return p.windows.empty() && varies(p);
      })) {
    FLAIR_DO(MakeForm(x));
    e = ValueOf(x);
  }
  MultiplyPieces(e, b_.As(*nodes_[mask].mask, axes), Unit{});
  ValueOf(id) = std::move(e);
  return MakeForm(id);
}

Status Lowering::LowerMul(NodeId id) {
  const NodeId a = g_[id].inputs[0], b = g_[id].inputs[1];
  if (g_[a].op == Primitive::kMask) return LowerMasked(id, b, a);
  if (g_[b].op == Primitive::kMask) return LowerMasked(id, a, b);
  Expression ea{.dims = ValueOf(a).dims, .pieces = {}};
  Expression eb{.dims = ValueOf(b).dims, .pieces = {}};
  const AxesOfDims of_a = ea.dims, of_b = eb.dims;
  axes_.Align(ea, eb, g_[id].dims.size());
  const AxesOfDims all = ea.dims;
  // Where a factor does not vary it is not read along.
  const auto along = [&](const AxesOfDims& own) {
    AxesOfDims axes = own;
    for (std::size_t dim = 0; dim < own.size(); ++dim) {
      if (!own[dim].empty()) axes[dim] = all[all.size() - own.size() + dim];
    }
    return axes;
  };
  FLAIR_TRY(Expression product, Product(a, {.dims = along(of_a), .pieces = {}}, b, along(of_b)));
  product.dims = all;
  ValueOf(id) = std::move(product);
  return OkStatus();
}

Status Lowering::LowerAffine(NodeId id) {
  Expression e = ValueOf(g_[id].inputs[0]);
  Scale(e, UnitOf(g_[id].alpha));
  e.constant = Plus(e.constant, UnitOf(g_[id].beta));
  ValueOf(id) = std::move(e);
  return OkStatus();
}

Status Lowering::LowerSum(NodeId id) {
  Expression e = ValueOf(g_[id].inputs[0]);
  const std::vector<std::size_t>& summed = g_[id].axes;
  Axes axes;
  for (const std::size_t dim : summed)
    axes.insert(axes.end(), e.dims[dim].begin(), e.dims[dim].end());
  axes_.SumOver(e, axes);
  AxesOfDims kept;
  for (std::size_t dim = 0; dim < e.dims.size(); ++dim) {
    if (std::find(summed.begin(), summed.end(), dim) == summed.end()) kept.push_back(e.dims[dim]);
  }
  e.dims = std::move(kept);
  ValueOf(id) = std::move(e);
  return OkStatus();
}

// a = [y > 0] y, y what the node below was rounded to.
Status Lowering::LowerRelu(NodeId id) {
  const NodeId x = g_[id].inputs[0];
  Expression e = ValueOf(x);
  FLAIR_CHECK(nodes_[x].positive.has_value()) << "a branch without its sign";
  MultiplyPieces(e, b_.As(*nodes_[x].positive, Flat(e.dims)), Unit{});
  ValueOf(id) = std::move(e);
  return OkStatus();
}

// [y > 0] dy: dz is rounded once, by whoever needs it, and b = 0 forces it to be 0.
Status Lowering::LowerReluGrad(NodeId id) {
  const NodeId dy = g_[id].inputs[0], x = g_[id].inputs[1];
  const auto& pieces = ValueOf(dy).pieces;
  const bool single = std::all_of(pieces.begin(), pieces.end(),
                                  [&](const Piece& piece) { return Hidden(b_, piece) == 1; });
  if (ValueOf(dy).is_constant()) {
    Expression e = ReadOf({b_.At(*nodes_[x].positive), ValueOf(dy).constant}, ValueOf(x).dims);
    ValueOf(id) = axes_.Renamed(std::move(e), ValueOf(dy).dims);
    return OkStatus();
  }
  if (!single || !ValueOf(dy).constant.is_zero()) FLAIR_DO(Whole(dy));
  Expression e = ValueOf(dy);
  MultiplyPieces(e, b_.As(*nodes_[x].positive, Flat(e.dims)), Unit{});
  ValueOf(id) = std::move(e);
  return OkStatus();
}

}  // namespace flair::program
