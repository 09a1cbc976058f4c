// SPDX-License-Identifier: Apache-2.0
#include "tensor/torch_dtypes.h"

namespace flair {
namespace {

constexpr struct {
  std::string_view storage;
  DType dtype;
} kStorages[] = {
    {"FloatStorage", DType::kF32},        {"DoubleStorage", DType::kF64},
    {"HalfStorage", DType::kF16},         {"BFloat16Storage", DType::kBF16},
    {"LongStorage", DType::kI64},         {"IntStorage", DType::kI32},
    {"ShortStorage", DType::kI16},        {"CharStorage", DType::kI8},
    {"ByteStorage", DType::kU8},          {"BoolStorage", DType::kBool},
    {"ComplexFloatStorage", DType::kC64}, {"ComplexDoubleStorage", DType::kC128},
};

// Quantised elements mean nothing without their scale, which the pickle keeps; untyped
// storages get their meaning from each tensor.
constexpr struct {
  std::string_view storage;
  std::uint64_t bytes;
} kOpaqueStorages[] = {
    {"UntypedStorage", 1}, {"QInt8Storage", 1},    {"QUInt8Storage", 1},
    {"QInt32Storage", 4},  {"QUInt4x2Storage", 1}, {"QUInt2x4Storage", 1},
};

constexpr struct {
  std::string_view name;
  DType dtype;
} kDTypes[] = {
    {"float32", DType::kF32},        {"float64", DType::kF64},
    {"float16", DType::kF16},        {"bfloat16", DType::kBF16},
    {"int64", DType::kI64},          {"int32", DType::kI32},
    {"int16", DType::kI16},          {"int8", DType::kI8},
    {"uint8", DType::kU8},           {"uint16", DType::kU16},
    {"uint32", DType::kU32},         {"uint64", DType::kU64},
    {"bool", DType::kBool},          {"complex64", DType::kC64},
    {"complex128", DType::kC128},    {"float8_e4m3fn", DType::kF8E4M3},
    {"float8_e5m2", DType::kF8E5M2},
};

}  // namespace

TorchElement TorchElementOfStorage(std::string_view module, std::string_view name) {
  if (module != "torch" && module != "torch.storage" && module != "torch.cuda") return {};
  for (const auto& s : kStorages) {
    if (s.storage == name) return {.dtype = s.dtype, .bytes = DTypeBytes(s.dtype)};
  }
  for (const auto& s : kOpaqueStorages) {
    if (s.storage == name) return {.dtype = {}, .bytes = s.bytes};
  }
  return {};
}

std::optional<DType> TorchDType(std::string_view module, std::string_view name) {
  if (module != "torch") return std::nullopt;
  for (const auto& d : kDTypes) {
    if (d.name == name) return d.dtype;
  }
  return std::nullopt;
}

}  // namespace flair
