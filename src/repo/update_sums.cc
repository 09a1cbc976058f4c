// SPDX-License-Identifier: Apache-2.0
#include "repo/update_sums.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/threads.h"
#include "merge/kernels.h"
#include "merge/rows.h"
#include "tensor/elements.h"

namespace flair {
namespace {

using kernels::kChunk;
using kernels::kLanes;

struct Lanes {
  double at[kLanes] = {};
  void Dot(const double* a, const double* b, std::size_t n) { kernels::AddDot(a, b, n, at); }
  double Fold() const { return kernels::FoldLanes(at); }
};

// Widens a row into `out`, padded with zeros to whole lanes; NaN and infinity become 0.
template <typename T>
void Widen(const T* row, std::size_t count, std::size_t padded, double* out) {
  for (std::size_t k = 0; k < count; ++k) out[k] = static_cast<double>(row[k]);
  std::fill(out + count, out + padded, 0.0);
  if (!kernels::AnyNonFinite(row, count)) return;
  for (std::size_t k = 0; k < count; ++k) {
    if (!std::isfinite(out[k])) out[k] = 0.0;
  }
}

class BlockSummer {
 public:
  explicit BlockSummer(const CombineInputs& in) : rows_(in.name, in.dtype) {
    for (std::size_t i = 0; i < in.inputs.size(); ++i) {
      tips_.push_back(rows_.Add(in.inputs[i], ""));
      bases_.push_back(rows_.Add(in.bases[i], ""));
    }
  }

  Status Sum(std::uint64_t first, std::uint64_t n, UpdateSums& out) {
    auto scratch = pool_.Take();
    const Status status = rows_.dtype() == DType::kF32 ? SumAs<float>(first, n, *scratch, out)
                                                       : SumAs<double>(first, n, *scratch, out);
    pool_.Return(std::move(scratch));
    return status;
  }

 private:
  template <typename T>
  Status SumAs(std::uint64_t first, std::uint64_t n, RowSources::Scratch& scratch,
               UpdateSums& out) const {
    FLAIR_DO(rows_.LoadUnchecked(first, n, scratch));
    CountChanged(n, scratch, out);
    Lanes base;
    Lanes tip;
    Lanes tip_dot_base;
    Lanes update;
    Lanes mean;
    Lanes update_dot_mean;
    double w[kChunk];
    double b[kChunk];
    double d[kChunk];
    double m[kChunk];
    const auto num_others = static_cast<double>(tips_.size() - 1);
    const auto visit = [&](std::span<const T* const> rows, std::uint64_t,
                           std::size_t count) -> Status {
      const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes;
      CountNonFinite(rows[tips_[0]], count, out);
      Widen(rows[tips_[0]], count, padded, w);
      Widen(rows[bases_[0]], count, padded, b);
      for (std::size_t k = 0; k < padded; ++k) {
        d[k] = w[k] - b[k];
        out.max_abs = std::max(out.max_abs, std::abs(d[k]));
      }
      base.Dot(b, b, padded);
      tip.Dot(w, w, padded);
      tip_dot_base.Dot(w, b, padded);
      update.Dot(d, d, padded);
      if (tips_.size() == 1) return OkStatus();
      std::fill(m, m + padded, 0.0);
      for (std::size_t i = 1; i < tips_.size(); ++i) {
        Widen(rows[tips_[i]], count, padded, w);
        Widen(rows[bases_[i]], count, padded, b);
        for (std::size_t k = 0; k < padded; ++k) m[k] += w[k] - b[k];
      }
      for (std::size_t k = 0; k < padded; ++k) m[k] /= num_others;
      mean.Dot(m, m, padded);
      update_dot_mean.Dot(d, m, padded);
      return OkStatus();
    };
    FLAIR_DO(rows_.ForEachChunk<T>(n, scratch, visit));
    out.base = base.Fold();
    out.tip = tip.Fold();
    out.tip_dot_base = tip_dot_base.Fold();
    out.update = update.Fold();
    out.mean = mean.Fold();
    out.update_dot_mean = update_dot_mean.Fold();
    return OkStatus();
  }

  void CountChanged(std::uint64_t n, const RowSources::Scratch& scratch, UpdateSums& out) const {
    if (tips_[0] == bases_[0]) return;
    const std::uint64_t element_bytes = DTypeBytes(rows_.dtype());
    const auto bytes = [&](std::size_t row) {
      return ByteView(scratch.raw[row].data(), n * element_bytes);
    };
    out.num_changed += CountDifferent(bytes(bases_[0]), bytes(tips_[0]), element_bytes);
  }

  template <typename T>
  static void CountNonFinite(const T* row, std::size_t count, UpdateSums& out) {
    if (!kernels::AnyNonFinite(row, count)) return;
    for (std::size_t k = 0; k < count; ++k) {
      out.num_nan += std::isnan(row[k]) ? 1U : 0U;
      out.num_inf += std::isinf(row[k]) ? 1U : 0U;
    }
  }

  RowSources rows_;
  std::vector<std::size_t> tips_;
  std::vector<std::size_t> bases_;
  ScratchPool pool_;
};

}  // namespace

void UpdateSums::Add(const UpdateSums& other) {
  num_changed += other.num_changed;
  num_nan += other.num_nan;
  num_inf += other.num_inf;
  base += other.base;
  tip += other.tip;
  tip_dot_base += other.tip_dot_base;
  update += other.update;
  mean += other.mean;
  update_dot_mean += other.update_dot_mean;
  max_abs = std::max(max_abs, other.max_abs);
}

Result<UpdateSums> SumUpdate(const CombineInputs& in) {
  const std::uint64_t num_blocks =
      (in.num_elements + kMergeBlockElements - 1) / kMergeBlockElements;
  std::vector<UpdateSums> blocks(num_blocks);
  BlockSummer summer(in);
  const auto block = [&](std::size_t i) {
    const std::uint64_t first = i * kMergeBlockElements;
    return summer.Sum(first, std::min(kMergeBlockElements, in.num_elements - first), blocks[i]);
  };
  FLAIR_DO(ParallelFor(num_blocks, block));
  UpdateSums total;
  for (const UpdateSums& sums : blocks) total.Add(sums);
  return total;
}

}  // namespace flair
