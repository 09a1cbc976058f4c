// SPDX-License-Identifier: Apache-2.0
#include "tensor/onnx.h"

#include <optional>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"
#include "tensor/byte_cursor.h"
#include "tensor/dims.h"
#include "tensor/span_list.h"

namespace flair {
namespace {

constexpr std::size_t kMaxTensors = 500'000;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::uint64_t kMaxInlineBytesBetween = std::uint64_t{64} << 10;

// Field numbers of onnx.proto.
constexpr std::uint64_t kModelGraph = 7;
constexpr std::uint64_t kGraphInitializer = 5;
constexpr std::uint64_t kTensorDims = 1;
constexpr std::uint64_t kTensorDataType = 2;
constexpr std::uint64_t kTensorFloatData = 4;
constexpr std::uint64_t kTensorName = 8;
constexpr std::uint64_t kTensorRawData = 9;
constexpr std::uint64_t kTensorDoubleData = 10;

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// TensorProto.DataType; nothing for text, elements of less than a byte, and later ones.
std::optional<DType> DTypeOfOnnx(std::uint64_t type) {
  switch (type) {
    case 1:
      return DType::kF32;
    case 2:
      return DType::kU8;
    case 3:
      return DType::kI8;
    case 4:
      return DType::kU16;
    case 5:
      return DType::kI16;
    case 6:
      return DType::kI32;
    case 7:
      return DType::kI64;
    case 9:
      return DType::kBool;
    case 10:
      return DType::kF16;
    case 11:
      return DType::kF64;
    case 12:
      return DType::kU32;
    case 13:
      return DType::kU64;
    case 14:
      return DType::kC64;
    case 15:
      return DType::kC128;
    case 16:
      return DType::kBF16;
    case 17:
      return DType::kF8E4M3;
    case 19:
      return DType::kF8E5M2;
    default:
      return std::nullopt;
  }
}

struct Field {
  std::uint64_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;       // of a varint
  std::uint64_t size_bytes = 0;  // of kBytes, which follow
};

struct Initializer {
  std::string name;
  std::uint64_t data_type = 0;
  std::vector<std::uint64_t> dims;
  // Where the elements lie, and in which field.
  std::optional<std::uint64_t> data_field;
  std::uint64_t data_at = 0;
  std::uint64_t data_bytes = 0;
};

class OnnxReader {
 public:
  explicit OnnxReader(const ByteSource& file) : file_(file), in_(file, "onnx") {}

  Result<FileLayout> Read() {
    while (in_.left() > 0) {
      FLAIR_TRY(const Field field, ReadField(file_.size_bytes()));
      if (field.number == kModelGraph && field.type == WireType::kBytes) {
        FLAIR_DO(ReadGraph(in_.at() + field.size_bytes));
      } else {
        FLAIR_DO(in_.Skip(field.size_bytes));
      }
    }
    spans_.Filler(file_.size_bytes(), kMaxInlineBytesBetween);
    return spans_.Take(FileFormat::kOnnx);
  }

 private:
  // The next field of the message that ends at `end`. The bytes of kBytes are not taken.
  Result<Field> ReadField(std::uint64_t end) {
    Field field;
    FLAIR_TRY(const std::uint64_t key, in_.Varint());
    field.number = key >> 3;
    if (field.number == 0) return in_.Corrupt("a field has the number 0");
    field.type = static_cast<WireType>(key & 7);
    switch (field.type) {
      case WireType::kVarint: {
        FLAIR_TRY(field.value, in_.Varint());
        break;
      }
      case WireType::kBytes: {
        FLAIR_TRY(field.size_bytes, in_.Varint());
        break;
      }
      case WireType::kFixed64:
        FLAIR_DO(in_.Skip(8));
        break;
      case WireType::kFixed32:
        FLAIR_DO(in_.Skip(4));
        break;
      default:
        return in_.Corrupt("a field has the unknown wire type " + std::to_string(key & 7));
    }
    if (in_.at() > end || field.size_bytes > end - in_.at()) {
      return in_.Corrupt("field " + std::to_string(field.number) +
                         " ends behind the message it is in,");
    }
    return field;
  }

  Status ReadGraph(std::uint64_t end) {
    while (in_.at() < end) {
      FLAIR_TRY(const Field field, ReadField(end));
      if (field.number == kGraphInitializer && field.type == WireType::kBytes) {
        FLAIR_DO(ReadInitializer(in_.at() + field.size_bytes));
      } else {
        FLAIR_DO(in_.Skip(field.size_bytes));
      }
    }
    return OkStatus();
  }

