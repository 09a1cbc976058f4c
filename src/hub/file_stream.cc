// SPDX-License-Identifier: Apache-2.0
#include "hub/file_stream.h"

#include <algorithm>

#include "crypto/blake3.h"

namespace flair::hub {
namespace {

const ContentRef* ContentOf(const Segment& segment) {
  if (const auto* tensor = std::get_if<TensorSegment>(&segment)) return &tensor->tensor.content;
  if (const auto* blob = std::get_if<BlobSegment>(&segment)) return &blob->content;
  return nullptr;
}

Status StreamPart(const ObjectStore& objects, const ContentRef& content, std::uint64_t from,
                  std::uint64_t length, const ByteSink& sink) {
  if (from == 0 && length == content.size_bytes) return objects.StreamContent(content.hash, sink);
  Bytes buffer(static_cast<std::size_t>(std::min(length, kBlockBytes)));
  while (length > 0) {
    // Up to the end of a block, so that each is decoded once.
    const std::uint64_t to_edge = kBlockBytes - from % kBlockBytes;
    const auto n = static_cast<std::size_t>(std::min({length, to_edge, kBlockBytes}));
    const MutableByteView piece = MutableByteView(buffer).first(n);
    FLAIR_DO(objects.ReadContent(content.hash, from, piece));
    FLAIR_DO(sink(piece));
    from += n;
    length -= n;
  }
  return OkStatus();
}

}  // namespace

Status StreamFile(const ObjectStore& objects, const File& file, std::uint64_t offset,
                  std::uint64_t length_bytes, const ByteSink& sink) {
  for (const Segment& segment : file.segments) {
    if (length_bytes == 0) break;
    const std::uint64_t size = SegmentBytes(segment);
    if (offset >= size) {
      offset -= size;
      continue;
    }
    const std::uint64_t n = std::min(size - offset, length_bytes);
    if (const ContentRef* content = ContentOf(segment)) {
      FLAIR_DO(StreamPart(objects, *content, offset, n, sink));
    } else {
      const ByteView bytes = std::get<InlineSegment>(segment).bytes;
      FLAIR_DO(sink(bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(n))));
    }
    offset = 0;
    length_bytes -= n;
  }
  return OkStatus();
}

}  // namespace flair::hub
