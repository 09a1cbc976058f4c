// SPDX-License-Identifier: Apache-2.0
#include "proof/run_proof.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace flair::proof {
namespace {

constexpr std::string_view kMagic = "FLRP";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeadBytes = 4 + 2 + 4;

Error Bad(const std::string& what) { return {ErrorCode::kCorrupt, what}; }

// `length_bytes` of a length, then as many bytes as it says.
Result<ByteView> TakeField(ByteView& bytes, std::size_t length_bytes, const char* what) {
  if (bytes.size() < length_bytes) return Bad(std::string(what) + " is cut off");
  const std::uint64_t length = length_bytes == 4 ? LoadLe32(bytes) : LoadLe64(bytes);
  bytes = bytes.subspan(length_bytes);
  if (length > bytes.size()) return Bad(std::string(what) + " is cut off");
  const ByteView field = bytes.first(static_cast<std::size_t>(length));
  bytes = bytes.subspan(field.size());
  return field;
}

Result<ChunkProof> TakeChunk(ByteView& bytes) {
  FLAIR_TRY(const ByteView statement, TakeField(bytes, 4, "the statement"));
  FLAIR_TRY(const ByteView proof, TakeField(bytes, 8, "the proof"));
  FLAIR_TRY(zk::TrainingStatement decoded, zk::TrainingStatement::Decode(statement));
  return ChunkProof{std::move(decoded), Bytes(proof.begin(), proof.end())};
}

// How many chunks follow.
Result<std::uint32_t> TakeHead(ByteView bytes) {
  if (bytes.size() < kHeadBytes || AsText(bytes.first(4)) != kMagic) {
    return Bad("this is no proof of a run");
  }
  if (LoadLe16(bytes.subspan(4)) != kVersion) {
    return Error(ErrorCode::kUnsupported, "a proof of a version that this build does not know");
  }
  const std::uint32_t count = LoadLe32(bytes.subspan(6));
  if (count == 0 || count > kMaxChunks) {
    return Bad("a proof of " + std::to_string(count) + " chunks");
  }
  return count;
}

}  // namespace

Bytes EncodeChunk(const ChunkProof& chunk) {
  Bytes out;
  const Bytes statement = chunk.statement.Encode();
  AppendLe32(out, static_cast<std::uint32_t>(statement.size()));
  Append(out, statement);
  AppendLe64(out, chunk.proof.size());
  Append(out, chunk.proof);
  return out;
}

Result<ChunkProof> DecodeChunk(ByteView bytes) {
  FLAIR_TRY(ChunkProof chunk, TakeChunk(bytes));
  if (!bytes.empty()) return Bad("something stands behind the proof");
  return chunk;
}

Bytes EncodeRunProof(const std::vector<ChunkProof>& chunks) {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, kVersion);
  AppendLe32(out, static_cast<std::uint32_t>(chunks.size()));
  for (const ChunkProof& chunk : chunks) Append(out, EncodeChunk(chunk));
  return out;
}

Result<std::vector<ChunkProof>> DecodeRunProof(ByteView bytes) {
  FLAIR_TRY(const std::uint32_t count, TakeHead(bytes));
  bytes = bytes.subspan(kHeadBytes);
  std::vector<ChunkProof> chunks;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto chunk = TakeChunk(bytes);
    if (!chunk.ok()) return std::move(chunk).error().In("chunk " + std::to_string(i + 1));
    chunks.push_back(std::move(*chunk));
  }
  if (!bytes.empty()) return Bad("something stands behind the last chunk");
  return chunks;
}

Status CheckLengths(const ByteSource& file) {
  Bytes head(std::min<std::uint64_t>(kHeadBytes, file.size_bytes()));
  FLAIR_DO(file.ReadAt(0, head));
  FLAIR_TRY(const std::uint32_t count, TakeHead(head));
  std::uint64_t at = kHeadBytes;
  // A length of so many bytes, and what it is of.
  const auto skip = [&](std::size_t length_bytes, const char* what) -> Status {
    Bytes length(8);
    if (length_bytes <= file.size_bytes() - at) {
      FLAIR_DO(file.ReadAt(at, MutableByteView(length).first(length_bytes)));
      at += length_bytes;
      if (LoadLe64(length) <= file.size_bytes() - at) {
        at += LoadLe64(length);
        return OkStatus();
      }
    }
    return Bad(std::string(what) + " is cut off");
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    Status whole = skip(4, "the statement");
    if (whole.ok()) whole = skip(8, "the proof");
    if (!whole.ok()) return std::move(whole).error().In("chunk " + std::to_string(i + 1));
  }
  if (at != file.size_bytes()) return Bad("something stands behind the last chunk");
  return OkStatus();
}

}  // namespace flair::proof
