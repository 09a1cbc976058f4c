// SPDX-License-Identifier: Apache-2.0
#include "tensor/hdf5_dataset.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "tensor/dims.h"

namespace flair {
namespace {

constexpr std::uint64_t kHeapHeadBytes = 16;

Error CutShort(const Hdf5Message& m) {
  return Hdf5Corrupt("a message" + AtByte(m.offset) + " is cut short");
}

// --- Dataspace: the dims.

Result<std::optional<std::vector<std::uint64_t>>> ReadDims(const Hdf5Message& m) {
  using Dims = std::optional<std::vector<std::uint64_t>>;
  Hdf5Cursor cursor(m.body);
  const std::uint64_t version = cursor.U8();
  const std::uint64_t rank = cursor.U8();
  cursor.Skip(1);  // has maximal dims, which follow the dims
  bool has_elements = true;
  if (version == 1) {
    cursor.Skip(5);
  } else if (version == 2) {
    constexpr std::uint64_t kNull = 2;
    has_elements = cursor.U8() != kNull;
  } else {
    return Dims();
  }
  if (!has_elements || rank > kMaxTensorDims) return Dims();
  std::vector<std::uint64_t> dims;
  for (std::uint64_t i = 0; i < rank; ++i) dims.push_back(cursor.U64());
  if (!cursor.ok()) return CutShort(m);
  return Dims(std::move(dims));
}

// --- Datatype.

enum : std::uint64_t { kInteger = 0, kFloat = 1, kText = 3, kOpaque = 5, kEnum = 8, kVariable = 9 };

struct TypeHead {
  std::uint64_t kind = 0;
  std::uint64_t bits = 0;  // 24 of them
  std::uint64_t size_bytes = 0;
};

// version and class (1) | bits (3) | size (4)
TypeHead TakeTypeHead(Hdf5Cursor& cursor) {
  TypeHead head{.kind = cursor.U8() & 15};
  head.bits = cursor.Number(3);
  head.size_bytes = cursor.U32();
  return head;
}

// bit offset (2) | precision (2): all bits count, the lowest comes first.
std::optional<DType> TakeInteger(const TypeHead& head, Hdf5Cursor& cursor) {
  constexpr std::uint64_t kSigned = 1 << 3;
  const std::uint64_t first_bit = cursor.U16();
  const std::uint64_t precision = cursor.U16();
  if ((head.bits & ~kSigned) != 0 || first_bit != 0 || precision != 8 * head.size_bytes) {
    return std::nullopt;
  }
  const bool is_signed = head.bits != 0;
  switch (head.size_bytes) {
    case 1:
      return is_signed ? DType::kI8 : DType::kU8;
    case 2:
      return is_signed ? DType::kI16 : DType::kU16;
    case 4:
      return is_signed ? DType::kI32 : DType::kU32;
    case 8:
      return is_signed ? DType::kI64 : DType::kU64;
    default:
      return std::nullopt;
  }
}

// bit offset (2) | precision (2) | exponent: location (1), size (1) | mantissa: location
// (1), size (1) | exponent's bias (4)
std::optional<DType> TakeFloat(const TypeHead& head, Hdf5Cursor& cursor) {
  struct Shape {
    std::uint64_t exponent_bits, mantissa_bits, bias;
    bool operator==(const Shape&) const = default;
  };
  constexpr std::array<std::pair<Shape, DType>, 4> kFloats = {{
      {{5, 10, 15}, DType::kF16},
      {{8, 7, 127}, DType::kBF16},
      {{8, 23, 127}, DType::kF32},
      {{11, 52, 1023}, DType::kF64},
  }};
  const std::uint64_t first_bit = cursor.U16();
  const std::uint64_t precision = cursor.U16();
  const std::uint64_t exponent_at = cursor.U8();
  const std::uint64_t exponent_bits = cursor.U8();
  const std::uint64_t mantissa_at = cursor.U8();
  const std::uint64_t mantissa_bits = cursor.U8();
  const Shape shape{exponent_bits, mantissa_bits, cursor.U32()};
  const std::uint64_t all_bits = 8 * head.size_bytes;
  // Little-endian, no padding, an implied leading one; the sign is the highest bit.
  const std::uint64_t usual = 0x20 | (all_bits - 1) << 8;
  if (head.bits != usual || first_bit != 0 || precision != all_bits || mantissa_at != 0 ||
      exponent_at != mantissa_bits || mantissa_bits + exponent_bits + 1 != all_bits) {
    return std::nullopt;
  }
  for (const auto& [known, dtype] : kFloats) {
    if (known == shape) return dtype;
  }
  return std::nullopt;
}

// NumPy's booleans: an enumeration of FALSE = 0 and TRUE = 1 over bytes. Names are padded
// to eight bytes before version 3 of the message.
std::optional<DType> TakeBool(const TypeHead& head, std::uint64_t version, Hdf5Cursor& cursor) {
  using std::string_view_literals::operator""sv;
  const std::string_view names = version < 3 ? "FALSE\0\0\0TRUE\0\0\0\0"sv : "FALSE\0TRUE\0"sv;
  const TypeHead base = TakeTypeHead(cursor);
  const auto integer = base.kind == kInteger ? TakeInteger(base, cursor) : std::nullopt;
  const bool matches = head.bits == 2 && head.size_bytes == 1 && base.size_bytes == 1 &&
                       integer.has_value() && AsText(cursor.View(names.size())) == names &&
                       AsText(cursor.View(2)) == "\0\1"sv;
  return matches ? std::optional(DType::kBool) : std::nullopt;
}

struct Type {
  std::optional<DType> dtype;
  bool is_opaque_pair = false;  // two bytes each, of which an attribute may say more
};

Result<Type> ReadType(const Hdf5Message& m) {
  Hdf5Cursor cursor(m.body);
  const TypeHead head = TakeTypeHead(cursor);
  if (!cursor.ok()) return CutShort(m);
  const std::uint64_t version = std::to_integer<std::uint64_t>(m.body[0]) >> 4;
  Type type;
  if (head.kind == kInteger) type.dtype = TakeInteger(head, cursor);
  if (head.kind == kFloat) type.dtype = TakeFloat(head, cursor);
  if (!cursor.ok()) return CutShort(m);
  if (head.kind == kEnum) type.dtype = TakeBool(head, version, cursor);
  type.is_opaque_pair = head.kind == kOpaque && head.size_bytes == 2;
  return type;
}

// --- Attributes: Keras writes bfloat16 as opaque bytes with dtype = "bfloat16".

// version (1) | 0 or flags (1) | sizes of name, type, space (2 each) | [encoding (1)] |
// name | type | space | value; the three are padded to eight bytes in version 1.
Result<bool> SaysBfloat16(const Hdf5Message& m, Hdf5Heaps& heaps) {
  constexpr std::string_view kBfloat16 = "bfloat16";
  Hdf5Cursor cursor(m.body);
  const std::uint64_t version = cursor.U8();
  const std::uint64_t flags = cursor.U8();
  const std::uint64_t name_bytes = cursor.U16();
  const std::uint64_t type_bytes = cursor.U16();
  const std::uint64_t space_bytes = cursor.U16();
  if (version < 1 || version > 3 || (version > 1 && flags != 0)) return false;
  if (version == 3) cursor.Skip(1);
  const auto take = [&](std::uint64_t n) {
    const ByteView taken = cursor.View(n);
    if (version == 1 && n % 8 != 0) cursor.Skip(8 - n % 8);
    return taken;
  };
  const std::string_view name = AsText(take(name_bytes));
  Hdf5Cursor type(take(type_bytes));
  take(space_bytes);
  if (!cursor.ok()) return CutShort(m);
  if (name.substr(0, name.find('\0')) != "dtype") return false;

  const TypeHead head = TakeTypeHead(type);
  if (head.kind == kText) {
    const std::string_view value = AsText(cursor.View(head.size_bytes));
    return value.substr(0, value.find('\0')) == kBfloat16;
  }
  constexpr std::uint64_t kVariableText = 1;
  if (head.kind != kVariable || (head.bits & 15) != kVariableText) return false;
  const std::uint64_t value_bytes = cursor.U32();
  const std::uint64_t heap = cursor.U64();
  const std::uint64_t index = cursor.U32();
  if (!cursor.ok()) return CutShort(m);
  if (value_bytes != kBfloat16.size()) return false;
  FLAIR_TRY(const ByteView value, heaps.Find(heap, index));
  return AsText(value) == kBfloat16;
}

Result<std::optional<DType>> ReadDType(const Hdf5Header& header, const Hdf5Message& m,
                                       Hdf5Heaps& heaps) {
  FLAIR_TRY(const Type type, ReadType(m));
  if (!type.is_opaque_pair) return type.dtype;
  for (const Hdf5Message& attribute : header.messages) {
    if (attribute.type != Hdf5MessageType::kAttribute || attribute.shared) continue;
    FLAIR_TRY(const bool is_bfloat16, SaysBfloat16(attribute, heaps));
    if (is_bfloat16) return std::optional(DType::kBF16);
  }
  return std::optional<DType>();
}

// --- Layout: where the elements are.

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

Result<std::optional<Extent>> ReadExtent(const Hdf5Message& m) {
  constexpr std::uint64_t kContiguous = 1;
  Hdf5Cursor cursor(m.body);
  const std::uint64_t version = cursor.U8();
  const bool contiguous = cursor.U8() == kContiguous;
  if (version < 3 || version > 4 || !contiguous) return std::optional<Extent>();
  Extent extent{.offset = cursor.U64()};
  extent.size_bytes = cursor.U64();
  if (!cursor.ok()) return CutShort(m);
  return std::optional(extent);
}

}  // namespace

// GCOL | version (1) | 0 (3) | size of all (8) | objects: index (2), references (2), 0 (4),
// size (8), bytes padded to eight. Index 0 is the free rest.
Result<ByteView> Hdf5Heaps::Find(std::uint64_t address, std::uint64_t index) {
  constexpr std::string_view kWhat = "the global heap";
  auto heap = heaps_.find(address);
  if (heap == heaps_.end()) {
    FLAIR_TRY(const Bytes head, bytes_.Take(address, kHeapHeadBytes, kWhat));
    const std::uint64_t size_bytes = LoadLe64(ByteView(head).subspan(8));
    if (AsText(head).substr(0, 5) != "GCOL\1" || size_bytes < kHeapHeadBytes) {
      return Hdf5Corrupt("no global heap" + AtByte(address));
    }
    FLAIR_TRY(Bytes objects,
              bytes_.Take(address + kHeapHeadBytes, size_bytes - kHeapHeadBytes, kWhat));
    heap = heaps_.emplace(address, std::move(objects)).first;
  }
  Hdf5Cursor cursor(heap->second);
  while (cursor.left() >= kHeapHeadBytes) {
    const std::uint64_t at = cursor.U16();
    cursor.Skip(6);
    const std::uint64_t size_bytes = cursor.U64();
    if (at == 0) break;
    const ByteView object = cursor.View(size_bytes);
    if (!cursor.ok()) break;
    if (at == index) return object;
    if (size_bytes % 8 != 0) cursor.Skip(8 - size_bytes % 8);
  }
  return Hdf5Corrupt("the global heap" + AtByte(address) + " has no object " +
                     std::to_string(index));
}

Result<std::optional<Hdf5Elements>> ReadHdf5Elements(const Hdf5Header& header, Hdf5Heaps& heaps) {
  using Found = std::optional<Hdf5Elements>;
  const Hdf5Message* const space = header.Find(Hdf5MessageType::kDataspace);
  const Hdf5Message* const type = header.Find(Hdf5MessageType::kDatatype);
  const Hdf5Message* const layout = header.Find(Hdf5MessageType::kLayout);
  for (const Hdf5Message* m : {space, type, layout}) {
    if (m == nullptr || m->shared) return Found();
  }
  if (header.Find(Hdf5MessageType::kFilters) != nullptr ||
      header.Find(Hdf5MessageType::kExternalFiles) != nullptr) {
    return Found();
  }
  FLAIR_TRY(auto dims, ReadDims(*space));
  FLAIR_TRY(const std::optional<DType> dtype, ReadDType(header, *type, heaps));
  FLAIR_TRY(const std::optional<Extent> extent, ReadExtent(*layout));
  if (!dims || !dtype || !extent) return Found();
  const std::optional<std::uint64_t> size_bytes = BytesOfDims(*dtype, *dims);
  if (!size_bytes) {
    return Hdf5Corrupt("the shape" + AtByte(space->offset) + " overflows");
  }
  Hdf5Elements elements{.size_bytes = *size_bytes, .dtype = *dtype, .dims = *std::move(dims)};
  if (*size_bytes == 0) return Found(std::move(elements));
  // Never written: all elements are the fill value, and there are no bytes.
  if (extent->offset == kNoHdf5Address) return Found();
  if (*size_bytes > extent->size_bytes) {
    return Hdf5Corrupt("shape and type" + AtByte(space->offset) + " need " +
                       std::to_string(*size_bytes) + " bytes, the layout" + AtByte(layout->offset) +
                       " has " + std::to_string(extent->size_bytes));
  }
  elements.offset = extent->offset;
  return Found(std::move(elements));
}

}  // namespace flair
