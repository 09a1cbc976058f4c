// The numbers of the pack format: headers of packs and records, limits, parsing.
//
// Place: store, below everything else there. Normative description:
// docs/formats/pack.md; nothing here may change without a new version.
//
// A record is 48 header bytes and a payload. Three types: an object, the head of a
// content (its size and its blocks' chaining values) and one block of a content.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/blake3.h"
#include "crypto/digest.h"
#include "object/ids.h"

namespace flair {

inline constexpr std::size_t kPackHeaderBytes = 24;
inline constexpr std::size_t kRecordHeaderBytes = 48;
inline constexpr std::uint32_t kPackVersion = 1;
// A pack is sealed before the record that would take it over this. A larger record,
// and only an object can be one, has a pack of its own.
inline constexpr std::uint64_t kMaxPackBytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kMaxObjectBytes = std::uint64_t{160} << 20;
inline constexpr std::uint64_t kMaxContentBytes = std::uint64_t{1} << 40;
// A block decodes through at most this many bases.
inline constexpr std::uint8_t kMaxDepth = 8;

enum class RecordType : std::uint8_t { kObject = 1, kHead = 2, kBlock = 3 };
enum class ObjectCodec : std::uint8_t { kRaw = 0, kZstd = 1 };
enum class BlockCodec : std::uint8_t { kRaw = 0, kPlane = 1, kSub = 2 };

// How PLANE and SUB see a block's bytes.
struct ElementShape {
  std::uint8_t log2_bytes = 0;  // 0..3
  bool is_float = false;
  bool operator==(const ElementShape&) const = default;
};

struct RecordHeader {
  RecordType type = RecordType::kObject;
  Digest key;  // object id, or the content's hash
  std::uint32_t payload_bytes = 0;

  ObjectKind kind = ObjectKind::kFile;           // objects
  ObjectCodec object_codec = ObjectCodec::kRaw;  // objects
  std::uint64_t content_bytes = 0;               // heads
  BlockCodec block_codec = BlockCodec::kRaw;     // blocks, as the rest
  ElementShape shape;                            // not of RAW
  std::uint8_t depth = 0;                        // 1..kMaxDepth for SUB, else 0
  std::uint32_t block_index = 0;
  std::uint32_t raw_bytes = 0;  // objects and blocks: decoded length

  bool operator==(const RecordHeader&) const = default;
  std::uint64_t record_bytes() const { return kRecordHeaderBytes + std::uint64_t{payload_bytes}; }
};

void AppendRecordHeader(Bytes& out, const RecordHeader& h);
// Checks everything that can be checked without the payload, lengths included, so
// that record_bytes() is bounded. Errors: kCorrupt.
Result<RecordHeader> ParseRecordHeader(ByteView bytes);

// SUB payloads begin with the base content's hash.
// REQUIRES: payload of a parsed SUB block.
Digest BaseOfSub(ByteView payload);

// Decoded length of block `index`. REQUIRES: index < BlockCount(content_bytes).
std::uint32_t BlockRawBytes(std::uint64_t content_bytes, std::uint32_t index);
// A content of one block is hashed whole, so its head carries no chaining values.
std::uint32_t HeadPayloadBytes(std::uint64_t content_bytes);

// The leading bytes of `stream` that are whole records: what a receiver may hand to
// ObjectBatch::PutRecords while the rest is still on its way. Errors: kCorrupt.
Result<std::uint64_t> WholeRecordBytes(ByteView stream);

// `nonce` is the batch's: no two batches write the same pack, so that undoing one
// never touches another's.
void AppendPackHeader(Bytes& out, std::uint64_t nonce);
// Errors: kCorrupt; kUnsupported for another version.
Status CheckPackHeader(ByteView first_bytes);

}  // namespace flair
