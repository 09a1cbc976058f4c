// SPDX-License-Identifier: Apache-2.0
#include "circuit/contract.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "base/threads.h"

namespace flair::circuit {
namespace {

using Index = std::int64_t;

// Index of a tensor as a linear function of the loops' counters.
struct Walk {
  Index start = 0;
  std::vector<Index> steps;  // by loop
};

// What a window asks of two loops: 0 <= stride out + dilation kernel + offset < size.
struct Bound {
  std::size_t out_loop = 0;
  std::size_t kernel_loop = 0;
  Index stride = 1;
  Index dilation = 1;
  Index offset = 0;
  Index size = 0;
};

class Nest {
 public:
  Nest(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes, const Term& term)
      : axes_(axes), term_(term) {
    for (const AxisId axis : out_axes) AddLoop(axis);
    for (const Read& read : term.factors) {
      for (const AxisId axis : read.axes) AddLoop(axis);
    }
    for (const Window& w : term.windows) {
      AddLoop(w.out);
      AddLoop(w.kernel);
    }
    walks_.push_back(WalkOf(out_axes));
    for (const Read& read : term.factors) walks_.push_back(WalkOf(read.axes));
    for (const Window& w : term.windows) {
      bounds_.push_back({.out_loop = LoopOf(w.out),
                         .kernel_loop = LoopOf(w.kernel),
                         .stride = static_cast<Index>(w.stride),
                         .dilation = static_cast<Index>(w.dilation),
                         .offset = w.offset,
                         .size = static_cast<Index>(axes[w.in].size)});
    }
    ChooseInnermost();
  }

