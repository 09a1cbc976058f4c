// SPDX-License-Identifier: Apache-2.0
#include "store/format.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace flair {
namespace {

constexpr std::string_view kPackMagic = "FLAIRPAK";
constexpr std::uint8_t kFloatBit = 0x10;

Error Bad(std::string_view what) {
  return {ErrorCode::kCorrupt, "record header: " + std::string(what)};
}

Status CheckObject(const RecordHeader& h, std::uint32_t reserved, std::uint8_t reserved_byte) {
  if (h.kind < ObjectKind::kFile || h.kind > ObjectKind::kAttachment) return Bad("object kind");
  if (h.object_codec > ObjectCodec::kZstd) return Bad("object codec");
  if (reserved != 0 || reserved_byte != 0) return Bad("reserved bytes are not zero");
  if (h.raw_bytes > kMaxObjectBytes) return Bad("object is too long");
  const bool packed = h.object_codec == ObjectCodec::kZstd;
  const bool fits = packed ? h.payload_bytes < h.raw_bytes : h.payload_bytes == h.raw_bytes;
  if (!fits) return Bad("payload length does not fit the object");
  return OkStatus();
}

Status CheckBlock(const RecordHeader& h, std::uint8_t shape_byte) {
  if (h.raw_bytes == 0 || h.raw_bytes > kBlockBytes) return Bad("block length");
  if (h.block_index >= kMaxContentBytes / kBlockBytes) return Bad("block number");
  if ((shape_byte & ~(kFloatBit | 3U)) != 0) return Bad("element shape");
  const std::uint64_t planes = std::uint64_t{4} << h.shape.log2_bytes;  // their length table
  switch (h.block_codec) {
    case BlockCodec::kRaw:
      if (shape_byte != 0 || h.depth != 0) return Bad("RAW block with a shape or a depth");
      if (h.payload_bytes != h.raw_bytes) return Bad("RAW block of another length");
      return OkStatus();
    case BlockCodec::kPlane:
      if (h.depth != 0) return Bad("PLANE block with a depth");
      if (h.payload_bytes < planes || h.payload_bytes >= h.raw_bytes) return Bad("PLANE length");
      return OkStatus();
    case BlockCodec::kSub:
      if (h.depth == 0 || h.depth > kMaxDepth) return Bad("SUB depth");
      if (h.payload_bytes < planes + Digest::kBytes || h.payload_bytes >= h.raw_bytes) {
        return Bad("SUB length");
      }
      return OkStatus();
  }
  return Bad("block codec");
}

}  // namespace

void AppendRecordHeader(Bytes& out, const RecordHeader& h) {
  const auto put = [&](std::uint8_t b) { out.push_back(static_cast<std::byte>(b)); };
  put(static_cast<std::uint8_t>(h.type));
  switch (h.type) {
    case RecordType::kObject:
      put(static_cast<std::uint8_t>(h.kind));
      put(static_cast<std::uint8_t>(h.object_codec));
      put(0);
      break;
    case RecordType::kHead:
      put(0);
      put(0);
      put(0);
      break;
    case RecordType::kBlock:
      put(static_cast<std::uint8_t>(h.block_codec));
      put(static_cast<std::uint8_t>(h.shape.log2_bytes | (h.shape.is_float ? kFloatBit : 0)));
      put(h.depth);
      break;
  }
  AppendLe32(out, h.payload_bytes);
  Append(out, h.key.view());
  if (h.type == RecordType::kHead) {
    AppendLe64(out, h.content_bytes);
  } else {
    AppendLe32(out, h.type == RecordType::kBlock ? h.block_index : 0);
    AppendLe32(out, h.raw_bytes);
  }
}

Result<RecordHeader> ParseRecordHeader(ByteView bytes) {
  if (bytes.size() < kRecordHeaderBytes) return Bad("cut short");
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
  RecordHeader h;
  h.type = static_cast<RecordType>(byte(0));
  h.payload_bytes = LoadLe32(bytes.subspan(4));
  std::memcpy(h.key.bytes.data(), bytes.data() + 8, Digest::kBytes);
  const std::uint32_t first = LoadLe32(bytes.subspan(40));
  const std::uint32_t second = LoadLe32(bytes.subspan(44));
  switch (h.type) {
    case RecordType::kObject:
      h.kind = static_cast<ObjectKind>(byte(1));
      h.object_codec = static_cast<ObjectCodec>(byte(2));
      h.raw_bytes = second;
      FLAIR_DO(CheckObject(h, first, byte(3)));
      return h;
    case RecordType::kHead:
      h.content_bytes = LoadLe64(bytes.subspan(40));
      if (byte(1) != 0 || byte(2) != 0 || byte(3) != 0) return Bad("reserved bytes are not zero");
      if (h.content_bytes > kMaxContentBytes) return Bad("content is too long");
      if (h.payload_bytes != HeadPayloadBytes(h.content_bytes)) return Bad("head length");
      return h;
    case RecordType::kBlock:
      h.block_codec = static_cast<BlockCodec>(byte(1));
      h.shape.log2_bytes = byte(2) & 3U;
      h.shape.is_float = (byte(2) & kFloatBit) != 0;
      h.depth = byte(3);
      h.block_index = first;
      h.raw_bytes = second;
      FLAIR_DO(CheckBlock(h, byte(2)));
      return h;
  }
  return Bad("unknown type " + std::to_string(byte(0)));
}

Digest BaseOfSub(ByteView payload) {
  Digest base;
  std::memcpy(base.bytes.data(), payload.data(), Digest::kBytes);
  return base;
}

std::uint32_t BlockRawBytes(std::uint64_t content_bytes, std::uint32_t index) {
  return static_cast<std::uint32_t>(
      std::min(kBlockBytes, content_bytes - std::uint64_t{index} * kBlockBytes));
}

std::uint32_t HeadPayloadBytes(std::uint64_t content_bytes) {
  const std::uint64_t blocks = BlockCount(content_bytes);
  return blocks < 2 ? 0 : static_cast<std::uint32_t>(blocks * Digest::kBytes);
}

Result<std::uint64_t> WholeRecordBytes(ByteView stream) {
  std::uint64_t at = 0;
  while (stream.size() - at >= kRecordHeaderBytes) {
    FLAIR_TRY(const RecordHeader h, ParseRecordHeader(stream.subspan(at)));
    if (h.record_bytes() > stream.size() - at) break;
    at += h.record_bytes();
  }
  return at;
}

void AppendPackHeader(Bytes& out, std::uint64_t nonce) {
  Append(out, AsBytes(kPackMagic));
  AppendLe32(out, kPackVersion);
  AppendLe32(out, 0);
  AppendLe64(out, nonce);
}

Status CheckPackHeader(ByteView first_bytes) {
  const auto bad = [](std::string_view what) {
    return Error(ErrorCode::kCorrupt, "pack header: " + std::string(what));
  };
  if (first_bytes.size() < kPackHeaderBytes) return bad("cut short");
  if (AsText(first_bytes.first(kPackMagic.size())) != kPackMagic) return bad("not a pack");
  const std::uint32_t version = LoadLe32(first_bytes.subspan(8));
  if (version != kPackVersion) {
    return Error(ErrorCode::kUnsupported,
                 "pack version " + std::to_string(version) + "; this build reads version 1");
  }
  if (LoadLe32(first_bytes.subspan(12)) != 0) return bad("reserved bytes are not zero");
  return OkStatus();
}

}  // namespace flair
