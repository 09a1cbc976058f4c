#include "tensor/dtype.h"

#include <array>

namespace flair {
namespace {

constexpr std::array<std::string_view, kMaxDType + 1> kNames = {
    "",    "BOOL", "U8",  "I8",  "I16", "U16",     "F16",     "BF16", "I32",
    "U32", "F32",  "F64", "I64", "U64", "F8_E4M3", "F8_E5M2", "C64",  "C128"};

}  // namespace

std::string_view DTypeName(DType t) { return kNames[static_cast<std::uint8_t>(t)]; }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (std::uint8_t i = 1; i <= kMaxDType; ++i) {
    if (kNames[i] == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

}  // namespace flair
