// SPDX-License-Identifier: Apache-2.0
#include "data/idx.h"

#include <array>
#include <optional>
#include <utility>

#include "tensor/dims.h"

namespace flair::data {
namespace {

constexpr std::uint64_t kMagicBytes = 4;
constexpr std::size_t kMaxIdxDims = 8;

std::optional<DType> DTypeOf(unsigned type) {
  switch (type) {
    case 0x08:
      return DType::kU8;
    case 0x09:
      return DType::kI8;
    case 0x0b:
      return DType::kI16;
    case 0x0c:
      return DType::kI32;
    case 0x0d:
      return DType::kF32;
    case 0x0e:
      return DType::kF64;
    default:
      return std::nullopt;
  }
}

std::uint32_t LoadBe32(ByteView in) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = v << 8 | std::to_integer<std::uint32_t>(in[i]);
  return v;
}

}  // namespace

Result<SourceColumn> ReadIdx(std::shared_ptr<const ByteSource> file, std::string name,
                             std::string file_name) {
  const auto corrupt = [&](const std::string& what) {
    return Error(ErrorCode::kCorrupt, file_name + ": IDX: " + what);
  };
  const std::uint64_t size = file->size_bytes();
  if (size < kMagicBytes) return corrupt("the file ends inside its first 4 bytes");
  std::array<std::byte, kMagicBytes> magic{};
  FLAIR_DO(file->ReadAt(0, magic));
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0}) {
    return corrupt("the first two bytes are not 0");
  }
  const auto dtype = DTypeOf(std::to_integer<unsigned>(magic[2]));
  if (!dtype) {
    return Error(ErrorCode::kUnsupported, file_name + ": IDX: type " +
                                              std::to_string(std::to_integer<unsigned>(magic[2])) +
                                              " at byte 2; 8, 9, 11 to 14 are known");
  }
  const auto num_dims = std::to_integer<std::size_t>(magic[3]);
  if (num_dims == 0 || num_dims > kMaxIdxDims) {
    return corrupt(std::to_string(num_dims) + " dims at byte 3; 1 to 8 are possible");
  }
  Bytes sizes(4 * num_dims);
  if (size < kMagicBytes + sizes.size()) return corrupt("the file ends inside its dims");
  FLAIR_DO(file->ReadAt(kMagicBytes, sizes));
  SourceColumn column{.name = std::move(name),
                      .file = std::move(file_name),
                      .dtype = *dtype,
                      .order = ByteOrder::kBig,
                      .dims = {},
                      .bytes = nullptr,
                      .begin = kMagicBytes + sizes.size()};
  for (std::size_t i = 0; i < num_dims; ++i) {
    column.dims.push_back(LoadBe32(ByteView(sizes).subspan(4 * i, 4)));
  }
  const auto bytes = BytesOfDims(*dtype, column.dims);
  if (!bytes || *bytes != size - column.begin) {
    return Error(ErrorCode::kCorrupt,
                 column.file + ": IDX: " + std::to_string(size - column.begin) +
                     " bytes behind byte " + std::to_string(column.begin) + "; the dims say " +
                     (bytes ? std::to_string(*bytes) : std::string("more than 2^64")));
  }
  column.bytes = std::move(file);
  return column;
}

}  // namespace flair::data
