// Walks over row-major tensors whose axes are broadcast, permuted or cut.
//
// Place: program; the evaluator and the integer kernels share it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "program/program.h"

namespace flair::program {

// Steps of a flat index, one for each axis.
using Strides = std::vector<std::size_t>;

inline Strides RowMajor(const Dims& dims) {
  Strides strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// Reads a tensor of `dims` as if it had the dims `out`: broadcast axes do not move.
inline Strides Broadcasting(const Dims& dims, const Dims& out) {
  const Strides own = RowMajor(dims);
  Strides strides(out.size(), 0);
  const std::size_t skip = out.size() - dims.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) strides[skip + i] = own[i];
  }
  return strides;
}

// A walk over all elements of `dims` in row-major order that keeps one flat index moving
// by `strides`.
class Walk {
 public:
  Walk(const Dims& dims, Strides strides, std::size_t start = 0)
      : dims_(dims), strides_(std::move(strides)), at_(dims.size(), 0), index_(start) {}

  std::size_t index() const { return index_; }
  void Next() {
    for (std::size_t i = dims_.size(); i-- > 0;) {
      index_ += strides_[i];
      if (++at_[i] < dims_[i]) return;
      index_ -= strides_[i] * dims_[i];
      at_[i] = 0;
    }
  }

 private:
  const Dims& dims_;
  Strides strides_;
  std::vector<std::uint64_t> at_;
  std::size_t index_;
};

// A tensor as [outer, extent of `axis`, inner].
struct AxisView {
  std::size_t outer = 1, extent = 1, inner = 1;
};
inline AxisView AlongAxis(const Dims& dims, std::size_t axis) {
  AxisView v;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    (i < axis ? v.outer : i == axis ? v.extent : v.inner) *= dims[i];
  }
  return v;
}

}  // namespace flair::program
