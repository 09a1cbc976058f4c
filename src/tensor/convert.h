// Conversion of tensor elements to and from float64, and to int8 for light clones.
//
// Place: tensor; `merge` streams every rule through float64 with it, `repo` makes
// light clones. Each function is pure and gives the same bits on every machine.
//
// Invariants
//   (1) Every stored value is the nearest one of its type, ties to even, from one
//       rounding: F16, BF16 and F8 are reached directly, never by way of F32.
//   (2) What LoadAsDouble gives, StoreFromDouble of the same type stores again,
//       except that integers beyond 2^53 are rounded and that a NaN becomes the
//       type's canonical quiet NaN (its payload would depend on the machine).
//
// Thread safety: free functions without state.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "tensor/dtype.h"

namespace flair {

// Doubles per element: 2 for complex types (real, imaginary), otherwise 1.
constexpr std::uint64_t DoublesPerElement(DType t) {
  return t == DType::kC64 || t == DType::kC128 ? 2 : 1;
}

// REQUIRES: in.size() == n * DTypeBytes(dtype) and out.size() == n * DoublesPerElement(dtype)
// for some n. Bytes need no alignment.
void LoadAsDouble(DType dtype, ByteView in, std::span<double> out);

// Floats: beyond the largest finite value lies infinity; F8E4M3 has none and stays at its
// largest value, as in PyTorch. Integers: rounded half to even, clamped to the type's range, NaN
// gives 0. Bool: 1 for anything but 0. REQUIRES: sizes as above.
void StoreFromDouble(DType dtype, std::span<const double> in, MutableByteView out);

// One row of symmetric int8: value = scale * q, q in [-127, 127], scale = max|x| / 127
// rounded to F32 (1 for a row of zeros). Returns the scale.
// Errors: kInvalidArgument for a NaN, an infinity, or a maximum beyond F32.
// REQUIRES: out.size() == row.size().
Result<float> QuantiseRowInt8(std::span<const double> row, std::span<std::int8_t> out);

struct Int8Tensor {
  std::vector<std::int8_t> values;  // row-major, as the tensor
  std::vector<float> scales;        // one for each index of the channel axis
};

// Quantises a float tensor with one scale per output channel: `channel_axis` is 0 in
// PyTorch's layouts and the last axis in Keras'. A tensor without axes has one channel.
// Errors: as QuantiseRowInt8, and kInvalidArgument for a dtype that is not a float, an
// axis that is not there, or a size that is not that of dims.
Result<Int8Tensor> QuantiseInt8(DType dtype, std::span<const std::uint64_t> dims,
                                std::size_t channel_axis, ByteView data);

// The inverse, rounded once to F32.
// Errors: kInvalidArgument when the sizes do not belong to dims.
Result<std::vector<float>> DequantiseInt8(const Int8Tensor& tensor,
                                          std::span<const std::uint64_t> dims,
                                          std::size_t channel_axis);

}  // namespace flair