  void Run(const std::vector<std::span<const std::int64_t>>& factors,
           std::span<std::int64_t> out) const {
    if (loops_.empty()) {
      Index product = term_.coefficient;
      for (std::size_t f = 0; f < factors.size(); ++f) product *= factors[f][0];
      out[0] += product;
      return;
    }
    // Threads share no cell of `out`: they have counters of their own of one of its axes.
    const std::optional<std::size_t> shared = LoopOfThreads();
    if (!shared) {
      std::vector<Index> at(loops_.size(), 0);
      return Descend(0, std::nullopt, at, factors, out);
    }
    const Status done = ParallelFor(loops_[*shared].size, [&](std::size_t i) {
      std::vector<Index> at(loops_.size(), 0);
      at[*shared] = static_cast<Index>(i);
      Descend(0, shared, at, factors, out);
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  }

 private:
  struct Loop {
    AxisId axis;
    std::size_t size;
  };

  bool IsIn(AxisId axis) const {
    return std::any_of(term_.windows.begin(), term_.windows.end(),
                       [&](const Window& w) { return w.in == axis; });
  }
  // The axis `in` of a window follows from two others.
  void AddLoop(AxisId axis) {
    if (IsIn(axis)) return;
    for (const Loop& loop : loops_) {
      if (loop.axis == axis) return;
    }
    loops_.push_back({axis, static_cast<std::size_t>(axes_[axis].size)});
  }
  std::size_t LoopOf(AxisId axis) const {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (loops_[i].axis == axis) return i;
    }
    FLAIR_CHECK(false) << "no loop for axis '" << axes_[axis].name << "'";
    return 0;
  }
  Walk WalkOf(const std::vector<AxisId>& axes) const {
    Walk walk{.start = 0, .steps = std::vector<Index>(loops_.size())};
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

  // The loop with the most steps of 0 and 1, and of those the longest, goes last.
  void ChooseInnermost() {
    std::size_t best = 0;
    std::array<std::size_t, 2> best_score = {0, 0};
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      std::size_t near = 0;
      for (const Walk& walk : walks_) near += walk.steps[i] == 0 || walk.steps[i] == 1 ? 1 : 0;
      const std::array<std::size_t, 2> score = {near, loops_[i].size};
      if (i == 0 || score > best_score) {
        best = i;
        best_score = score;
      }
    }
    innermost_ = best;
  }

  std::optional<std::size_t> LoopOfThreads() const {
    std::size_t work = 1;
    for (const Loop& loop : loops_) work *= loop.size;
    if (work < 100'000) return std::nullopt;  // not worth a thread
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (i == innermost_ || loops_[i].size < 2 || walks_[0].steps[i] == 0) continue;
      const bool windowed = std::any_of(
          term_.windows.begin(), term_.windows.end(),
          [&](const Window& w) { return w.out == loops_[i].axis || w.kernel == loops_[i].axis; });
      if (!windowed) return i;
    }
    return std::nullopt;
  }

  // [first, last) of the innermost loop's counter where every window holds.
  std::array<Index, 2> RangeOfInnermost(const std::vector<Index>& at) const {
    Index first = 0;
    Index last = static_cast<Index>(loops_[innermost_].size);
    for (const Bound& b : bounds_) {
      const bool by_out = b.out_loop == innermost_;
      const bool by_kernel = b.kernel_loop == innermost_;
      const Index rest = (by_out ? 0 : b.stride * at[b.out_loop]) +
                         (by_kernel ? 0 : b.dilation * at[b.kernel_loop]) + b.offset;
      const Index step = by_out ? b.stride : by_kernel ? b.dilation : 0;
      if (step == 0) {
        if (rest < 0 || rest >= b.size) return {0, 0};
        continue;
      }
      // rest + step i >= 0 and < size
      if (rest < 0) first = std::max(first, (-rest + step - 1) / step);
      last = std::min(last, rest >= b.size ? Index{0} : (b.size - 1 - rest) / step + 1);
    }
    return {first, std::max(first, last)};
  }

  void Descend(std::size_t loop, std::optional<std::size_t> fixed, std::vector<Index>& at,
               const std::vector<std::span<const std::int64_t>>& factors,
               std::span<std::int64_t> out) const {
    while (loop < loops_.size() && (loop == innermost_ || loop == fixed)) ++loop;
    if (loop == loops_.size()) return Innermost(at, factors, out);
    for (at[loop] = 0; at[loop] < static_cast<Index>(loops_[loop].size); ++at[loop]) {
      Descend(loop + 1, fixed, at, factors, out);
    }
    at[loop] = 0;
  }

  Index IndexAt(const Walk& walk, const std::vector<Index>& at, Index innermost) const {
    Index index = walk.start;
    for (std::size_t i = 0; i < at.size(); ++i) {
      index += walk.steps[i] * (i == innermost_ ? innermost : at[i]);
    }
    return index;
  }

  void Innermost(const std::vector<Index>& at,
                 const std::vector<std::span<const std::int64_t>>& factors,
                 std::span<std::int64_t> out) const {
    const auto [first, last] = RangeOfInnermost(at);
    if (first >= last) return;
    const Index n = last - first;
    std::int64_t* o = out.data() + IndexAt(walks_[0], at, first);
    const Index so = walks_[0].steps[innermost_];
    if (factors.size() > 2) return Many(at, first, n, factors, o, so);
    const std::int64_t* a = factors[0].data() + IndexAt(walks_[1], at, first);
    const Index sa = walks_[1].steps[innermost_];
    const std::int64_t c = term_.coefficient;
    static constexpr std::int64_t kOne = 1;
    const std::int64_t* b =
        factors.size() == 2 ? factors[1].data() + IndexAt(walks_[2], at, first) : &kOne;
    const Index sb = factors.size() == 2 ? walks_[2].steps[innermost_] : 0;
    if (so == 0) {
      std::int64_t sum = 0;
      if (sa == 1 && sb == 1) {
        for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
      } else {
        for (Index i = 0; i < n; ++i) sum += a[i * sa] * b[i * sb];
      }
      *o += c * sum;
    } else if (so == 1 && sa == 1 && sb == 0) {
      const std::int64_t factor = c * *b;
      for (Index i = 0; i < n; ++i) o[i] += factor * a[i];
    } else if (so == 1 && sa == 0 && sb == 1) {
      const std::int64_t factor = c * *a;
      for (Index i = 0; i < n; ++i) o[i] += factor * b[i];
    } else {
      for (Index i = 0; i < n; ++i) o[i * so] += c * a[i * sa] * b[i * sb];
    }
  }

  void Many(const std::vector<Index>& at, Index first, Index n,
            const std::vector<std::span<const std::int64_t>>& factors, std::int64_t* o,
            Index so) const {
    for (Index i = 0; i < n; ++i) {
      std::int64_t product = term_.coefficient;
      for (std::size_t f = 0; f < factors.size(); ++f) {
        product *= factors[f][static_cast<std::size_t>(IndexAt(walks_[f + 1], at, first + i))];
      }
      o[i * so] += product;
    }
  }

  const std::vector<Axis>& axes_;
  const Term& term_;
  std::vector<Loop> loops_;
  std::vector<Walk> walks_;  // of the result, then of the factors
  std::vector<Bound> bounds_;
  std::size_t innermost_ = 0;
};

}  // namespace

void AddTerm(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes, const Term& term,
             const std::vector<std::span<const std::int64_t>>& factors,
             std::span<std::int64_t> out) {
  FLAIR_CHECK(factors.size() == term.factors.size() && !factors.empty()) << "other factors";
  Nest(axes, out_axes, term).Run(factors, out);
}

}  // namespace flair::circuit
