// Sliding windows: convolution, its two adjoints, and sums of windows.
//
//   z[n, g o, h, w] = sum over i, k, l of x[n, g i, y, u] W[g o, i, k, l],
//   y = stride h + dilation k - pad, u alike: a factor [y = ..] of the term, no copy of x
//
// Channels are two axes, groups g and what is within one; either may be missing.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "program/lower/lowering.h"

namespace flair::program {
namespace {

// Channels as (group, within) where `within` has this many.
struct Channels {
  Axes groups, within;
};

Channels Split(const circuit::Builder& b, const Axes& channels, std::uint64_t within) {
  std::size_t at = channels.size();
  for (std::uint64_t below = 1; below < within && at > 0;) below *= b.axis(channels[--at]).size;
  const auto middle = channels.begin() + static_cast<std::ptrdiff_t>(at);
  return {Axes(channels.begin(), middle), Axes(middle, channels.end())};
}

Axes Joined(Axes a, const Axes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A window of size 1 that does not move is no window.
bool IsNone(const Window& w, std::size_t i) {
  return w.kernel[i] == 1 && w.stride[i] == 1 && w.pad[i] == 0 && w.in[i] == w.out[i];
}

circuit::Window Sliding(const Window& w, std::size_t i, AxisId out, AxisId kernel, AxisId in) {
  return {.out = out,
          .kernel = kernel,
          .in = in,
          .stride = static_cast<std::uint64_t>(w.stride[i]),
          .dilation = static_cast<std::uint64_t>(w.dilation[i]),
          .offset = -w.pad[i]};
}

}  // namespace

// Axes of the three tensors of a convolution; what one of them has not is summed.
struct Lowering::Convolution {
  Axes batch, groups, in_channels, out_channels;
  std::array<Axes, 2> in, kernel, out;

