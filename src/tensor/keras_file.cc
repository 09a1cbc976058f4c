// SPDX-License-Identifier: Apache-2.0
#include "tensor/keras_file.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensor/hdf5_walk.h"
#include "tensor/span_list.h"
#include "tensor/zip_walk.h"

namespace flair {
namespace {

constexpr std::string_view kWeightsName = "model.weights.h5";
constexpr std::string_view kConfigName = "config.json";
// Headers and trees between datasets have a few KiB; config.json of a large model less
// than a MiB.
constexpr std::uint64_t kMaxInlineGapBytes = std::uint64_t{64} << 10;
constexpr std::uint64_t kMaxInlineMemberBytes = std::uint64_t{1} << 20;

// Appends an HDF5 file that begins at the list's end.
Status CutHdf5(SpanList& spans, const ByteSource& file) {
  const std::uint64_t begin = spans.at();
  const std::uint64_t end = begin + file.size_bytes();
  auto tensors = FindHdf5Tensors(file);
  if (!tensors.ok()) {
    if (tensors.error().code() != ErrorCode::kUnsupported) return std::move(tensors).error();
    spans.Blob(end);
    return OkStatus();
  }
  for (Hdf5Tensor& tensor : *tensors) {
    Hdf5Elements& e = tensor.elements;
    spans.Filler(begin + e.offset, kMaxInlineGapBytes);
    spans.Tensor(std::move(tensor.path), e.dtype, std::move(e.dims), e.size_bytes);
  }
  // A file of no tensors is none to compare by its tensors.
  spans.Filler(end, tensors->empty() ? 0 : kMaxInlineGapBytes);
  return OkStatus();
}

bool IsKeras(const std::vector<ZipMember>& members) {
  const auto has = [&](std::string_view name) {
    return std::any_of(members.begin(), members.end(),
                       [&](const ZipMember& m) { return m.name == name; });
  };
  return has(kWeightsName) && has(kConfigName);
}

}  // namespace

Result<FileLayout> ReadHdf5Layout(const ByteSource& file) {
  SpanList spans;
  FLAIR_DO(CutHdf5(spans, file));
  return spans.Take(FileFormat::kHdf5);
}

Result<std::optional<FileLayout>> ReadKerasLayout(const ByteSource& file, std::string_view name) {
  using Found = std::optional<FileLayout>;
  const bool is_named = name.ends_with(".keras");
  auto directory = ReadZipDirectory(file);
  if (!directory.ok()) {
    const ErrorCode code = directory.error().code();
    if (code == ErrorCode::kUnsupported || (code == ErrorCode::kCorrupt && !is_named)) {
      return Found();
    }
    return std::move(directory).error().In("keras file");
  }
  if (!is_named && !IsKeras(*directory)) return Found();

  SpanList spans;
  for (const ZipMember& m : *directory) {
    spans.Filler(m.header_offset, kMaxInlineGapBytes);
    spans.Header(m.data_offset);
    const std::uint64_t data_end = m.data_offset + m.stored_bytes;
    const auto data = SourceOfRange(file, m.data_offset, m.stored_bytes);
    if (!m.stored()) {
      spans.Blob(data_end);
    } else if (m.name == kWeightsName && LooksLikeHdf5(*data)) {
      if (auto cut = CutHdf5(spans, *data); !cut.ok()) {
        return std::move(cut).error().In("keras file: " + m.name + ", from byte " +
                                         std::to_string(m.data_offset));
      }
    } else {
      spans.Filler(data_end, kMaxInlineMemberBytes);
    }
    spans.Header(m.end_offset);
  }
  spans.Header(file.size_bytes());
  return Found(spans.Take(FileFormat::kKeras));
}

}  // namespace flair
