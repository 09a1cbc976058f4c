// Content, tensors and blobs as values: what a file is made of.
//
// Place: object. Content is raw bytes named by plain BLAKE3 (what `b3sum`
// prints) and its size. A tensor is content with dtype and dims; a blob is
// content alone. Both are small values that live inside a file's segment map,
// so shapes are known before any content is fetched.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/digest.h"
#include "object/ids.h"
#include "tensor/dtype.h"

namespace flair {

// REQUIRES where it is built: hash is Blake3 of exactly size_bytes bytes.
struct ContentRef {
  Digest hash;
  std::uint64_t size_bytes = 0;
  auto operator<=>(const ContentRef&) const = default;
};

inline constexpr std::size_t kMaxDims = 32;

struct TensorRef {
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> dims;  // row-major, outermost first; empty = scalar
  ContentRef content;               // little-endian elements, size = product(dims) * DTypeBytes

  auto operator<=>(const TensorRef&) const = default;
  std::uint64_t num_elements() const { return content.size_bytes / DTypeBytes(dtype); }
};

Bytes EncodeTensorRef(const TensorRef& t);
// Errors: kCorrupt for an unknown dtype, > kMaxDims dims, or a size that is not
// the product of dims and element size (overflow included).
Result<TensorRef> DecodeTensorRef(ByteView bytes);
TensorId IdOf(const TensorRef& t);

Bytes EncodeContentRef(const ContentRef& c);
Result<ContentRef> DecodeContentRef(ByteView bytes);
BlobId BlobIdOf(const ContentRef& c);

}  // namespace flair
