// Statistics of two tensors, streamed: blocks in parallel, sums in block order.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <span>

#include "base/threads.h"
#include "repo/diff.h"
#include "tensor/convert.h"
#include "tensor/elements.h"

namespace flair {
namespace {

constexpr std::uint64_t kBlockElements = std::uint64_t{1} << 18;
constexpr std::size_t kChunk = 4096;

struct Sums {
  std::uint64_t num_changed = 0;
  std::uint64_t num_nan = 0;
  std::uint64_t num_inf = 0;
  double before = 0;  // squares
  double after = 0;
  double delta = 0;
  double dot = 0;
  double max_abs = 0;
  std::vector<std::uint64_t> histogram;

  void Add(const Sums& other) {
    num_changed += other.num_changed;
    num_nan += other.num_nan;
    num_inf += other.num_inf;
    before += other.before;
    after += other.after;
    delta += other.delta;
    dot += other.dot;
    max_abs = std::max(max_abs, other.max_abs);
    for (std::size_t i = 0; i < other.histogram.size(); ++i) histogram[i] += other.histogram[i];
  }
};

// Four sums in four lanes each, so that the loop does not wait for one addition.
struct Lanes {
  double before[4] = {};
  double after[4] = {};
  double delta[4] = {};
  double dot[4] = {};
  double max_abs[4] = {};

  void Into(Sums& sums) const {
    const auto fold = [](const double* l) { return (l[0] + l[2]) + (l[1] + l[3]); };
    sums.before += fold(before);
    sums.after += fold(after);
    sums.delta += fold(delta);
    sums.dot += fold(dot);
    for (const double m : max_abs) sums.max_abs = std::max(sums.max_abs, m);
  }
};

void AddChunk(double* a, double* b, std::size_t count, Lanes& lanes, Sums& sums) {
  for (std::size_t k = 0; k < count; ++k) {
    if (std::isfinite(a[k]) && std::isfinite(b[k])) continue;
    sums.num_nan += std::isnan(b[k]) ? 1 : 0;
    sums.num_inf += std::isinf(b[k]) ? 1 : 0;
    a[k] = 0;
    b[k] = 0;
  }
  std::fill(a + count, a + (count + 3) / 4 * 4, 0.0);
  std::fill(b + count, b + (count + 3) / 4 * 4, 0.0);
  for (std::size_t k = 0; k < count; k += 4) {
    for (std::size_t l = 0; l < 4; ++l) {
      const double x = a[k + l];
      const double y = b[k + l];
      const double d = y - x;
      lanes.before[l] += x * x;
      lanes.after[l] += y * y;
      lanes.delta[l] += d * d;
      lanes.dot[l] += x * y;
      lanes.max_abs[l] = std::abs(d) > lanes.max_abs[l] ? std::abs(d) : lanes.max_abs[l];
    }
  }
}

void AddHistogram(const double* a, const double* b, std::size_t count, double max_abs,
                  std::vector<std::uint64_t>& histogram) {
  const double bins_per_unit = static_cast<double>(histogram.size()) / (2 * max_abs);
  for (std::size_t k = 0; k < count; ++k) {
    if (!std::isfinite(a[k]) || !std::isfinite(b[k])) continue;
    // In [0, bins]; the largest difference belongs to the last bin.
    const double at = (b[k] - a[k] + max_abs) * bins_per_unit;
    const auto bin = static_cast<std::size_t>(std::max(at, 0.0));
    ++histogram[std::min(bin, histogram.size() - 1)];
  }
}

class Comparison {
 public:
  Comparison(DType dtype, const ByteSource& before, const ByteSource& after)
      : dtype_(dtype), before_(before), after_(after) {}

  // `bins` > 0: only the histogram over [-max_abs, max_abs].
  Result<Sums> Run(std::size_t bins, double max_abs) const {
    const std::uint64_t n = before_.size_bytes() / DTypeBytes(dtype_);
    const std::uint64_t num_blocks = (n + kBlockElements - 1) / kBlockElements;
    std::vector<Sums> blocks(num_blocks);
    const auto block = [&](std::size_t i) -> Status {
      blocks[i].histogram.resize(bins);
      const std::uint64_t first = i * kBlockElements;
      return Block(first, std::min(kBlockElements, n - first), max_abs, blocks[i]);
    };
    FLAIR_DO(ParallelFor(num_blocks, block));
    Sums total;
    total.histogram.resize(bins);
    for (const Sums& sums : blocks) total.Add(sums);
    return total;
  }

