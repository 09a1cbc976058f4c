// SPDX-License-Identifier: Apache-2.0
#include "merge/combine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "base/check.h"
#include "merge/kernels.h"
#include "merge/rows.h"
#include "tensor/convert.h"

namespace flair {
namespace {

std::string InputName(const CombineInputs& in, std::size_t i) {
  return "input " + (i < in.input_names.size() ? in.input_names[i] : std::to_string(i + 1));
}

void CheckShape(const CombineInputs& in) {
  const std::uint64_t size = in.num_elements * DTypeBytes(in.dtype);
  FLAIR_CHECK(!in.inputs.empty() && in.inputs.size() == in.bases.size())
      << "sides of tensor " << in.name;
  const auto fits = [&](const auto& source) { return source->size_bytes() == size; };
  FLAIR_CHECK(fits(in.target)) << in.name;
  FLAIR_CHECK(std::all_of(in.inputs.begin(), in.inputs.end(), fits)) << in.name;
  FLAIR_CHECK(std::all_of(in.bases.begin(), in.bases.end(), fits)) << in.name;
}

// Reads that start or end inside an element: computes whole elements into `spare`.
Status ReadWholeElements(std::uint64_t element_bytes, std::uint64_t offset, MutableByteView out,
                         const std::function<Status(std::uint64_t, MutableByteView)>& compute) {
  const std::uint64_t first = offset / element_bytes;
  const std::uint64_t end = (offset + out.size() + element_bytes - 1) / element_bytes;
  Bytes spare((end - first) * element_bytes);
  FLAIR_DO(compute(first, spare));
  std::memcpy(out.data(), spare.data() + (offset - first * element_bytes), out.size());
  return OkStatus();
}

// A source whose elements are computed: ComputeElements does a whole number of them.
class ComputedSource : public ByteSource {
 public:
  ComputedSource(DType dtype, std::uint64_t num_elements)
      : element_bytes_(DTypeBytes(dtype)), size_bytes_(num_elements * element_bytes_) {}

  std::uint64_t size_bytes() const override { return size_bytes_; }

  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    if (offset > size_bytes_ || out.size() > size_bytes_ - offset) {
      return Error(ErrorCode::kCorrupt, "read past the end of a merged tensor");
    }
    if (offset % element_bytes_ == 0 && out.size() % element_bytes_ == 0) {
      return ComputeInBlocks(offset / element_bytes_, out);
    }
    return ReadWholeElements(
        element_bytes_, offset, out,
        [this](std::uint64_t first, MutableByteView all) { return ComputeInBlocks(first, all); });
  }

 protected:
  // At most kMergeBlockElements of them.
  virtual Status ComputeElements(std::uint64_t first, MutableByteView out) const = 0;

 private:
  // Bounds the memory of one call, however much is asked for.
  Status ComputeInBlocks(std::uint64_t first, MutableByteView out) const {
    const std::size_t block_bytes = kMergeBlockElements * element_bytes_;
    while (!out.empty()) {
      const MutableByteView block = out.first(std::min(out.size(), block_bytes));
      FLAIR_DO(ComputeElements(first, block));
      first += block.size() / element_bytes_;
      out = out.subspan(block.size());
    }
    return OkStatus();
  }

  std::uint64_t element_bytes_;
  std::uint64_t size_bytes_;
};

class CombinedSource final : public ComputedSource {
 public:
  CombinedSource(const CombineInputs& in, const MergeRule& rule, TensorRole role)
      : ComputedSource(in.dtype, in.num_elements), rows_(in.name, in.dtype) {
    target_ = rows_.Add(in.target, "the target");
    const std::size_t n = in.inputs.size();
    linear_ = rule.method != MergeMethod::kMedian && rule.method != MergeMethod::kTrimmedMean;
    FLAIR_CHECK(!linear_ || rule.alpha.size() == n) << in.name << ": weights";
    for (std::size_t i = 0; i < n; ++i) {
      // A weight of zero adds +0 to a sum that is never -0: the input need not be read.
      if (linear_ && rule.alpha[i] == 0) continue;
      inputs_.push_back(rows_.Add(in.inputs[i], InputName(in, i)));
      // Statistics are values, not updates: their mean must stay inside what was measured.
      const bool as_value = role == TensorRole::kStatistics;
      bases_.push_back(as_value ? target_
                                : rows_.Add(in.bases[i], "the base of " + InputName(in, i)));
      // Exact: a_i has at most 32 bits.
      if (linear_) alpha_.push_back(static_cast<double>(rule.alpha[i]) / kAlphaOne);
    }
    if (linear_) return;
    network_ = kernels::SortingNetwork(n);
    if (rule.method == MergeMethod::kMedian) {
      ranks_ = {
          .first = (n - 1) / 2, .count = n % 2 == 1 ? 1U : 2U, .mean = kernels::RankMean::kMedian};
    } else {
      const std::size_t cut = std::uint64_t{rule.beta_per_million} * n / kMillion;
      ranks_ = {.first = cut, .count = n - 2 * cut, .mean = kernels::RankMean::kMean};
    }
  }

 protected:
  Status ComputeElements(std::uint64_t first, MutableByteView out) const override {
    auto scratch = pool_.Take();
    const Status status = rows_.dtype() == DType::kF32 ? Compute<float>(first, out, *scratch)
                                                       : Compute<double>(first, out, *scratch);
    pool_.Return(std::move(scratch));
    return status;
  }