  AxesOfDims x() const { return {batch, Joined(groups, in_channels), in[0], in[1]}; }
  AxesOfDims w() const { return {Joined(groups, out_channels), in_channels, kernel[0], kernel[1]}; }
  AxesOfDims z() const { return {batch, Joined(groups, out_channels), out[0], out[1]}; }
};

// Of the tensors x, w and z one is the result and has no axes yet.
Lowering::Convolution Lowering::ConvolutionOf(const GraphNode& node, const AxesOfDims* x,
                                              const AxesOfDims* w, const AxesOfDims* z,
                                              const Dims& dims_x, const Dims& dims_w,
                                              const Dims& dims_z) {
  std::set<AxisId> used;
  const auto fresh = [&](const Axes& like) {
    Axes axes;
    for (const AxisId axis : like) {
      const std::uint64_t size = b_.axis(axis).size;
      const AxisId made = used.contains(axis) ? axes_.OfSize(size, used) : axis;
      used.insert(made);
      axes.push_back(made);
    }
    return axes;
  };
  Convolution c;
  const std::uint64_t in_channels = dims_w[1], out_channels = dims_z[1] / node.groups;
  c.batch = fresh(x != nullptr ? (*x)[0] : (*z)[0]);
  if (x != nullptr) {
    const Channels channels = Split(b_, (*x)[1], in_channels);
    c.groups = fresh(channels.groups);
    c.in_channels = fresh(channels.within);
  } else {
    c.groups = fresh(Split(b_, (*z)[1], out_channels).groups);
    c.in_channels = fresh((*w)[1]);
  }
  c.out_channels = fresh(Split(b_, w != nullptr ? (*w)[0] : (*z)[1], out_channels).within);
  for (std::size_t i = 0; i < 2; ++i) {
    c.in[i] = x != nullptr ? fresh((*x)[2 + i]) : NewAxis(dims_x[2 + i], used);
    c.kernel[i] = w != nullptr ? fresh((*w)[2 + i]) : NewAxis(dims_w[2 + i], used);
    if (IsNone(node.window, i)) {
      c.out[i] = c.in[i];
    } else {
      c.out[i] = z != nullptr ? fresh((*z)[2 + i]) : NewAxis(dims_z[2 + i], used);
    }
  }
  return c;
}

Status Lowering::Convolve(NodeId id, const Convolution& c, NodeId a, const AxesOfDims& axes_a,
                          NodeId b, const AxesOfDims& axes_b, const AxesOfDims& result) {
  const Window& window = g_[id].window;
  const auto factor = [&](NodeId of) {
    return g_[of].is_gradient ? Factor(of) : FactorAlongAll(of);
  };
  FLAIR_TRY(const Operand left, factor(a));
  FLAIR_TRY(const Operand right, factor(b));
  Expression e = axes_.Renamed(ReadOf(left, ValueOf(a).dims), axes_a);
  const Expression other = axes_.Renamed(ReadOf(right, ValueOf(b).dims), axes_b);
  Piece& piece = e.pieces[0];
  piece.factors.push_back(other.pieces[0].factors[0]);
  piece.unit = Times(piece.unit, other.pieces[0].unit);
  std::set<AxisId> used;
  for (const AxesOfDims& dims : {c.x(), c.w(), c.z()}) {
    for (const AxisId axis : Flat(dims)) used.insert(axis);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (IsNone(window, i)) continue;
    piece.windows.push_back(Sliding(window, i, AxisOr1(c.out[i], used), AxisOr1(c.kernel[i], used),
                                    AxisOr1(c.in[i], used)));
  }
  // A gradient may be repeated along axes that it is not read along; x and W are read along all of
  // theirs, so every axis that goes is in a factor or a window.
  e.dims = result;
  ValueOf(id) = std::move(e);
  return OkStatus();
}

Status Lowering::LowerConv(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId x = node.inputs[0], w = node.inputs[1];
  const AxesOfDims of_x = ValueOf(x).dims, of_w = ValueOf(w).dims;
  const Convolution c =
      ConvolutionOf(node, &of_x, &of_w, nullptr, g_[x].dims, g_[w].dims, node.dims);
  return Convolve(id, c, x, c.x(), w, c.w(), c.z());
}

Status Lowering::LowerConvDataGrad(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId z = node.inputs[0], w = node.inputs[1];
  const AxesOfDims of_z = ValueOf(z).dims, of_w = ValueOf(w).dims;
  const Convolution c =
      ConvolutionOf(node, nullptr, &of_w, &of_z, node.dims, g_[w].dims, g_[z].dims);
  return Convolve(id, c, z, c.z(), w, c.w(), c.x());
}

Status Lowering::LowerConvWeightGrad(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId z = node.inputs[0], x = node.inputs[1];
  const AxesOfDims of_z = ValueOf(z).dims, of_x = ValueOf(x).dims;
  const Convolution c =
      ConvolutionOf(node, &of_x, nullptr, &of_z, g_[x].dims, node.dims, g_[z].dims);
  return Convolve(id, c, z, c.z(), x, c.x(), c.w());
}

// The kernel's axes are in no factor: the window alone sums over them.
Status Lowering::LowerAvgPool(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId x = node.inputs[0];
  FLAIR_TRY(const Operand operand, Whole(x));
  Expression e = ReadOf(operand, ValueOf(x).dims);
  const Axes all = Flat(e.dims);
  std::set<AxisId> used(all.begin(), all.end());
  for (std::size_t i = 0; i < 2; ++i) {
    if (IsNone(node.window, i)) continue;
    const AxisId in = AxisOr1(e.dims[2 + i], used);
    const Axes out = NewAxis(node.window.out[i], used);
    e.pieces[0].windows.push_back(Sliding(node.window, i, AxisOr1(out, used),
                                          AxisOr1(NewAxis(node.window.kernel[i], used), used), in));
    e.dims[2 + i] = out;
  }
  ValueOf(id) = std::move(e);
  return OkStatus();
}

Status Lowering::LowerAvgPoolGrad(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId dy = node.inputs[0];
  FLAIR_TRY(const Operand operand, Whole(dy));
  Expression e = ReadOf(operand, ValueOf(dy).dims);
  const Axes all = Flat(e.dims);
  std::set<AxisId> used(all.begin(), all.end());
  for (std::size_t i = 0; i < 2; ++i) {
    if (IsNone(node.window, i)) continue;
    const AxisId out = AxisOr1(e.dims[2 + i], used);
    const Axes in = NewAxis(node.window.in[i], used);
    e.pieces[0].windows.push_back(Sliding(node.window, i, out,
                                          AxisOr1(NewAxis(node.window.kernel[i], used), used),
                                          AxisOr1(in, used)));
    e.dims[2 + i] = in;
  }
  ValueOf(id) = std::move(e);
  return OkStatus();
}

}  // namespace flair::program
