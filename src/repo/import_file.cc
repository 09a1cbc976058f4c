// SPDX-License-Identifier: Apache-2.0
#include "repo/import_file.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/threads.h"
#include "base/utf8.h"
#include "crypto/blake3.h"
#include "tensor/layout.h"

namespace flair {
namespace {

// Blocks hashed side by side: 16 MiB in flight.
constexpr std::size_t kBlocksInFlight = 16;

Error BadLayout(std::string_view name, const std::string& what) {
  return Error(ErrorCode::kCorrupt, std::string(name) + ": " + what);
}

// Spans that tile the file make segments whose concatenation is the file: checked
// here, whoever made the layout.
Status CheckTiling(const FileLayout& layout, std::uint64_t file_bytes, std::string_view name) {
  std::uint64_t at = 0;
  std::uint64_t inline_bytes = 0;
  std::unordered_set<std::string_view> names;
  if (layout.spans.size() > kMaxSegments) {
    return BadLayout(name, std::to_string(layout.spans.size()) + " segments; at most " +
                               std::to_string(kMaxSegments));
  }
  for (const FileSpan& span : layout.spans) {
    if (span.offset != at) {
      return BadLayout(name, "segments leave a gap or overlap at offset " + std::to_string(at));
    }
    if (span.size_bytes > file_bytes - at) {
      return BadLayout(name, "a segment at offset " + std::to_string(at) + " ends behind the file");
    }
    at += span.size_bytes;
    if (span.kind == SpanKind::kInline) inline_bytes += span.size_bytes;
    if (span.kind != SpanKind::kTensor) continue;
    if (span.name.empty() || span.name.size() > kMaxTensorNameBytes || !IsValidUtf8(span.name)) {
      return BadLayout(
          name, "the tensor at offset " + std::to_string(span.offset) + " has no usable name");
    }
    if (!names.insert(span.name).second) {
      return BadLayout(name, "tensor \"" + span.name + "\" appears twice");
    }
  }
  if (at != file_bytes) {
    return BadLayout(
        name, "segments end at offset " + std::to_string(at) + " of " + std::to_string(file_bytes));
  }
  if (inline_bytes > kMaxInlineBytes) {
    return Error(ErrorCode::kUnsupported, std::string(name) + ": " + std::to_string(inline_bytes) +
                                              " bytes of headers; at most " +
                                              std::to_string(kMaxInlineBytes));
  }
  return OkStatus();
}

using ContentOf = std::function<Result<ContentRef>(const FileSpan&, const ByteSource&)>;

// The File of a layout; `content_of` says how a span's bytes become content.
Result<File> BuildFile(const ByteSource& source, std::string_view name,
                       const ContentOf& content_of) {
  FLAIR_TRY(const FileLayout layout, ReadFileLayout(source, name));
  FLAIR_DO(CheckTiling(layout, source.size_bytes(), name));
  File file{.format = layout.format, .segments = {}};
  file.segments.reserve(layout.spans.size());
  for (const FileSpan& span : layout.spans) {
    if (span.kind == SpanKind::kInline) {
      Bytes bytes(span.size_bytes);  // <= kMaxInlineBytes in all
      FLAIR_DO(source.ReadAt(span.offset, bytes));
      file.segments.emplace_back(InlineSegment{std::move(bytes)});
      continue;
    }
    const auto part = SourceOfRange(source, span.offset, span.size_bytes);
    FLAIR_TRY(const ContentRef content, content_of(span, *part));
    if (span.kind == SpanKind::kBlob) {
      file.segments.emplace_back(BlobSegment{content});
    } else {
      file.segments.emplace_back(TensorSegment{
          span.name, TensorRef{.dtype = span.dtype, .dims = span.dims, .content = content}});
    }
  }
  return file;
}

Result<ContentRef> HashSource(const ByteSource& source) {
  const std::uint64_t size = source.size_bytes();
  const std::uint64_t blocks = BlockCount(size);
  if (blocks <= 1) {
    Bytes bytes(size);
    FLAIR_DO(source.ReadAt(0, bytes));
    return ContentRef{.hash = Blake3(bytes), .size_bytes = size};
  }
  std::vector<Digest> values(blocks);
  std::vector<Bytes> buffers(std::min<std::uint64_t>(kBlocksInFlight, blocks));
  for (std::uint64_t first = 0; first < blocks; first += buffers.size()) {
    const std::size_t n = std::min<std::uint64_t>(buffers.size(), blocks - first);
    const auto hash = [&](std::size_t i) -> Status {
      const std::uint64_t block = first + i;
      const std::uint64_t begin = block * kBlockBytes;
      buffers[i].resize(std::min(kBlockBytes, size - begin));
      FLAIR_DO(source.ReadAt(begin, buffers[i]));
      values[block] = BlockChainingValue(buffers[i], block);
      return OkStatus();
    };
    FLAIR_DO(ParallelFor(n, hash));
  }
  return ContentRef{.hash = RootOfBlocks(values), .size_bytes = size};
}

// Random access over a File's segments.
class StoredFile final : public ByteSource {
 public:
  StoredFile(const ObjectStore& objects, const File& file) : objects_(objects), file_(file) {
    std::uint64_t at = 0;
    ends_.reserve(file_.segments.size());
    for (const Segment& segment : file_.segments) ends_.push_back(at += SegmentBytes(segment));
  }
  std::uint64_t size_bytes() const override { return ends_.empty() ? 0 : ends_.back(); }

  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    if (offset > size_bytes() || out.size() > size_bytes() - offset) {
      return Error(ErrorCode::kCorrupt, "the stored file ends at " + std::to_string(size_bytes()));
    }
    auto i = static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) -
                                      ends_.begin());
    while (!out.empty()) {
      const std::uint64_t begin = i == 0 ? 0 : ends_[i - 1];
      const std::size_t n = std::min<std::uint64_t>(out.size(), ends_[i] - offset);
      if (n > 0) FLAIR_DO(ReadSegment(file_.segments[i], offset - begin, out.first(n)));
      offset += n;
      out = out.subspan(n);
      ++i;
    }
    return OkStatus();
  }

 private:
  Status ReadSegment(const Segment& segment, std::uint64_t offset, MutableByteView out) const {
    if (const auto* bytes = std::get_if<InlineSegment>(&segment)) {
      std::memcpy(out.data(), bytes->bytes.data() + offset, out.size());
      return OkStatus();
    }
    const auto* tensor = std::get_if<TensorSegment>(&segment);
    const ContentRef& content =
        tensor != nullptr ? tensor->tensor.content : std::get<BlobSegment>(segment).content;
    return objects_.ReadContent(content.hash, offset, out);
  }

  const ObjectStore& objects_;
  const File file_;
  std::vector<std::uint64_t> ends_;
};

}  // namespace

