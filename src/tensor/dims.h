// The size of a tensor of given dims, or that there is none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tensor/dtype.h"

namespace flair {

inline constexpr std::size_t kMaxTensorDims = 32;  // kMaxDims of object/content.h

// product(dims) * element size. Nothing when the product of the dims that are not 0
// passes 64 bits: a tensor without elements that no framework could have written either,
// and the object format refuses it.
inline std::optional<std::uint64_t> BytesOfDims(DType dtype, std::span<const std::uint64_t> dims) {
  std::uint64_t bytes = DTypeBytes(dtype);
  bool empty = false;
  for (const std::uint64_t d : dims) {
    if (d == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(bytes, d, &bytes)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : bytes;
}

}  // namespace flair
