// Encoding and decoding of single records' payloads: RAW, PLANE, SUB, and zstd for objects.
//
// Place: store; above planes and format. Chooses by a sample of the block (64 KiB),
// then encodes once. Per plane: raw bytes, zstd's Huffman stage alone, or zstd level 1.
//
// Thread safety: every function; compressor state is per thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "store/format.h"

namespace flair {

struct BlockToEncode {
  ByteView raw;  // REQUIRES: 0 < raw.size() <= kBlockBytes
  Digest content;
  std::uint32_t index = 0;
  ElementShape shape;
  // SUB is tried when `base` is not empty. REQUIRES then: base.size() >= raw.size().
  ByteView base;
  Digest base_content;
  std::uint8_t depth = 0;  // 1 + the base block's
};

// Appends header and payload.
void AppendBlockRecord(Bytes& out, const BlockToEncode& block);
void AppendObjectRecord(Bytes& out, ObjectKind kind, const Digest& id, ByteView stored);
// The same block under another depth, which is local to a store.
// REQUIRES: `record` is a whole SUB record.
void SetDepth(MutableByteView record, std::uint8_t depth);

// Decodes into exactly `out`. `base` is the base's block, for SUB. The caller
// verifies the hash. REQUIRES: h was parsed from a header, out.size() == h.raw_bytes.
// Errors: kCorrupt.
Status DecodeBlock(const RecordHeader& h, ByteView payload, ByteView base, MutableByteView out);
Result<Bytes> DecodeObject(const RecordHeader& h, ByteView payload);

}  // namespace flair
