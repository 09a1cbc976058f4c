// SPDX-License-Identifier: Apache-2.0
#include "object/content.h"

#include <array>

#include "crypto/blake3.h"
#include "object/encoding.h"
#include "tensor/dims.h"

namespace flair {
namespace {

constexpr std::uint32_t kDType = 1;
constexpr std::uint32_t kDims = 2;
constexpr std::uint32_t kTensorHash = 3;
constexpr std::uint32_t kTensorSize = 4;
constexpr std::array kTensorFields = {kDType, kDims, kTensorHash, kTensorSize};

constexpr std::uint32_t kContentHash = 1;
constexpr std::uint32_t kContentSize = 2;
constexpr std::array kContentFields = {kContentHash, kContentSize};

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

Result<std::vector<std::uint64_t>> DecodeDims(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty list of dims, which is left out");
  std::vector<std::uint64_t> dims;
  ByteReader reader(payload);
  while (!reader.empty()) {
    if (dims.size() == kMaxDims) return Corrupt("more than " + std::to_string(kMaxDims) + " dims");
    FLAIR_TRY(const std::uint64_t dim, reader.Varint());
    dims.push_back(dim);
  }
  return dims;
}

Result<TensorRef> DecodeTensorFields(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kTensorFields));
  if (!m.unknown().empty()) {
    return Corrupt("field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  TensorRef t;
  FLAIR_TRY(const std::uint64_t dtype, m.Uint(kDType));
  if (dtype == 0 || dtype > kMaxDType) {
    return Corrupt("dtype " + std::to_string(dtype) + " is not known");
  }
  t.dtype = static_cast<DType>(dtype);
  if (m.Has(kDims)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kDims));
    FLAIR_TRY(t.dims, DecodeDims(payload));
  }
  FLAIR_TRY(t.content.hash, m.TakeDigest(kTensorHash));
  FLAIR_TRY(t.content.size_bytes, m.Uint(kTensorSize));
  const auto expected = BytesOfDims(t.dtype, t.dims);
  if (!expected) return Corrupt("its shape overflows 64 bits");
  if (t.content.size_bytes != expected) {
    return Corrupt("its shape needs " + std::to_string(*expected) + " bytes, it has " +
                   std::to_string(t.content.size_bytes));
  }
  return t;
}

Result<ContentRef> DecodeContentFields(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kContentFields));
  if (!m.unknown().empty()) {
    return Corrupt("field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  ContentRef c;
  FLAIR_TRY(c.hash, m.TakeDigest(kContentHash));
  FLAIR_TRY(c.size_bytes, m.Uint(kContentSize));
  return c;
}

}  // namespace

Bytes EncodeTensorRef(const TensorRef& t) {
  MessageEncoder m;
  m.Uint(kDType, static_cast<std::uint64_t>(t.dtype));
  if (!t.dims.empty()) {
    Bytes dims;
    for (const std::uint64_t dim : t.dims) AppendVarint(dims, dim);
    m.Raw(kDims, dims);
  }
  m.Raw(kTensorHash, t.content.hash.view());
  m.Uint(kTensorSize, t.content.size_bytes);
  return m.Take();
}

Result<TensorRef> DecodeTensorRef(ByteView bytes) {
  auto t = DecodeTensorFields(bytes);
  if (!t.ok()) return std::move(t).error().In("tensor");
  return t;
}

TensorId IdOf(const TensorRef& t) {
  return {Blake3DeriveKey("flair.v1.tensor", EncodeTensorRef(t))};
}

Bytes EncodeContentRef(const ContentRef& c) {
  MessageEncoder m;
  m.Raw(kContentHash, c.hash.view());
  m.Uint(kContentSize, c.size_bytes);
  return m.Take();
}

Result<ContentRef> DecodeContentRef(ByteView bytes) {
  auto c = DecodeContentFields(bytes);
  if (!c.ok()) return std::move(c).error().In("content");
  return c;
}

BlobId BlobIdOf(const ContentRef& c) {
  return {Blake3DeriveKey("flair.v1.blob", EncodeContentRef(c))};
}

}  // namespace flair
