// File: a segment map. Its segments, concatenated, equal the original byte for byte.
//
// Place: object. Headers and padding are inline bytes, tensor data are tensor
// segments, everything else is blob segments. Whoever writes a File has verified the
// concatenation; `size_bytes` is its length.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "object/content.h"
#include "object/ids.h"
#include "tensor/layout.h"

namespace flair {

inline constexpr std::uint64_t kMaxInlineBytes = std::uint64_t{64} << 20;
inline constexpr std::size_t kMaxSegments = 1'000'000;
inline constexpr std::size_t kMaxTensorNameBytes = 1024;

struct InlineSegment {
  Bytes bytes;
  bool operator==(const InlineSegment&) const = default;
};
struct TensorSegment {
  std::string name;  // unique inside the file, UTF-8, not empty
  TensorRef tensor;
  bool operator==(const TensorSegment&) const = default;
};
struct BlobSegment {
  ContentRef content;
  bool operator==(const BlobSegment&) const = default;
};
using Segment = std::variant<InlineSegment, TensorSegment, BlobSegment>;

std::uint64_t SegmentBytes(const Segment& s);

struct File {
  FileFormat format = FileFormat::kBlob;
  std::vector<Segment> segments;

  bool operator==(const File&) const = default;
  std::uint64_t size_bytes() const;
  const TensorSegment* FindTensor(std::string_view name) const;  // linear; nullptr when absent
};

Bytes EncodeFile(const File& f);
Result<File> DecodeFile(ByteView bytes);
FileId IdOf(const File& f);

}  // namespace flair
