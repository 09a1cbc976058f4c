// SPDX-License-Identifier: Apache-2.0
#include "tensor/gguf.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"
#include "tensor/byte_cursor.h"
#include "tensor/dims.h"
#include "tensor/span_list.h"

namespace flair {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint64_t kVersionAt = 4;
constexpr std::uint64_t kCountsAt = 8;
// Of ggml: GGML_MAX_DIMS and the length of a key.
constexpr std::uint32_t kMaxGgmlDims = 4;
constexpr std::uint64_t kMaxKeyBytes = 65'535;
constexpr std::uint64_t kMaxTensors = 1'000'000;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::string_view kAlignmentKey = "general.alignment";
// Vocabularies; larger ones are content of their own, kept once for all versions.
constexpr std::uint64_t kMaxInlineHeaderBytes = std::uint64_t{64} << 10;

enum class ValueType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kText = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// Bytes of a value whose size is fixed.
std::optional<std::uint64_t> FixedBytes(ValueType type) {
  switch (type) {
    case ValueType::kU8:
    case ValueType::kI8:
    case ValueType::kBool:
      return 1;
    case ValueType::kU16:
    case ValueType::kI16:
      return 2;
    case ValueType::kU32:
    case ValueType::kI32:
    case ValueType::kF32:
      return 4;
    case ValueType::kU64:
    case ValueType::kI64:
    case ValueType::kF64:
      return 8;
    default:
      return std::nullopt;
  }
}

// enum ggml_type; nothing for the quantised types and those of later builds.
std::optional<DType> DTypeOfGgml(std::uint32_t type) {
  switch (type) {
    case 0:
      return DType::kF32;
    case 1:
      return DType::kF16;
    case 24:
      return DType::kI8;
    case 25:
      return DType::kI16;
    case 26:
      return DType::kI32;
    case 27:
      return DType::kI64;
    case 28:
      return DType::kF64;
    case 30:
      return DType::kBF16;
    default:
      return std::nullopt;
  }
}

struct GgufTensor {
  std::string name;
  std::optional<DType> dtype;
  std::vector<std::uint64_t> dims;
  std::uint64_t offset = 0;      // in the file
  std::uint64_t size_bytes = 0;  // of plain types; 0 when not known
};

class GgufReader {
 public:
  explicit GgufReader(const ByteSource& file) : file_(file), in_(file, "gguf", kCountsAt) {}

  Result<FileLayout> Read() {
    FLAIR_TRY(const std::uint64_t tensors, in_.Le64());
    FLAIR_TRY(const std::uint64_t pairs, in_.Le64());
    if (tensors > kMaxTensors) {
      return in_.Corrupt(std::to_string(tensors) + " tensors are announced; at most " +
                         std::to_string(kMaxTensors));
    }
    for (std::uint64_t i = 0; i < pairs; ++i) FLAIR_DO(ReadPair());
    for (std::uint64_t i = 0; i < tensors; ++i) FLAIR_DO(ReadTensor());
    return Place();
  }

 private:
  Status ReadPair() {
    FLAIR_TRY(const std::uint64_t key_bytes, in_.Le64());
    FLAIR_TRY(const std::string key, in_.Text(key_bytes, kMaxKeyBytes, "a key"));
    FLAIR_TRY(const std::uint32_t type, in_.Le32());
    if (key != kAlignmentKey) return SkipValue(static_cast<ValueType>(type));
    if (type != static_cast<std::uint32_t>(ValueType::kU32)) {
      return in_.Corrupt("general.alignment is no uint32");
    }
    FLAIR_TRY(alignment_, in_.Le32());
    // ggml asks for a power of two.
    if (alignment_ == 0 || (alignment_ & (alignment_ - 1)) != 0) {
      return in_.Corrupt("general.alignment is " + std::to_string(alignment_) +
                         ", no power of two,");
    }
    return OkStatus();
  }

  Status SkipValue(ValueType type) {
    if (const auto bytes = FixedBytes(type)) return in_.Skip(*bytes);
    if (type == ValueType::kText) return SkipText();
    if (type != ValueType::kArray) return UnknownType(static_cast<std::uint32_t>(type));
    FLAIR_TRY(const std::uint32_t of, in_.Le32());
    FLAIR_TRY(const std::uint64_t count, in_.Le64());
    if (const auto bytes = FixedBytes(static_cast<ValueType>(of))) {
      if (count > in_.left() / *bytes) return in_.Corrupt("the file ends inside an array");
      return in_.Skip(count * *bytes);
    }
    // ggml refuses arrays of arrays.
    if (static_cast<ValueType>(of) != ValueType::kText) return UnknownType(of);
    // Every text takes eight bytes at least: the end of the file bounds the loop.
    for (std::uint64_t i = 0; i < count; ++i) FLAIR_DO(SkipText());
    return OkStatus();
  }

