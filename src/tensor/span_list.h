// SpanList: collects the spans of a file from its first byte to its last.
//
// Place: tensor, below the readers. Every call continues where the last one stopped,
// so that what comes out tiles the file, whatever a reader does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/layout.h"

namespace flair {

class SpanList {
 public:
  // Where the next span begins.
  std::uint64_t at() const { return at_; }

  // REQUIRES, for all: `end` >= at(). No bytes make no span.

  // Bytes that must be inline, for others to rewrite (checksums) or to find again.
  void Header(std::uint64_t end);
  // Bytes of no tensor: inline up to `inline_up_to` bytes, opaque content above.
  void Filler(std::uint64_t end, std::uint64_t inline_up_to);
  void Blob(std::uint64_t end);
  // size_bytes is product(dims) * DTypeBytes; a tensor without elements is a span too.
  void Tensor(std::string name, DType dtype, std::vector<std::uint64_t> dims,
              std::uint64_t size_bytes);

  // The layout, or the whole file as one blob when there are more spans or more inline
  // bytes than an object can hold. REQUIRES: at() is the file's size.
  FileLayout Take(FileFormat format);

 private:
  void Add(SpanKind kind, std::uint64_t end);

  std::uint64_t at_ = 0;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t filler_bytes_ = 0;  // inline ones
  std::vector<FileSpan> spans_;
};

}  // namespace flair
