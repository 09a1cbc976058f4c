// SPDX-License-Identifier: Apache-2.0
#include "circuit/contract.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"
#include "base/threads.h"
#include "circuit/nest.h"
#include "circuit/product.h"

namespace flair::circuit {
namespace {

using Factors = std::vector<std::span<const std::int64_t>>;

class Loops {
 public:
  explicit Loops(const Nest& nest) : nest_(nest), walks_(nest.walks) { ChooseInnermost(); }

  void Run(const Factors& factors, std::span<std::int64_t> out) const {
    if (nest_.loops.empty()) {
      Index product = nest_.coefficient;
      for (const auto& factor : factors) product *= factor[0];
      out[0] += product;
      return;
    }
    // Threads share no cell of `out`: they have counters of their own of one of its loops.
    const std::optional<std::size_t> shared = LoopOfThreads();
    const Index size = shared ? nest_.loops[*shared].size : 1;
    const Index parts = std::min(size, kParts);
    const Status done = ParallelFor(static_cast<std::size_t>(parts), [&](std::size_t part) {
      Block block{.at = std::vector<Index>(nest_.loops.size(), 0), .shared = shared};
      block.first = size * static_cast<Index>(part) / parts;
      block.last = size * (static_cast<Index>(part) + 1) / parts;
      Descend(0, block, factors, out);
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  }

 private:
  static constexpr Index kParts = 256;

  // Counters, of which those of the shared loop go from `first` to `last` only.
  struct Block {
    std::vector<Index> at;
    std::optional<std::size_t> shared;
    Index first = 0;
    Index last = 0;
  };
  std::array<Index, 2> RangeOf(std::size_t loop, const Block& block) const {
    if (block.shared == loop) return {block.first, block.last};
    return {0, nest_.loops[loop].size};
  }

  // The loop with the most steps of 0 and 1, and of those the longest, goes last.
  void ChooseInnermost() {
    std::array<Index, 2> best_score = {0, 0};
    for (std::size_t i = 0; i < nest_.loops.size(); ++i) {
      Index near = 0;
      for (const Walk& walk : walks_) near += walk.steps[i] == 0 || walk.steps[i] == 1 ? 1 : 0;
      const std::array<Index, 2> score = {near, nest_.loops[i].size};
      if (i == 0 || score > best_score) {
        innermost_ = i;
        best_score = score;
      }
    }
  }

  std::optional<std::size_t> LoopOfThreads() const {
    Index work = 1;
    for (const Loop& loop : nest_.loops) work *= loop.size;
    if (work < 100'000) return std::nullopt;  // not worth a thread
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < nest_.loops.size(); ++i) {
      if (nest_.loops[i].meets || walks_[0].steps[i] == 0) continue;
      if (!best || nest_.loops[i].size > nest_.loops[*best].size) best = i;
    }
    return best;
  }

  // [first, last) of the innermost loop's counter where every window holds.
  std::array<Index, 2> RangeOfInnermost(const Block& block) const {
    auto [first, last] = RangeOf(innermost_, block);
    for (const Bound& b : nest_.bounds) {
      Index rest = b.offset;
      for (const std::size_t loop : {b.out_loop, b.kernel_loop}) {
        if (loop != innermost_) rest += b.Step(loop) * block.at[loop];
      }
      const Index step = b.Step(innermost_);
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

  void Descend(std::size_t loop, Block& block, const Factors& factors,
               std::span<std::int64_t> out) const {
    if (loop == innermost_) ++loop;
    if (loop == nest_.loops.size()) return Innermost(block, factors, out);
    const auto [first, last] = RangeOf(loop, block);
    for (Index i = first; i < last; ++i) {
      block.at[loop] = i;
      Descend(loop + 1, block, factors, out);
    }
  }

  Index IndexAt(const Walk& walk, const std::vector<Index>& at, Index innermost) const {
    Index index = walk.start;
    for (std::size_t i = 0; i < at.size(); ++i) {
      index += walk.steps[i] * (i == innermost_ ? innermost : at[i]);
    }
    return index;
  }

  void Innermost(const Block& block, const Factors& factors, std::span<std::int64_t> out) const {
    const auto [first, last] = RangeOfInnermost(block);
    if (first >= last) return;
    const Index n = last - first;
    const std::vector<Index>& at = block.at;
    std::int64_t* o = out.data() + IndexAt(walks_[0], at, first);
    const Index so = walks_[0].steps[innermost_];
    if (factors.size() > 2) return Many(at, first, n, factors, o, so);
    const std::int64_t* a = factors[0].data() + IndexAt(walks_[1], at, first);
    const Index sa = walks_[1].steps[innermost_];
    const std::int64_t c = nest_.coefficient;
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
    } else if (so == 1 && sa == 1 && sb == 1) {
      for (Index i = 0; i < n; ++i) o[i] += c * a[i] * b[i];
    } else {
      for (Index i = 0; i < n; ++i) o[i * so] += c * a[i * sa] * b[i * sb];
    }
  }

  void Many(const std::vector<Index>& at, Index first, Index n, const Factors& factors,
            std::int64_t* o, Index so) const {
    for (Index i = 0; i < n; ++i) {
      std::int64_t product = nest_.coefficient;
      for (std::size_t f = 0; f < factors.size(); ++f) {
        product *= factors[f][static_cast<std::size_t>(IndexAt(walks_[f + 1], at, first + i))];
      }
      o[i * so] += product;
    }
  }

  const Nest& nest_;
  const std::vector<Walk>& walks_;
  std::size_t innermost_ = 0;
};

// Factors of one cell, learning rates for one, belong to the coefficient.
void TakeScalars(Nest& nest, Factors& factors) {
  for (std::size_t f = factors.size(); f-- > 0 && factors.size() > 1;) {
    const Walk& walk = nest.walks[f + 1];
    if (std::any_of(walk.steps.begin(), walk.steps.end(), [](Index step) { return step != 0; })) {
      continue;
    }
    nest.coefficient *= factors[f][static_cast<std::size_t>(walk.start)];
    factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(f));
    nest.walks.erase(nest.walks.begin() + static_cast<std::ptrdiff_t>(f) + 1);
  }
}

}  // namespace

void AddTermByLoops(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes,
                    const Term& term, const Factors& factors, std::span<std::int64_t> out) {
  FLAIR_CHECK(factors.size() == term.factors.size() && !factors.empty()) << "other factors";
  Loops(NestOf(axes, out_axes, term)).Run(factors, out);
}

void AddTerm(const std::vector<Axis>& axes, const std::vector<AxisId>& out_axes, const Term& term,
             const Factors& factors, std::span<std::int64_t> out) {
  FLAIR_CHECK(factors.size() == term.factors.size() && !factors.empty()) << "other factors";
  Nest nest = NestOf(axes, out_axes, term);
  Factors own = factors;
  TakeScalars(nest, own);
  if (Product::Pays(nest)) return Product(nest).AddTo(own[0], own[1], out);
  Loops(nest).Run(own, out);
}

}  // namespace flair::circuit
