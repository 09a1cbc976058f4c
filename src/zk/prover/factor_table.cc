// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/factor_table.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/check.h"
#include "base/threads.h"

namespace flair::zk {
namespace {

// Values below 2^kSmallBits in size are added up without reduction: 2^(64 + 41 + 22) < 2^128.
constexpr unsigned kSmallBits = 40;
constexpr std::size_t kMaxUnreduced = std::size_t{1} << 22;
constexpr std::size_t kTile = 256;
constexpr std::size_t kValuesAtOnce = std::size_t{1} << 16;

Fp Reduce(Uint128 x) {
  return Fp(static_cast<std::uint64_t>(x)) +
         Fp(static_cast<std::uint64_t>(x >> 64)) * Fp(0xFFFF'FFFF);
}

// All offsets of the chosen axes, the last one fastest.
std::vector<std::uint64_t> OffsetsOf(const std::vector<std::uint64_t>& sizes,
                                     const std::vector<bool>& chosen) {
  std::vector<std::uint64_t> offsets = {0};
  std::uint64_t step = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (chosen[i]) {
      std::vector<std::uint64_t> more;
      more.reserve(offsets.size() * sizes[i]);
      for (std::uint64_t x = 0; x < sizes[i]; ++x) {
        for (const std::uint64_t offset : offsets) more.push_back(x * step + offset);
      }
      offsets = std::move(more);
    }
    step *= sizes[i];
  }
  return offsets;
}

// Products of weights over some axes, the last one fastest.
std::vector<Fp2> OuterProduct(const std::vector<std::vector<Fp2>>& axes) {
  std::vector<Fp2> product = {Fp2(1)};
  for (const std::vector<Fp2>& axis : axes) {
    std::vector<Fp2> more;
    more.reserve(product.size() * axis.size());
    for (const Fp2& high : product) {
      for (const Fp2& low : axis) more.push_back(high * low);
    }
    product = std::move(more);
  }
  return product;
}

}  // namespace

bool IsPlain(const ProductPlan& plan, const FactorPlan& factor) {
  const auto plain = [](const FactorAxis& axis) {
    return axis.fate == FactorAxis::Fate::kSummed && !axis.functional;
  };
  std::set<std::size_t> seen = {factor.steps.sum_axis};
  for (const FactorAxis& axis : factor.axes) seen.insert(axis.sum_axis);
  return plain(factor.steps) && std::all_of(factor.axes.begin(), factor.axes.end(), plain) &&
         seen.size() == factor.axes.size() + 1 && seen.size() == plan.axes.size();
}

void FillPlain(const ProductPlan& plan, const FactorPlan& factor,
               std::span<const std::uint64_t> sizes, std::span<const std::int64_t> cells,
               std::uint64_t step, std::uint64_t* table) {
  // By the sum's axes, the lowest first: written in the table's order.
  struct Axis {
    std::uint64_t size = 1;
    std::uint64_t from = 0;  // stride of the cells
    std::uint64_t to = 0;    // of the table
  };
  std::vector<Axis> axes(plan.axes.size());
  std::uint64_t from = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    Axis& axis = axes[factor.axes[i].sum_axis];
    axis.size = sizes[i];
    axis.from = from;
    from *= sizes[i];
  }
  std::uint64_t to = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    axes[i].to = to;
    to <<= plan.axes[i].variables();
  }
  table += step * axes[factor.steps.sum_axis].to;
  const Axis lowest = axes.empty() ? Axis{} : axes.front();
  // The others, that of neighbouring cells fastest.
  std::vector<Axis> others(axes.begin() + 1, axes.end());
  std::sort(others.begin(), others.end(),
            [](const Axis& a, const Axis& b) { return a.from > b.from; });
  std::vector<std::uint64_t> at(others.size(), 0);
  std::uint64_t rows = 1;
  for (const Axis& axis : others) rows *= axis.size;
  const std::int64_t* in = cells.data();
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::uint64_t i = 0; i < lowest.size; ++i) {
      table[i] = Fp::FromInt(in[i * lowest.from]).value();
    }
    for (std::size_t i = others.size(); i-- > 0;) {
      in += others[i].from;
      table += others[i].to;
      if (++at[i] < others[i].size) break;
      in -= others[i].from * others[i].size;
      table -= others[i].to * others[i].size;
      at[i] = 0;
    }
  }
}

FactorTable::FactorTable(const ProductPlan& plan, const FactorPlan& factor,
                         std::vector<std::uint64_t> sizes)
    : factor_(factor), sizes_(std::move(sizes)) {
  std::vector<bool> kept;
  std::vector<std::vector<Fp2>> folded_weights;
  std::vector<std::vector<Fp2>> kept_weights;
  bool weighted = false;
  std::set<std::uint64_t> seen;  // strides of axes of more than one element
  for (std::size_t i = 0; i < factor.axes.size(); ++i) {
    const FactorAxis& axis = factor.axes[i];
    kept.push_back(axis.fate != FactorAxis::Fate::kFolded);
    if (!kept.back()) {
      folded_weights.push_back(axis.functional->ToWeights());
      continue;
    }
    weighted = weighted || axis.functional.has_value();
    kept_weights.push_back(axis.functional ? axis.functional->ToWeights()
                                           : std::vector<Fp2>(sizes_[i], Fp2(1)));
    std::uint64_t stride = 1;
    for (std::size_t a = 0; a < axis.sum_axis; ++a) stride <<= plan.axes[a].variables();
    FLAIR_CHECK(plan.axes[axis.sum_axis].variables() == 0 || seen.insert(stride).second)
        << "two axes of a factor are one of the sum";
    strides_.push_back(stride);
  }
  kept_offsets_ = OffsetsOf(sizes_, kept);
  innermost_is_kept_ = kept.empty() || kept.back();
  kept.flip();
  folded_offsets_ = OffsetsOf(sizes_, kept);
  folded_weights_ = OuterProduct(folded_weights);
  if (weighted) kept_weights_ = OuterProduct(kept_weights);
}

