// Fuzzes the readers of model files: whatever the bytes are, a layout tiles the file and
// describes tensors that an object can hold.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/check.h"
#include "base/utf8.h"
#include "tensor/dims.h"
#include "tensor/layout.h"

namespace flair {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"m.safetensors", "m.pt",   "m.keras", "m.h5",
                                                    "m.onnx",        "m.gguf", "m.bin",   "m.zip"};

void CheckLayout(const FileLayout& layout, std::uint64_t file_bytes) {
  std::uint64_t at = 0;
  std::unordered_set<std::string_view> names;
  for (const FileSpan& span : layout.spans) {
    FLAIR_CHECK(span.offset == at) << "a gap or an overlap at " << at;
    FLAIR_CHECK(span.size_bytes <= file_bytes - at) << "a span behind the file";
    at += span.size_bytes;
    if (span.kind != SpanKind::kTensor) {
      FLAIR_CHECK(span.size_bytes > 0 && span.name.empty()) << "a span of nothing";
      continue;
    }
    FLAIR_CHECK(!span.name.empty() && span.name.size() <= 1024 && IsValidUtf8(span.name))
        << "no usable name";
    FLAIR_CHECK(names.insert(span.name).second) << "a name twice";
    FLAIR_CHECK(span.dims.size() <= kMaxTensorDims) << "too many dims";
    FLAIR_CHECK(BytesOfDims(span.dtype, span.dims) == std::optional(span.size_bytes))
        << "a size that is not the shape's";
  }
  FLAIR_CHECK(at == file_bytes) << "the end is missing";
}

void FuzzLayout(ByteView in, std::string_view name) {
  const auto layout = ReadFileLayout(*SourceOfBytes(in), name);
  if (layout.ok()) return CheckLayout(*layout, in.size());
  const ErrorCode code = layout.error().code();
  FLAIR_CHECK(code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported)
      << layout.error().message();
}

}  // namespace
}  // namespace flair

// The first byte chooses the file's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const flair::ByteView in = std::as_bytes(std::span(data, size)).subspan(1);
  flair::FuzzLayout(in, flair::kNames[data[0] % flair::kNames.size()]);
  return 0;
}
