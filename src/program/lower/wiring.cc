// What only groups or names axes otherwise.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "program/lower/lowering.h"

namespace flair::program {

Status Lowering::LowerReshape(NodeId id) {
  Expression e = ValueOf(g_[id].inputs[0]);
  const Axes axes = Flat(e.dims);
  e.dims.clear();
  std::size_t next = 0;
  for (const Dims& sizes : atoms_[id]) {
    e.dims.emplace_back();
    for (const std::uint64_t size : sizes) {
      FLAIR_CHECK(next < axes.size() && b_.axis(axes[next]).size == size) << "dims cut otherwise";
      e.dims.back().push_back(axes[next++]);
    }
  }
  ValueOf(id) = std::move(e);
  return OkStatus();
}

Status Lowering::LowerPermute(NodeId id) {
  Expression e = ValueOf(g_[id].inputs[0]);
  AxesOfDims dims;
  for (const std::size_t axis : g_[id].axes) dims.push_back(e.dims[axis]);
  e.dims = std::move(dims);
  ValueOf(id) = std::move(e);
  return OkStatus();
}

// A value that is repeated has axes that its pieces do not read.
Status Lowering::LowerExpand(NodeId id) {
  Expression e = ValueOf(g_[id].inputs[0]);
  const Axes own = Flat(e.dims);
  Expression all{.dims = MakeAxes(id, {own.begin(), own.end()}), .pieces = {}};
  axes_.Align(e, all, g_[id].dims.size());
  ValueOf(id) = std::move(e);
  return OkStatus();
}

// A window with a kernel of size 1: out + begin is the place in the whole.
Status Lowering::LowerSlice(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId x = node.inputs[0];
  const std::size_t dim = node.axis;
  if (g_[x].dims[dim] == node.dims[dim]) {
    ValueOf(id) = ValueOf(x);
    return OkStatus();
  }
  FLAIR_TRY(const Operand operand, Whole(x));
  const AxesOfDims from = ValueOf(x).dims;
  const Axes all = Flat(from);
  std::set<AxisId> used(all.begin(), all.end());
  Expression e = ReadOf(operand, from);
  e.dims[dim] = NewAxis(node.dims[dim], used);
  e.pieces[0].windows.push_back({.out = AxisOr1(e.dims[dim], used),
                                 .kernel = AxisOr1({}, used),
                                 .in = from[dim][0],
                                 .stride = 1,
                                 .dilation = 1,
                                 .offset = static_cast<std::int64_t>(node.begin)});
  ValueOf(id) = std::move(e);
  return OkStatus();
}

Result<Expression> Lowering::Placed(NodeId part, std::size_t dim, std::uint64_t begin,
                                    const AxesOfDims& whole) {
  FLAIR_TRY(const Operand operand, Whole(part));
  const Axes all = Flat(whole);
  std::set<AxisId> used(all.begin(), all.end());
  AxesOfDims own = whole;
  own[dim].clear();
  for (const AxisId axis : ValueOf(part).dims[dim]) {
    own[dim] = NewAxis(b_.axis(axis).size, used);
  }
  Expression e = axes_.Renamed(ReadOf(operand, ValueOf(part).dims), own, used);
  e.pieces[0].windows.push_back({.out = AxisOr1(own[dim], used),
                                 .kernel = AxisOr1({}, used),
                                 .in = whole[dim][0],
                                 .stride = 1,
                                 .dilation = 1,
                                 .offset = static_cast<std::int64_t>(begin)});
  e.dims = whole;
  return e;
}

Status Lowering::LowerPlace(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId x = node.inputs[0];
  if (g_[x].dims[node.axis] == node.dims[node.axis]) {
    ValueOf(id) = ValueOf(x);
    return OkStatus();
  }
  AxesOfDims whole = ValueOf(x).dims;
  const Axes all = Flat(whole);
  std::set<AxisId> used(all.begin(), all.end());
  whole[node.axis] = NewAxis(node.dims[node.axis], used);
  FLAIR_TRY(ValueOf(id), Placed(x, node.axis, node.begin, whole));
  return OkStatus();
}

Status Lowering::LowerConcat(NodeId id) {
  const GraphNode& node = g_[id];
  AxesOfDims whole = ValueOf(node.inputs[0]).dims;
  const Axes all = Flat(whole);
  std::set<AxisId> used(all.begin(), all.end());
  whole[node.axis] = NewAxis(node.dims[node.axis], used);
  Expression e{.dims = whole, .pieces = {}};
  std::uint64_t begin = 0;
  for (const NodeId input : node.inputs) {
    FLAIR_TRY(const Expression part, Placed(input, node.axis, begin, whole));
    AddTo(e, part);
    begin += g_[input].dims[node.axis];
  }
  ValueOf(id) = std::move(e);
  return OkStatus();
}

}  // namespace flair::program