  Status ReadInitializer(std::uint64_t end) {
    Initializer tensor;
    while (in_.at() < end) {
      FLAIR_TRY(const Field field, ReadField(end));
      FLAIR_DO(ReadTensorField(tensor, field));
    }
    return Place(std::move(tensor));
  }

  Status ReadTensorField(Initializer& tensor, const Field& field) {
    if (field.type == WireType::kVarint) {
      if (field.number == kTensorDataType) tensor.data_type = field.value;
      if (field.number == kTensorDims) return AddDim(tensor, field.value);
      return OkStatus();
    }
    if (field.type != WireType::kBytes) return OkStatus();
    switch (field.number) {
      case kTensorDims: {  // packed
        const std::uint64_t end = in_.at() + field.size_bytes;
        while (in_.at() < end) {
          FLAIR_TRY(const std::uint64_t dim, in_.Varint());
          FLAIR_DO(AddDim(tensor, dim));
        }
        if (in_.at() != end) return in_.Corrupt("a dimension ends behind its list,");
        return OkStatus();
      }
      case kTensorName: {
        FLAIR_TRY(tensor.name, in_.Text(field.size_bytes, kMaxNameBytes, "an initializer's name"));
        return OkStatus();
      }
      case kTensorFloatData:
      case kTensorRawData:
      case kTensorDoubleData:
        // A parser would take the last one, or join them: two truths about one tensor.
        if (tensor.data_field) {
          return in_.Corrupt("an initializer has its elements twice, the second time");
        }
        tensor.data_field = field.number;
        tensor.data_at = in_.at();
        tensor.data_bytes = field.size_bytes;
        return in_.Skip(field.size_bytes);
      default:
        return in_.Skip(field.size_bytes);
    }
  }

  Status AddDim(Initializer& tensor, std::uint64_t dim) {
    if (tensor.dims.size() == kMaxTensorDims) {
      return in_.Corrupt("an initializer has more than " + std::to_string(kMaxTensorDims) +
                         " dimensions,");
    }
    if (dim >> 63 != 0) return in_.Corrupt("an initializer has a negative dimension");
    tensor.dims.push_back(dim);
    return OkStatus();
  }

  Status Place(Initializer tensor) {
    // Elements in another file (external_data), or one field for each: not here, or not as
    // they are in memory.
    if (!tensor.data_field || tensor.name.empty()) return OkStatus();
    const auto dtype = DTypeOfOnnx(tensor.data_type);
    if (!dtype) return OkStatus();
    const bool plain = tensor.data_field == kTensorRawData ||
                       (tensor.data_field == kTensorFloatData &&
                        (*dtype == DType::kF32 || *dtype == DType::kC64)) ||
                       (tensor.data_field == kTensorDoubleData &&
                        (*dtype == DType::kF64 || *dtype == DType::kC128));
    if (!plain) return OkStatus();
    const std::string where = "initializer '" + tensor.name + "'";
    if (!IsValidUtf8(tensor.name) || tensor.name.find('\0') != std::string::npos) {
      return in_.Corrupt("the name of an initializer is no UTF-8 text");
    }
    if (!names_.insert(tensor.name).second) return in_.Corrupt(where + " stands twice");
    if (names_.size() > kMaxTensors) {
      return in_.Corrupt("more than " + std::to_string(kMaxTensors) + " initializers");
    }
    const auto expected = BytesOfDims(*dtype, tensor.dims);
    if (!expected) return in_.Corrupt(where + ": the shape's product overflows");
    if (*expected != tensor.data_bytes) {
      return in_.Corrupt(where + ": shape and type need " + std::to_string(*expected) +
                         " bytes, it has " + std::to_string(tensor.data_bytes) + ",");
    }
    spans_.Filler(tensor.data_at, kMaxInlineBytesBetween);
    spans_.Tensor(std::move(tensor.name), *dtype, std::move(tensor.dims), tensor.data_bytes);
    return OkStatus();
  }

  const ByteSource& file_;
  ByteCursor in_;
  SpanList spans_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Result<FileLayout> ReadOnnxLayout(const ByteSource& file) { return OnnxReader(file).Read(); }

}  // namespace flair