 private:
  Status Block(std::uint64_t first, std::uint64_t n, double max_abs, Sums& sums) const {
    const std::uint64_t element_bytes = DTypeBytes(dtype_);
    Bytes raw_a(n * element_bytes);
    Bytes raw_b(n * element_bytes);
    FLAIR_DO(before_.ReadAt(first * element_bytes, raw_a));
    FLAIR_DO(after_.ReadAt(first * element_bytes, raw_b));
    const auto a = std::make_unique<double[]>(kChunk);
    const auto b = std::make_unique<double[]>(kChunk);
    Lanes lanes;
    for (std::uint64_t k = 0; k < n; k += kChunk) {
      const std::size_t count = std::min<std::uint64_t>(kChunk, n - k);
      const ByteView part_a(raw_a.data() + k * element_bytes, count * element_bytes);
      const ByteView part_b(raw_b.data() + k * element_bytes, count * element_bytes);
      LoadAsDouble(dtype_, part_a, std::span(a.get(), count));
      LoadAsDouble(dtype_, part_b, std::span(b.get(), count));
      if (!sums.histogram.empty()) {
        AddHistogram(a.get(), b.get(), count, max_abs, sums.histogram);
        continue;
      }
      sums.num_changed += CountDifferent(part_a, part_b, element_bytes);
      AddChunk(a.get(), b.get(), count, lanes, sums);
    }
    lanes.Into(sums);
    return OkStatus();
  }

  DType dtype_;
  const ByteSource& before_;
  const ByteSource& after_;
};

Error WrongSize() {
  return Error(ErrorCode::kCorrupt, "a tensor's content has another size than its header says");
}

double Cosine(const Sums& sums) {
  if (sums.before == 0 && sums.after == 0) return 1;
  if (sums.before == 0 || sums.after == 0) return 0;
  return std::clamp(sums.dot / (std::sqrt(sums.before) * std::sqrt(sums.after)), -1.0, 1.0);
}

}  // namespace

Result<TensorStats> CompareTensors(const ObjectStore& objects, const TensorRef& before,
                                   const TensorRef& after, std::size_t histogram_bins) {
  if (DoublesPerElement(before.dtype) != 1 || before.dtype != after.dtype ||
      before.content.size_bytes != after.content.size_bytes) {
    return Error(ErrorCode::kUnsupported, "no statistics for " +
                                              std::string(DTypeName(before.dtype)) + " against " +
                                              std::string(DTypeName(after.dtype)));
  }
  FLAIR_TRY(const auto old_source, objects.OpenContent(before.content.hash));
  FLAIR_TRY(const auto new_source, objects.OpenContent(after.content.hash));
  if (old_source->size_bytes() != before.content.size_bytes ||
      new_source->size_bytes() != after.content.size_bytes) {
    return WrongSize();
  }
  const Comparison comparison(before.dtype, *old_source, *new_source);
  FLAIR_TRY(const Sums sums, comparison.Run(0, 0));

  TensorStats stats;
  stats.num_elements = before.num_elements();
  stats.num_changed = sums.num_changed;
  stats.num_nan = sums.num_nan;
  stats.num_inf = sums.num_inf;
  stats.l2_before = std::sqrt(sums.before);
  stats.l2_after = std::sqrt(sums.after);
  stats.l2_delta = std::sqrt(sums.delta);
  stats.cosine = Cosine(sums);
  stats.max_abs_delta = sums.max_abs;
  if (histogram_bins == 0) return stats;
  stats.histogram.assign(histogram_bins, 0);
  if (sums.max_abs == 0 || !std::isfinite(sums.max_abs)) {
    // Every finite difference is zero: it lies in the middle.
    stats.histogram[histogram_bins / 2] = stats.num_elements;
    return stats;
  }
  FLAIR_TRY(Sums counts, comparison.Run(histogram_bins, sums.max_abs));
  stats.histogram = std::move(counts.histogram);
  return stats;
}

Result<bool> HasNonFinite(const ObjectStore& objects, const TensorRef& tensor) {
  if (!IsFloat(tensor.dtype) && DoublesPerElement(tensor.dtype) == 1) return false;
  FLAIR_TRY(const auto source, objects.OpenContent(tensor.content.hash));
  if (source->size_bytes() != tensor.content.size_bytes) return WrongSize();
  const std::uint64_t block_bytes = kBlockElements * DTypeBytes(tensor.dtype);
  const std::uint64_t num_blocks = (source->size_bytes() + block_bytes - 1) / block_bytes;
  std::atomic<bool> found = false;
  const auto block = [&](std::size_t i) -> Status {
    if (found) return OkStatus();
    Bytes bytes(std::min(block_bytes, source->size_bytes() - i * block_bytes));
    FLAIR_DO(source->ReadAt(i * block_bytes, bytes));
    if (HasNonFinite(tensor.dtype, bytes)) found = true;
    return OkStatus();
  };
  FLAIR_DO(ParallelFor(num_blocks, block));
  return found.load();
}

}  // namespace flair
