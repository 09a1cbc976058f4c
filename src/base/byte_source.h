// ByteSource: random access to bytes that may not fit in memory: a file, a range
// of one, bytes in memory, a stored content.
//
// Thread safety: const methods may be called from any number of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // Fills all of `out` from `offset`. Errors: kCorrupt when the source ends first.
  virtual Status ReadAt(std::uint64_t offset, MutableByteView out) const = 0;
};

// Neither owns what it reads: the bytes, or `whole`, must outlive the source.
std::unique_ptr<ByteSource> SourceOfBytes(ByteView bytes);
// REQUIRES: offset + size_bytes <= whole.size_bytes().
std::unique_ptr<ByteSource> SourceOfRange(const ByteSource& whole, std::uint64_t offset,
                                          std::uint64_t size_bytes);

}  // namespace flair
