// SPDX-License-Identifier: Apache-2.0
#include "tensor/span_list.h"

#include <utility>

#include "base/check.h"

namespace flair {
namespace {

// Of the 64 MiB and the million segments of a File (object/file.h).
constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{48} << 20;
constexpr std::uint64_t kMaxFillerBytes = std::uint64_t{16} << 20;
constexpr std::size_t kMaxSpans = 1'000'000;

}  // namespace

void SpanList::Add(SpanKind kind, std::uint64_t end) {
  FLAIR_CHECK(end >= at_) << "a span that runs backwards";
  if (end == at_) return;
  const bool joins =
      kind == SpanKind::kInline && !spans_.empty() && spans_.back().kind == SpanKind::kInline;
  if (!joins) {
    FileSpan span;
    span.kind = kind;
    span.offset = at_;
    spans_.push_back(std::move(span));
  }
  spans_.back().size_bytes += end - at_;
  at_ = end;
}

void SpanList::Header(std::uint64_t end) {
  header_bytes_ += end - at_;
  Add(SpanKind::kInline, end);
}

void SpanList::Filler(std::uint64_t end, std::uint64_t inline_up_to) {
  const std::uint64_t n = end - at_;
  if (n > inline_up_to || n > kMaxFillerBytes - filler_bytes_) return Blob(end);
  filler_bytes_ += n;
  Add(SpanKind::kInline, end);
}

void SpanList::Blob(std::uint64_t end) { Add(SpanKind::kBlob, end); }

void SpanList::Tensor(std::string name, DType dtype, std::vector<std::uint64_t> dims,
                      std::uint64_t size_bytes) {
  FileSpan span;
  span.kind = SpanKind::kTensor;
  span.offset = at_;
  span.size_bytes = size_bytes;
  span.name = std::move(name);
  span.dtype = dtype;
  span.dims = std::move(dims);
  spans_.push_back(std::move(span));
  at_ += size_bytes;
}

FileLayout SpanList::Take(FileFormat format) {
  FileLayout layout{.format = format, .spans = std::move(spans_)};
  if (header_bytes_ > kMaxHeaderBytes || layout.spans.size() > kMaxSpans) {
    SpanList whole;
    whole.Blob(at_);
    layout = {.format = FileFormat::kBlob, .spans = std::move(whole.spans_)};
  }
  return layout;
}

}  // namespace flair