std::vector<Fp2> FactorTable::Fold(std::span<const std::int64_t> cells) const {
  const auto [least, most] = std::minmax_element(cells.begin(), cells.end());
  constexpr std::int64_t kBias = std::int64_t{1} << kSmallBits;
  const bool small = *least >= -kBias && *most < kBias && folded_offsets_.size() <= kMaxUnreduced;
  Fp2 bias;
  for (const Fp2& w : folded_weights_) bias += w;
  bias *= Fp2(static_cast<std::uint64_t>(kBias));
  std::vector<Fp2> out(kept_offsets_.size());
  const std::size_t tiles = (out.size() + kTile - 1) / kTile;
  const auto body = [&](std::size_t tile) {
    const std::size_t begin = tile * kTile;
    const std::size_t n = std::min(kTile, out.size() - begin);
    if (!small) {
      for (std::size_t s = begin; s < begin + n; ++s) {
        for (std::size_t j = 0; j < folded_offsets_.size(); ++j) {
          out[s] += folded_weights_[j] * Fp::FromInt(cells[kept_offsets_[s] + folded_offsets_[j]]);
        }
      }
      return OkStatus();
    }
    std::array<Uint128, kTile> a{};
    std::array<Uint128, kTile> b{};
    const auto add = [&](std::size_t s, std::size_t j) {
      const auto v =
          static_cast<std::uint64_t>(cells[kept_offsets_[begin + s] + folded_offsets_[j]] + kBias);
      a[s] += static_cast<Uint128>(folded_weights_[j].a.value()) * v;
      b[s] += static_cast<Uint128>(folded_weights_[j].b.value()) * v;
    };
    if (innermost_is_kept_) {
      for (std::size_t j = 0; j < folded_offsets_.size(); ++j) {
        for (std::size_t s = 0; s < n; ++s) add(s, j);
      }
    } else {
      for (std::size_t s = 0; s < n; ++s) {
        for (std::size_t j = 0; j < folded_offsets_.size(); ++j) add(s, j);
      }
    }
    for (std::size_t s = 0; s < n; ++s) out[begin + s] = Fp2(Reduce(a[s]), Reduce(b[s])) - bias;
    return OkStatus();
  };
  const Status done =
      cells.size() < 100'000 ? ParallelFor(tiles, 1, body) : ParallelFor(tiles, body);
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  for (std::size_t s = 0; s < kept_weights_.size(); ++s) out[s] *= kept_weights_[s];
  return out;
}

void FactorTable::Add(std::span<const std::int64_t> cells, Fp2 weight, std::uint64_t first,
                      KSpan table) const {
  std::vector<Fp2> values = Fold(cells);
  // Couplings, axis by axis: [outer][q][inner] to [outer][p][inner].
  std::vector<std::uint64_t> sizes;
  for (std::size_t i = 0; i < factor_.axes.size(); ++i) {
    if (factor_.axes[i].fate != FactorAxis::Fate::kFolded) sizes.push_back(sizes_[i]);
  }
  std::size_t kept = 0;
  for (const FactorAxis& axis : factor_.axes) {
    if (axis.fate == FactorAxis::Fate::kFolded) continue;
    if (axis.fate == FactorAxis::Fate::kCoupled) {
      std::uint64_t inner = 1;
      for (std::size_t i = kept + 1; i < sizes.size(); ++i) inner *= sizes[i];
      const std::uint64_t from = sizes[kept];
      const std::uint64_t to = axis.matrix.size();
      const std::uint64_t outer = values.size() / (inner * from);
      std::vector<Fp2> coupled(outer * to * inner);
      for (std::uint64_t o = 0; o < outer; ++o) {
        for (std::uint64_t p = 0; p < to; ++p) {
          for (std::uint64_t q = 0; q < from; ++q) {
            const Fp2 m = axis.matrix[p][q];
            if (m.is_zero()) continue;
            const Fp2* in = &values[(o * from + q) * inner];
            Fp2* out = &coupled[(o * to + p) * inner];
            for (std::uint64_t i = 0; i < inner; ++i) out[i] += m * in[i];
          }
        }
      }
      values = std::move(coupled);
      sizes[kept] = to;
    }
    ++kept;
  }
  // Into the table: no two values have one place.
  const std::size_t parts = (values.size() + kValuesAtOnce - 1) / kValuesAtOnce;
  const Status done = ParallelFor(parts, [&](std::size_t part) {
    const std::size_t end = std::min(values.size(), (part + 1) * kValuesAtOnce);
    std::vector<std::uint64_t> at(sizes.size(), 0);
    std::uint64_t index = first;
    std::size_t rest = part * kValuesAtOnce;
    for (std::size_t i = sizes.size(); i-- > 0;) {
      at[i] = rest % sizes[i];
      rest /= sizes[i];
      index += at[i] * strides_[i];
    }
    for (std::size_t v = part * kValuesAtOnce; v < end; ++v) {
      table.Set(index, table.at(index) + values[v] * weight);
      for (std::size_t i = sizes.size(); i-- > 0;) {
        index += strides_[i];
        if (++at[i] < sizes[i]) break;
        index -= strides_[i] * sizes[i];
        at[i] = 0;
      }
    }
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
}

}  // namespace flair::zk
