// SPDX-License-Identifier: Apache-2.0
#include "data/source_column.h"

#include <algorithm>

#include "data/card.h"
#include "tensor/convert.h"

namespace flair::data {
namespace {

constexpr std::uint64_t kPieceElements = std::uint64_t{1} << 16;

void Reverse(MutableByteView bytes, std::uint64_t width) {
  for (std::uint64_t at = 0; at < bytes.size(); at += width) {
    const auto one = bytes.subspan(at, width);
    std::reverse(one.begin(), one.end());
  }
}

// Shows the little-endian bytes of one piece after the other.
Status ForEachPiece(const SourceColumn& column,
                    const std::function<Status(std::uint64_t, ByteView)>& visit) {
  const std::uint64_t width = DTypeBytes(column.dtype);
  const std::uint64_t total = column.num_elements();
  Bytes piece;
  for (std::uint64_t first = 0; first < total; first += kPieceElements) {
    piece.resize(std::min(kPieceElements, total - first) * width);
    FLAIR_DO(column.bytes->ReadAt(column.begin + first * width, piece));
    if (column.order == ByteOrder::kBig) Reverse(piece, width);
    FLAIR_DO(visit(first, piece));
  }
  return OkStatus();
}

template <typename T>
void Widen(ByteView bytes, std::span<std::int64_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::int64_t>(LoadLe<T>(bytes.subspan(i * sizeof(T), sizeof(T))));
  }
}

void LoadIntegers(DType dtype, ByteView bytes, std::span<std::int64_t> out) {
  switch (dtype) {
    case DType::kI8:
      return Widen<std::int8_t>(bytes, out);
    case DType::kI16:
      return Widen<std::int16_t>(bytes, out);
    case DType::kU16:
      return Widen<std::uint16_t>(bytes, out);
    case DType::kI32:
      return Widen<std::int32_t>(bytes, out);
    case DType::kU32:
      return Widen<std::uint32_t>(bytes, out);
    case DType::kI64:
    case DType::kU64:
      return Widen<std::int64_t>(bytes, out);
    default:
      break;
  }
  Widen<std::uint8_t>(bytes, out);
  if (dtype != DType::kBool) return;
  for (std::int64_t& v : out) v = v != 0 ? 1 : 0;
}

}  // namespace

std::uint64_t SourceColumn::num_elements() const {
  std::uint64_t n = 1;
  for (const std::uint64_t dim : dims) n *= dim;
  return n;
}

Error AtRecord(const SourceColumn& column, std::uint64_t index, const std::string& what) {
  const std::uint64_t row = column.num_elements() / column.num_records();
  return Error(ErrorCode::kInvalidArgument,
               "column '" + column.name + "': record " + std::to_string(index / row) + ": " + what);
}

Status CheckUsable(const SourceColumn& column) {
  const auto wrong = [&](const std::string& what) {
    return Error(ErrorCode::kInvalidArgument,
                 "column '" + column.name + "' (" + column.file + "): " + what);
  };
  if (column.dtype == DType::kC64 || column.dtype == DType::kC128) {
    return wrong("complex numbers cannot be data");
  }
  if (column.dims.empty()) return wrong("a single number, not a list of records");
  if (column.dims.size() > program::kMaxRank) {
    return wrong(std::to_string(column.dims.size()) + " dimensions; 8 are possible");
  }
  std::uint64_t elements = 1;
  for (const std::uint64_t dim : column.dims) {
    if (dim == 0) return wrong("it is empty");
    if (dim > kMaxElements / elements) return wrong("more than 2^36 values");
    elements *= dim;
  }
  if (column.num_records() > kMaxRecords) return wrong("more than 2^32 records");
  return OkStatus();
}

Status ForEachInteger(const SourceColumn& column, const IntegerVisitor& visit) {
  std::vector<std::int64_t> values;
  return ForEachPiece(column, [&](std::uint64_t first, ByteView bytes) -> Status {
    values.resize(bytes.size() / DTypeBytes(column.dtype));
    LoadIntegers(column.dtype, bytes, values);
    if (column.dtype == DType::kU64) {
      const auto large = std::find_if(values.begin(), values.end(), [](auto v) { return v < 0; });
      if (large != values.end()) {
        return AtRecord(
            column, first + static_cast<std::uint64_t>(large - values.begin()),
            std::to_string(static_cast<std::uint64_t>(*large)) + " is more than 30 bits hold");
      }
    }
    return visit(first, values);
  });
}

Status ForEachReal(const SourceColumn& column, const RealVisitor& visit) {
  std::vector<double> values;
  return ForEachPiece(column, [&](std::uint64_t first, ByteView bytes) -> Status {
    values.resize(bytes.size() / DTypeBytes(column.dtype));
    LoadAsDouble(column.dtype, bytes, values);
    return visit(first, values);
  });
}

}  // namespace flair::data
