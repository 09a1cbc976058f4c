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

}  // namespace flair::program
