// SPDX-License-Identifier: Apache-2.0
#include "circuit/nest.h"

#include <algorithm>

#include "base/check.h"

namespace flair::circuit {
namespace {

class NestBuilder {
 public:
  NestBuilder(const std::vector<Axis>& axes, const Term& term) : axes_(axes), term_(term) {
    nest_.coefficient = term.coefficient;
  }

  Nest Build(const std::vector<AxisId>& out_axes) {
    for (const AxisId axis : out_axes) AddLoop(axis);
    for (const Read& read : term_.factors) {
      for (const AxisId axis : read.axes) AddLoop(axis);
    }
    for (const Window& w : term_.windows) {
      AddLoop(w.out);
      AddLoop(w.kernel);
    }
    nest_.walks.push_back(WalkOf(out_axes));
    for (const Read& read : term_.factors) nest_.walks.push_back(WalkOf(read.axes));
    for (const Window& w : term_.windows) {
      const Bound bound = {.out_loop = LoopOf(w.out),
                           .kernel_loop = LoopOf(w.kernel),
                           .stride = static_cast<Index>(w.stride),
                           .dilation = static_cast<Index>(w.dilation),
                           .offset = w.offset,
                           .size = static_cast<Index>(axes_[w.in].size)};
      nest_.bounds.push_back(bound);
      if (std::find(out_axes.begin(), out_axes.end(), w.in) == out_axes.end()) continue;
      nest_.loops[bound.out_loop].meets = true;
      nest_.loops[bound.kernel_loop].meets = true;
    }
    while (MergeTwo()) {
    }
    return std::move(nest_);
  }

 private:
  bool IsIn(AxisId axis) const {
    return std::any_of(term_.windows.begin(), term_.windows.end(),
                       [&](const Window& w) { return w.in == axis; });
  }
  void AddLoop(AxisId axis) {
    if (IsIn(axis)) return;
    for (const Loop& loop : nest_.loops) {
      if (loop.axis == axis) return;
    }
    nest_.loops.push_back({.axis = axis, .size = static_cast<Index>(axes_[axis].size)});
  }
  std::size_t LoopOf(AxisId axis) const {
    for (std::size_t i = 0; i < nest_.loops.size(); ++i) {
      if (nest_.loops[i].axis == axis) return i;
    }
    FLAIR_CHECK(false) << "no loop for axis '" << axes_[axis].name << "'";
    return 0;
  }
  Walk WalkOf(const std::vector<AxisId>& axes) const {
    Walk walk{.start = 0, .steps = std::vector<Index>(nest_.loops.size())};
    Index step = 1;
    for (std::size_t i = axes.size(); i-- > 0;) {
      if (!IsIn(axes[i])) walk.steps[LoopOf(axes[i])] += step;
      for (const Window& w : term_.windows) {
        if (w.in != axes[i]) continue;
        walk.steps[LoopOf(w.out)] += step * static_cast<Index>(w.stride);
        walk.steps[LoopOf(w.kernel)] += step * static_cast<Index>(w.dilation);
        walk.start += step * w.offset;
      }
      step *= static_cast<Index>(axes_[axes[i]].size);
    }
    return walk;
  }

  // One step of `outer` is all of `inner`, everywhere.
  bool AreOneWalk(std::size_t outer, std::size_t inner) const {
    if (outer == inner || nest_.IsBounded(outer) || nest_.IsBounded(inner)) return false;
    return std::all_of(nest_.walks.begin(), nest_.walks.end(), [&](const Walk& walk) {
      return walk.steps[outer] == walk.steps[inner] * nest_.loops[inner].size;
    });
  }
  bool MergeTwo() {
    for (std::size_t outer = 0; outer < nest_.loops.size(); ++outer) {
      for (std::size_t inner = 0; inner < nest_.loops.size(); ++inner) {
        if (!AreOneWalk(outer, inner)) continue;
        nest_.loops[inner].size *= nest_.loops[outer].size;
        Remove(outer);
        return true;
      }
    }
    return false;
  }
  void Remove(std::size_t loop) {
    const auto at = static_cast<std::ptrdiff_t>(loop);
    nest_.loops.erase(nest_.loops.begin() + at);
    for (Walk& walk : nest_.walks) walk.steps.erase(walk.steps.begin() + at);
    for (Bound& bound : nest_.bounds) {
      if (bound.out_loop > loop) --bound.out_loop;
      if (bound.kernel_loop > loop) --bound.kernel_loop;
    }
  }

  const std::vector<Axis>& axes_;
  const Term& term_;
  Nest nest_;
};

}  // namespace

bool Nest::IsBounded(std::size_t loop) const {
  return std::any_of(bounds.begin(), bounds.end(),
                     [&](const Bound& b) { return b.out_loop == loop || b.kernel_loop == loop; });
}

Nest NestOf(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes, const Term& term) {
  return NestBuilder(axes, term).Build(out_axes);
}

}  // namespace flair::circuit