  Status SkipText() {
    FLAIR_TRY(const std::uint64_t bytes, in_.Le64());
    return in_.Skip(bytes);
  }

  Status UnknownType(std::uint32_t type) const {
    return in_.Corrupt("a value of the unknown type " + std::to_string(type));
  }

  Status ReadTensor() {
    GgufTensor t;
    FLAIR_TRY(const std::uint64_t name_bytes, in_.Le64());
    FLAIR_TRY(t.name, in_.Text(name_bytes, kMaxNameBytes, "a tensor's name"));
    if (t.name.empty() || !IsValidUtf8(t.name) || t.name.find('\0') != std::string::npos) {
      return in_.Corrupt("a tensor's name is empty or no UTF-8 text");
    }
    const std::string where = "tensor '" + t.name + "'";
    if (!names_.insert(t.name).second) return in_.Corrupt(where + " stands twice");
    FLAIR_TRY(const std::uint32_t rank, in_.Le32());
    if (rank > kMaxGgmlDims) {
      return in_.Corrupt(where + " has " + std::to_string(rank) + " dimensions; at most " +
                         std::to_string(kMaxGgmlDims));
    }
    for (std::uint32_t i = 0; i < rank; ++i) {
      FLAIR_TRY(const std::uint64_t dim, in_.Le64());
      t.dims.push_back(dim);
    }
    std::reverse(t.dims.begin(), t.dims.end());
    FLAIR_TRY(const std::uint32_t type, in_.Le32());
    t.dtype = DTypeOfGgml(type);
    FLAIR_TRY(t.offset, in_.Le64());
    if (t.dtype) {
      const auto bytes = BytesOfDims(*t.dtype, t.dims);
      if (!bytes) return in_.Corrupt(where + ": the shape's product overflows");
      t.size_bytes = *bytes;
    }
    tensors_.push_back(std::move(t));
    return OkStatus();
  }

  // The tensors' bytes follow the header at the next multiple of the alignment.
  Result<FileLayout> Place() {
    const std::uint64_t file_bytes = file_.size_bytes();
    const std::uint64_t data_begin = (in_.at() + alignment_ - 1) / alignment_ * alignment_;
    // A file of metadata alone may end in front of that.
    std::stable_sort(tensors_.begin(), tensors_.end(),
                     [](const GgufTensor& a, const GgufTensor& b) {
                       return std::pair(a.offset, a.size_bytes) < std::pair(b.offset, b.size_bytes);
                     });
    SpanList spans;
    spans.Filler(in_.at(), kMaxInlineHeaderBytes);
    std::optional<std::uint64_t> opaque_begin;  // of a quantised tensor: it ends at the next one
    const auto advance = [&](std::uint64_t end) {
      if (std::exchange(opaque_begin, std::nullopt)) return spans.Blob(end);
      spans.Filler(end, kMaxInlineHeaderBytes);
    };
    for (GgufTensor& t : tensors_) {
      const auto corrupt = [&t](const std::string& what) {
        return Error(ErrorCode::kCorrupt, "gguf: tensor '" + t.name + "' " + what);
      };
      if (t.offset % alignment_ != 0) {
        return corrupt("begins at data byte " + std::to_string(t.offset) +
                       ", no multiple of the alignment " + std::to_string(alignment_));
      }
      if (data_begin > file_bytes || t.offset > file_bytes - data_begin ||
          t.size_bytes > file_bytes - data_begin - t.offset) {
        return corrupt("ends behind the file, which has " + std::to_string(file_bytes) + " bytes");
      }
      const std::uint64_t begin = data_begin + t.offset;
      if (begin < spans.at() || begin == opaque_begin) {
        return corrupt("begins at byte " + std::to_string(begin) + ", inside the one before it");
      }
      advance(begin);
      if (t.dtype) {
        spans.Tensor(std::move(t.name), *t.dtype, std::move(t.dims), t.size_bytes);
      } else {
        opaque_begin = begin;
      }
    }
    advance(file_bytes);
    return spans.Take(FileFormat::kGguf);
  }

  const ByteSource& file_;
  ByteCursor in_;
  std::uint64_t alignment_ = kDefaultAlignment;
  std::vector<GgufTensor> tensors_;
  std::unordered_set<std::string> names_;
};

}  // namespace

bool LooksLikeGguf(const ByteSource& file) {
  std::array<std::byte, kCountsAt> head;
  if (file.size_bytes() < head.size() || !file.ReadAt(0, head).ok()) return false;
  if (AsText(head).substr(0, kMagic.size()) != kMagic) return false;
  // Version 1 had shorter lengths; a big-endian file has the version's bytes swapped.
  const std::uint32_t version = LoadLe32(ByteView(head).subspan(kVersionAt));
  return version == 2 || version == 3;
}

Result<FileLayout> ReadGgufLayout(const ByteSource& file) { return GgufReader(file).Read(); }

}  // namespace flair