 private:
  template <typename T>
  Status Compute(std::uint64_t first, MutableByteView out, RowSources::Scratch& scratch) const {
    const std::uint64_t element_bytes = DTypeBytes(rows_.dtype());
    const std::uint64_t n = out.size() / element_bytes;
    FLAIR_DO(rows_.Load(first, n, scratch));
    std::vector<const T*> inputs(inputs_.size());
    std::vector<const T*> bases(bases_.size());
    double sum[kernels::kChunk];
    T merged[kernels::kChunk];
    return rows_.ForEachChunk<T>(
        n, scratch, [&](std::span<const T* const> rows, std::uint64_t k, std::size_t count) {
          for (std::size_t i = 0; i < inputs.size(); ++i) {
            inputs[i] = rows[inputs_[i]];
            bases[i] = rows[bases_[i]];
          }
          if (linear_) {
            kernels::LinearUpdate<T>(inputs, bases, alpha_, count, sum);
          } else {
            kernels::RankUpdate<T>(inputs, bases, network_, ranks_, count, sum);
          }
          kernels::AddUpdate<T>(rows[target_], sum, count, merged);
          return Store(merged, first + k, out.subspan(k * element_bytes, count * element_bytes));
        });
  }

  template <typename T>
  Status Store(const T* merged, std::uint64_t first, MutableByteView out) const {
    const DType dtype = rows_.dtype();
    const std::size_t count = out.size() / DTypeBytes(dtype);
    bool finite = !kernels::AnyNonFinite(merged, count);
    if (dtype == DType::kF32 || dtype == DType::kF64) {
      std::memcpy(out.data(), merged, out.size());
    } else if constexpr (sizeof(T) == sizeof(double)) {
      StoreFromDouble(dtype, std::span(merged, count), out);
      double stored[kernels::kChunk];
      LoadAsDouble(dtype, out, std::span(stored, count));
      finite = finite && !kernels::AnyNonFinite(stored, count);
    }
    if (finite) return OkStatus();
    return Error(ErrorCode::kConflict, "tensor '" + rows_.name() +
                                           "': the merged value overflows " +
                                           std::string(DTypeName(dtype)) + " at or after element " +
                                           std::to_string(first));
  }

  RowSources rows_;
  bool linear_ = true;
  std::size_t target_ = 0;
  std::vector<std::size_t> inputs_;  // rows
  std::vector<std::size_t> bases_;
  std::vector<double> alpha_;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> network_;
  kernels::Ranks ranks_;
  mutable ScratchPool pool_;
};

// --- the maximum of integers -------------------------------------------------------------

template <typename T>
void TakeMaximum(ByteView other, MutableByteView best) {
  for (std::size_t k = 0; k + sizeof(T) <= best.size(); k += sizeof(T)) {
    T a;
    T b;
    std::memcpy(&a, best.data() + k, sizeof a);
    std::memcpy(&b, other.data() + k, sizeof b);
    const T larger = std::max(a, b);
    std::memcpy(best.data() + k, &larger, sizeof larger);
  }
}

using MaximumFunction = void (*)(ByteView, MutableByteView);

MaximumFunction MaximumOf(DType dtype) {
  switch (dtype) {
    case DType::kU8:
      return TakeMaximum<std::uint8_t>;
    case DType::kI8:
      return TakeMaximum<std::int8_t>;
    case DType::kU16:
      return TakeMaximum<std::uint16_t>;
    case DType::kI16:
      return TakeMaximum<std::int16_t>;
    case DType::kU32:
      return TakeMaximum<std::uint32_t>;
    case DType::kI32:
      return TakeMaximum<std::int32_t>;
    case DType::kU64:
      return TakeMaximum<std::uint64_t>;
    case DType::kI64:
      return TakeMaximum<std::int64_t>;
    default:
      return nullptr;
  }
}

class MaximumSource final : public ComputedSource {
 public:
  explicit MaximumSource(CombineInputs in)
      : ComputedSource(in.dtype, in.num_elements),
        maximum_(MaximumOf(in.dtype)),
        element_bytes_(DTypeBytes(in.dtype)),
        in_(std::move(in)) {
    FLAIR_CHECK(maximum_ != nullptr) << in_.name << " holds no integers";
  }

 protected:
  Status ComputeElements(std::uint64_t first, MutableByteView out) const override {
    const std::uint64_t offset = first * element_bytes_;
    FLAIR_DO(in_.target->ReadAt(offset, out));
    Bytes other(out.size());
    for (const auto& input : in_.inputs) {
      FLAIR_DO(input->ReadAt(offset, other));
      maximum_(other, out);
    }
    return OkStatus();
  }

 private:
  MaximumFunction maximum_;
  std::uint64_t element_bytes_;
  CombineInputs in_;
};

}  // namespace

std::unique_ptr<ByteSource> CombinedTensor(CombineInputs in, const MergeRule& rule,
                                           TensorRole role) {
  CheckShape(in);
  FLAIR_CHECK(IsFloat(in.dtype)) << in.name << " holds no floats";
  return std::make_unique<CombinedSource>(in, rule, role);
}

std::unique_ptr<ByteSource> MaximumTensor(CombineInputs in) {
  CheckShape(in);
  return std::make_unique<MaximumSource>(std::move(in));
}

}  // namespace flair