PutOptions PutOptionsFor(DType dtype) {
  // Complex numbers are pairs of floats; single bytes have no exponent to split off.
  const bool complex = dtype == DType::kC64 || dtype == DType::kC128;
  const std::uint64_t bytes = complex ? DTypeBytes(dtype) / 2 : DTypeBytes(dtype);
  return PutOptions{
      .element_bytes = bytes, .is_float = complex || (IsFloat(dtype) && bytes > 1), .base = {}};
}

Result<ImportedFile> ImportFile(ObjectBatch& batch, const ByteSource& source, std::string_view name,
                                const File* base, const ProgressSink& progress) {
  std::unordered_map<std::string_view, const TensorRef*> base_tensors;
  if (base != nullptr) {
    for (const Segment& segment : base->segments) {
      if (const auto* tensor = std::get_if<TensorSegment>(&segment)) {
        base_tensors.emplace(tensor->name, &tensor->tensor);
      }
    }
  }
  const std::uint64_t total = source.size_bytes();
  FLAIR_TRY(File file,
            BuildFile(source, name,
                      [&](const FileSpan& span, const ByteSource& part) -> Result<ContentRef> {
                        FLAIR_DO(Report(progress, {.phase = "adding",
                                                   .item = name,
                                                   .done_bytes = span.offset,
                                                   .total_bytes = total}));
                        PutOptions options;
                        if (span.kind == SpanKind::kTensor) {
                          options = PutOptionsFor(span.dtype);
                          const auto at = base_tensors.find(span.name);
                          // Another dtype or size has nothing to subtract.
                          if (at != base_tensors.end() && at->second->dtype == span.dtype &&
                              at->second->content.size_bytes == span.size_bytes) {
                            options.base = at->second->content.hash;
                          }
                        }
                        return batch.PutContent(part, options);
                      }));
  const Bytes encoded = EncodeFile(file);
  FLAIR_TRY(const Digest id, batch.PutObject(ObjectKind::kFile, encoded));
  return ImportedFile{.id = FileId{id}, .file = std::move(file)};
}

Result<FileId> HashFile(const ByteSource& source, std::string_view name) {
  FLAIR_TRY(const File file, BuildFile(source, name, [](const FileSpan&, const ByteSource& part) {
              return HashSource(part);
            }));
  return IdOf(file);
}

Status ExportFile(const ObjectStore& objects, const File& file,
                  const std::function<Status(ByteView)>& sink) {
  for (const Segment& segment : file.segments) {
    if (const auto* bytes = std::get_if<InlineSegment>(&segment)) {
      ByteView rest = bytes->bytes;
      while (!rest.empty()) {
        const std::size_t n = std::min<std::size_t>(rest.size(), kBlockBytes);
        FLAIR_DO(sink(rest.first(n)));
        rest = rest.subspan(n);
      }
    } else if (const auto* tensor = std::get_if<TensorSegment>(&segment)) {
      FLAIR_DO(objects.StreamContent(tensor->tensor.content.hash, sink));
    } else {
      FLAIR_DO(objects.StreamContent(std::get<BlobSegment>(segment).content.hash, sink));
    }
  }
  return OkStatus();
}

std::unique_ptr<ByteSource> OpenFile(const ObjectStore& objects, const File& file) {
  return std::make_unique<StoredFile>(objects, file);
}

}  // namespace flair
