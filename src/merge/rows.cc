// SPDX-License-Identifier: Apache-2.0
#include "merge/rows.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace flair {

std::size_t RowSources::Add(std::shared_ptr<const ByteSource> source, std::string what) {
  const auto known = std::find(sources_.begin(), sources_.end(), source);
  if (known != sources_.end()) return static_cast<std::size_t>(known - sources_.begin());
  sources_.push_back(std::move(source));
  what_.push_back(std::move(what));
  return sources_.size() - 1;
}

Status RowSources::LoadUnchecked(std::uint64_t first, std::uint64_t n, Scratch& scratch) const {
  const std::uint64_t element_bytes = DTypeBytes(dtype_);
  if (scratch.raw.size() < sources_.size()) scratch.raw.resize(sources_.size());
  for (std::size_t r = 0; r < sources_.size(); ++r) {
    Bytes& raw = scratch.raw[r];
    if (raw.size() < n * element_bytes) raw.resize(n * element_bytes);
    FLAIR_DO(
        sources_[r]->ReadAt(first * element_bytes, MutableByteView(raw.data(), n * element_bytes)));
  }
  return OkStatus();
}

Status RowSources::Load(std::uint64_t first, std::uint64_t n, Scratch& scratch) const {
  FLAIR_DO(LoadUnchecked(first, n, scratch));
  return CheckFinite(first, n, scratch);
}

Status RowSources::CheckFinite(std::uint64_t first, std::uint64_t n, Scratch& scratch) const {
  const auto check = [&](auto rows, std::uint64_t k, std::size_t count) -> Status {
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!kernels::AnyNonFinite(rows[r], count)) continue;
      const auto bad =
          std::find_if(rows[r], rows[r] + count, [](auto v) { return !std::isfinite(v); });
      const std::uint64_t element = first + k + static_cast<std::uint64_t>(bad - rows[r]);
      return Error(ErrorCode::kConflict, "tensor '" + name_ + "': " + what_[r] + " holds " +
                                             (std::isnan(*bad) ? "NaN" : "infinity") +
                                             " at element " + std::to_string(element))
          .WithHint("leave that input out, or repair it");
    }
    return OkStatus();
  };
  if (dtype_ == DType::kF32) return ForEachChunk<float>(n, scratch, check);
  return ForEachChunk<double>(n, scratch, check);
}

std::unique_ptr<RowSources::Scratch> ScratchPool::Take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<RowSources::Scratch>();
  auto scratch = std::move(free_.back());
  free_.pop_back();
  return scratch;
}

void ScratchPool::Return(std::unique_ptr<RowSources::Scratch> scratch) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(scratch));
}

}  // namespace flair
