// Rows: a range of elements of several versions of one tensor, read and widened.
//
// Place: inside merge; `repo` measures updates with it, too. F32 and F64 elements are
// used where they were read; every other float dtype is widened to double, one chunk at
// a time. Each distinct source is read once.
// Thread safety: a RowSources from any thread, with one Scratch for each.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/result.h"
#include "merge/kernels.h"
#include "tensor/convert.h"
#include "tensor/dtype.h"

namespace flair {

class RowSources {
 public:
  // Buffers of one thread, reused from call to call.
  struct Scratch {
    std::vector<Bytes> raw;
    std::vector<double> wide;
    std::vector<double> rows;
  };

  // REQUIRES: dtype is a float.
  RowSources(std::string tensor_name, DType dtype) : name_(std::move(tensor_name)), dtype_(dtype) {}

  // Adds a version and returns its row; a source that is there already keeps its row.
  std::size_t Add(std::shared_ptr<const ByteSource> source, std::string what);

  std::size_t num_rows() const { return sources_.size(); }
  DType dtype() const { return dtype_; }
  const std::string& name() const { return name_; }

  // Reads elements [first, first + n) of every row.
  // Errors: kConflict for NaN or infinity, naming tensor, version and element.
  Status Load(std::uint64_t first, std::uint64_t n, Scratch& scratch) const;
  // Without the check for finite values.
  Status LoadUnchecked(std::uint64_t first, std::uint64_t n, Scratch& scratch) const;

  // Calls visit(rows, k, count) for the loaded range, chunk after chunk: `rows` holds
  // one pointer per row to `count` <= kChunk elements from element k of the range on.
  // T is float for F32 and double otherwise.
  template <typename T, typename Visit>
  Status ForEachChunk(std::uint64_t n, Scratch& scratch, Visit&& visit) const;

 private:
  Status CheckFinite(std::uint64_t first, std::uint64_t n, Scratch& scratch) const;

  std::string name_;
  DType dtype_;
  std::vector<std::shared_ptr<const ByteSource>> sources_;
  std::vector<std::string> what_;
};

// Scratches for concurrent readers, kept between their calls.
class ScratchPool {
 public:
  std::unique_ptr<RowSources::Scratch> Take();
  void Return(std::unique_ptr<RowSources::Scratch> scratch);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<RowSources::Scratch>> free_;
};

template <typename T, typename Visit>
Status RowSources::ForEachChunk(std::uint64_t n, Scratch& scratch, Visit&& visit) const {
  const std::uint64_t element_bytes = DTypeBytes(dtype_);
  const bool in_place = dtype_ == DType::kF32 || dtype_ == DType::kF64;
  if (!in_place) scratch.wide.resize(num_rows() * kernels::kChunk);
  std::vector<const T*> rows(num_rows());
  for (std::uint64_t k = 0; k < n; k += kernels::kChunk) {
    const std::size_t count = std::min<std::uint64_t>(kernels::kChunk, n - k);
    for (std::size_t r = 0; r < num_rows(); ++r) {
      const std::byte* const bytes = scratch.raw[r].data() + k * element_bytes;
      if (in_place) {
        rows[r] = reinterpret_cast<const T*>(bytes);
      } else if constexpr (sizeof(T) == sizeof(double)) {
        double* const wide = scratch.wide.data() + r * kernels::kChunk;
        LoadAsDouble(dtype_, ByteView(bytes, count * element_bytes), std::span(wide, count));
        rows[r] = wide;
      }
    }
    FLAIR_DO(visit(std::span<const T* const>(rows), k, count));
  }
  return OkStatus();
}

}  // namespace flair
