// FileLayout: where the tensors of a model file lie, found without executing anything.
//
// Place: tensor; the readers below it (safetensors, .pt, .keras/.h5, ONNX, GGUF)
// fill it, `repo` turns it into a File object. Spans are ascending, do not overlap
// and cover the whole file, so that their bytes, concatenated, are the file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/dtype.h"

namespace flair {

// How a file was understood. Numeric values are part of the object format.
enum class FileFormat : std::uint8_t {
  kBlob = 1,
  kSafetensors = 2,
  kTorchZip = 3,
  kTorchLegacy = 4,
  kKeras = 5,
  kHdf5 = 6,
  kOnnx = 7,
  kGguf = 8,
};
constexpr std::uint8_t kMaxFileFormat = 8;
std::string_view FileFormatName(FileFormat f);

enum class SpanKind : std::uint8_t {
  kInline,  // headers, padding, metadata: kept with the segment map
  kTensor,  // little-endian elements, contiguous, row-major
  kBlob,    // opaque bytes
};

struct FileSpan {
  SpanKind kind = SpanKind::kInline;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  // Tensors only. Names are unique in a file; size is product(dims) * DTypeBytes.
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> dims;
};

struct FileLayout {
  FileFormat format = FileFormat::kBlob;
  std::vector<FileSpan> spans;
};

// Recognises the format by content first, then by the name's ending. A file of no known format is
// one blob span. A file that claims a format and breaks it is an error (kCorrupt:
// what is wrong, at which byte), except that a format which cannot be told from
// arbitrary bytes falls back to a blob.
Result<FileLayout> ReadFileLayout(const ByteSource& file, std::string_view name);

}  // namespace flair
