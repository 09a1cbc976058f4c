// DType: the element types a tensor can have, named as safetensors names them.
//
// The numeric values are part of the object format (docs/formats/object.md):
// append only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace flair {

enum class DType : std::uint8_t {
  kBool = 1,
  kU8 = 2,
  kI8 = 3,
  kI16 = 4,
  kU16 = 5,
  kF16 = 6,
  kBF16 = 7,
  kI32 = 8,
  kU32 = 9,
  kF32 = 10,
  kF64 = 11,
  kI64 = 12,
  kU64 = 13,
  kF8E4M3 = 14,
  kF8E5M2 = 15,
  kC64 = 16,   // two F32
  kC128 = 17,  // two F64
};

constexpr std::uint8_t kMaxDType = 17;

constexpr std::uint64_t DTypeBytes(DType t) {
  switch (t) {
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
    case DType::kF8E4M3:
    case DType::kF8E5M2:
      return 1;
    case DType::kI16:
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kI32:
    case DType::kU32:
    case DType::kF32:
      return 4;
    case DType::kF64:
    case DType::kI64:
    case DType::kU64:
    case DType::kC64:
      return 8;
    case DType::kC128:
      return 16;
  }
  return 0;
}

constexpr bool IsFloat(DType t) {
  return t == DType::kF16 || t == DType::kBF16 || t == DType::kF32 || t == DType::kF64 ||
         t == DType::kF8E4M3 || t == DType::kF8E5M2;
}

// "F32"; and back, nullopt for an unknown name.
std::string_view DTypeName(DType t);
std::optional<DType> DTypeFromName(std::string_view name);

}  // namespace flair
