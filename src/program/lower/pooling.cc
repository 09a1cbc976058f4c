// Max-pooling. docs/spec/lowering.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "circuit/gadgets/maximum.h"
#include "program/lower/lowering.h"

namespace flair::program {
namespace {

bool IsDisjoint(const Window& w) {
  return w.stride[0] >= static_cast<std::int64_t>(w.kernel[0]) &&
         w.stride[1] >= static_cast<std::int64_t>(w.kernel[1]);
}

bool IsPadded(const Window& w) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (w.Source(i, 0, 0) < 0 || w.Source(i, w.out[i] - 1, w.kernel[i] - 1) < 0) return true;
  }
  return false;
}

}  // namespace

Status Lowering::LowerMaxPool(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId x = node.inputs[0];
  const Window& w = node.window;
  NodeState& state = nodes_[id];
  const std::string& name = node.name;
  const bool padded = IsPadded(w);

  // Windows that share no cell round what is in them; otherwise the input is rounded once.
  const bool rounds = IsDisjoint(w) && !padded;
  const NodeFormat format = FormatOf(id);
  std::int64_t divisor = 1;
  std::int64_t least = 0;
  unsigned bits = format.format.bits;
  Unit unit = PowerOfTwo(-format.format.scale);
  circuit::Read read;
  if (rounds) {
    FLAIR_TRY(const Scaled scaled, AddScaled(name, ValueOf(x), format.format.scale));
    read = b_.At(scaled.form);
    divisor = scaled.divisor;
  } else {
    FLAIR_TRY(const Operand operand, Factor(x));
    read = operand.read;
    unit = operand.unit;
    least = b_[read.value].lo;
    const auto most =
        static_cast<std::uint64_t>(std::max<std::int64_t>({-least, b_[read.value].hi, 2}));
    bits = 1 + static_cast<unsigned>(std::bit_width(most - 1));
  }

  const AxesOfDims of_x = ValueOf(x).dims;
  const Axes all = Flat(of_x);
  std::set<AxisId> used(all.begin(), all.end());
  AxesOfDims out = of_x, in = of_x;
  circuit::Windows windows{.padded = padded};
  for (std::size_t i = 0; i < 2; ++i) {
    out[2 + i] = NewAxis(w.out[i], used);
    const Axes kernel = NewAxis(w.kernel[i], used);
    windows.kernel.insert(windows.kernel.end(), kernel.begin(), kernel.end());
    windows.slides.push_back({.out = AxisOr1(out[2 + i], used),
                              .kernel = AxisOr1(kernel, used),
                              .in = AxisOr1(in[2 + i], used),
                              .stride = static_cast<std::uint64_t>(w.stride[i]),
                              .dilation = static_cast<std::uint64_t>(w.dilation[i]),
                              .offset = -w.pad[i]});
  }
  windows.rows = Flat(out);
  state.slides = windows.slides;
  state.pooled_from = of_x;

  const unsigned limb = LimbBits();
  if (rounds && divisor != 1) {
    // divisor v = x + floor(divisor/2) - r, over the cells of the windows
    Axes cells = windows.rows;
    cells.insert(cells.end(), windows.kernel.begin(), windows.kernel.end());
    const circuit::ValueId cut =
        b_.AddForm(name + ".cut", cells,
                   {.terms = {{.coefficient = 1, .factors = {read}, .windows = windows.slides}}});
    const auto r = b_.Remainder(name, cut, divisor, limb);
    read = b_.At(b_.AddForm(name + ".rounded", cells,
                            {.terms = {{.coefficient = 1, .factors = {b_.At(cut)}, .windows = {}},
                                       {.coefficient = -1, .factors = {b_.At(*r)}, .windows = {}}},
                             .constant = divisor / 2}));
    windows.slides.clear();
  }
  const circuit::Width width = state.branches ? circuit::Signable(bits, limb, format.line)
                                              : circuit::Signed(bits, limb, format.line);
  const circuit::Maximum made =
      circuit::AddMaximum(b_, name, read, divisor, least, windows, width,
                          state.branches ? circuit::Sign::kRead : circuit::Sign::kUnread, Zone());
  if (made.positive) NoteSign(id, *made.positive, made.deviation);
  if (made.choice_deviation) {
    deviations_.push_back(*made.choice_deviation);
    made_.choices.push_back({.value = made.value, .selector = made.selector, .node = id});
  }
  if (rounds)
    made_.rounded.push_back({.value = made.value, .node = id, .scale = format.format.scale});
  state.selector = made.selector;
  ValueOf(id) = ReadOf({b_.At(made.value), unit}, out);
  return OkStatus();
}

// The gradient goes to the chosen cell of each window.
Status Lowering::LowerMaxPoolGrad(NodeId id) {
  const NodeId dy = g_[id].inputs[0];
  const NodeState& pool = nodes_[PoolOf(id)];
  FLAIR_TRY(const Operand operand, Whole(dy));
  const std::set<AxisId> taken = [&] {
    std::set<AxisId> axes;
    for (const AxisId axis : b_[*pool.selector].axes) axes.insert(axis);
    for (const AxisId axis : Flat(pool.pooled_from)) axes.insert(axis);
    return axes;
  }();
  Expression e = axes_.Renamed(ReadOf(operand, ValueOf(dy).dims), pool.value.dims, taken);
  e.pieces[0].factors.push_back(b_.At(*pool.selector));
  e.pieces[0].windows = pool.slides;
  e.dims = pool.pooled_from;
  ValueOf(id) = std::move(e);
  return OkStatus();
}

NodeId Lowering::PoolOf(NodeId gradient) const {
  NodeId id = 0;
  while (g_[id].op != Primitive::kMaxPool || g_[id].inputs[0] != g_[gradient].inputs[1] ||
         g_[id].window != g_[gradient].window) {
    ++id;  // a gradient has its pool before it
  }
  return id;
}

}  // namespace flair::program
