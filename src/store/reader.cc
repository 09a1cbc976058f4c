// SPDX-License-Identifier: Apache-2.0
#include "store/reader.h"

#include <array>
#include <string>

#include "base/check.h"
#include "crypto/blake3.h"
#include "store/codec.h"
#include "store/room.h"

namespace flair {
namespace {

constexpr std::size_t kHeadsCached = 16;

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

Status CheckSameBlock(const RecordHeader& h, const ContentEntry& entry, std::uint32_t index,
                      const BlockPlace& place) {
  const bool same = h.type == RecordType::kBlock && h.key == entry.hash && h.block_index == index &&
                    h.raw_bytes == entry.raw_bytes(index) &&
                    h.record_bytes() == place.length_bytes && h.depth == place.depth;
  return same ? OkStatus() : Status(Corrupt("record is not the block the index promises"));
}

}  // namespace

std::string Where(const PackFile& pack, std::uint64_t offset) {
  return "pack " + pack.name + ", offset " + std::to_string(offset);
}

Result<std::vector<Digest>> ParseHead(const RecordHeader& h, ByteView payload) {
  std::vector<Digest> values(payload.size() / Digest::kBytes);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(values[i].bytes.data(), payload.data() + i * Digest::kBytes, Digest::kBytes);
  }
  if (values.empty()) {
    if (h.content_bytes == 0 && Blake3({}) != h.key) {
      return Corrupt("head of an empty content under another hash");
    }
    return values;
  }
  if (RootOfBlocks(values) != h.key) return Corrupt("chaining values do not give the hash");
  return values;
}

Status VerifyBlock(const Digest& content, std::span<const Digest> chaining_values,
                   std::uint32_t index, ByteView raw) {
  const bool same = chaining_values.empty()
                        ? Blake3(raw) == content
                        : index < chaining_values.size() &&
                              BlockChainingValue(raw, index) == chaining_values[index];
  if (same) return OkStatus();
  return Corrupt("block " + std::to_string(index) + " of content " + content.ToHex() +
                 ": hash differs");
}

Result<Bytes> Reader::ReadObject(const ObjectPlace& place, ObjectKind kind,
                                 const Digest& id) const {
  Bytes record(place.length_bytes);
  FLAIR_DO(packs_.Read(*place.pack, place.offset, record));
  const auto decode = [&]() -> Result<Bytes> {
    FLAIR_TRY(const RecordHeader h, ParseRecordHeader(record));
    const bool same = h.type == RecordType::kObject && h.kind == kind && h.key == id &&
                      h.record_bytes() == record.size();
    if (!same) return Corrupt("record is not the object the index promises");
    FLAIR_TRY(Bytes stored, DecodeObject(h, ByteView(record).subspan(kRecordHeaderBytes)));
    FLAIR_TRY(const Digest actual, ComputeObjectId(kind, stored));
    if (actual != id) return Corrupt("object " + id.ToHex() + ": id differs");
    return stored;
  };
  auto stored = decode();
  if (stored.ok()) return stored;
  return std::move(stored).error().In(Where(*place.pack, place.offset));
}

Result<Reader::ChainingValues> Reader::LoadHead(const ContentEntry& entry) const {
  {
    const std::lock_guard lock(mutex_);
    for (auto at = heads_.begin(); at != heads_.end(); ++at) {
      if (at->first != entry.hash) continue;
      heads_.splice(heads_.begin(), heads_, at);
      return heads_.front().second;
    }
  }
  Bytes record(entry.head.length_bytes);
  FLAIR_DO(packs_.Read(*entry.head.pack, entry.head.offset, record));
  const auto parse = [&]() -> Result<std::vector<Digest>> {
    FLAIR_TRY(const RecordHeader h, ParseRecordHeader(record));
    const bool same = h.type == RecordType::kHead && h.key == entry.hash &&
                      h.content_bytes == entry.content_bytes;
    if (!same) return Corrupt("record is not the head the index promises");
    return ParseHead(h, ByteView(record).subspan(kRecordHeaderBytes));
  };
  auto values = parse();
  if (!values.ok()) {
    return std::move(values).error().In(Where(*entry.head.pack, entry.head.offset));
  }
  auto loaded = std::make_shared<const std::vector<Digest>>(std::move(values).value());
  const std::lock_guard lock(mutex_);
  heads_.emplace_front(entry.hash, loaded);
  if (heads_.size() > kHeadsCached) heads_.pop_back();
  return loaded;
}

Status Reader::CheckBlock(const ContentEntry& entry, std::uint32_t index, ByteView raw) const {
  ChainingValues values;
  if (entry.blocks.size() >= 2) {
    FLAIR_TRY(values, LoadHead(entry));
  }
  return VerifyBlock(entry.hash, values ? std::span(*values) : std::span<const Digest>(), index,
                     raw);
}

Status Reader::ReadBlock(const ContentEntry& entry, std::uint32_t index,
                         MutableByteView out) const {
  FLAIR_CHECK(index < entry.blocks.size() && out.size() == entry.raw_bytes(index));
  // From the block down to the one without a base, then back up. Only the result is
  // verified: a damaged base cannot give the right bytes.
  std::vector<ContentRefPtr> bases;
  const ContentEntry* at = &entry;
  while (at->blocks[index].base != BlockPlace::kNoBase) {
    const BlockPlace& block = at->blocks[index];
    ContentRefPtr base = catalog_.FindContent(at->bases[block.base]);
    const bool usable = base && index < base->blocks.size() &&
                        base->blocks[index].depth < block.depth &&
                        base->raw_bytes(index) >= at->raw_bytes(index);
    if (!usable) {
      return Corrupt("base " + at->bases[block.base].ToHex() + " is missing or does not fit")
          .In(Where(*block.pack, block.offset));
    }
    bases.push_back(std::move(base));
    at = bases.back().get();
  }

  // Per thread, because taking and clearing megabytes costs as much as decoding them.
  thread_local Bytes record;
  thread_local std::array<Bytes, 2> raw;
  ByteView below;  // the decoded block one level down
  for (std::size_t level = bases.size() + 1; level-- > 0;) {
    const ContentEntry& content = level == 0 ? entry : *bases[level - 1];
    const BlockPlace& place = content.blocks[index];
    const MutableByteView bytes = Room(record, place.length_bytes);
    FLAIR_DO(packs_.Read(*place.pack, place.offset, bytes));
    const auto decode = [&](MutableByteView to) -> Status {
      FLAIR_TRY(const RecordHeader h, ParseRecordHeader(bytes));
      FLAIR_DO(CheckSameBlock(h, content, index, place));
      return DecodeBlock(h, ByteView(bytes).subspan(kRecordHeaderBytes), below, to);
    };
    const MutableByteView to = level == 0 ? out : Room(raw[level % 2], content.raw_bytes(index));
    Status status = decode(to);
    if (!status.ok()) return std::move(status).error().In(Where(*place.pack, place.offset));
    below = to;
  }
  Status status = CheckBlock(entry, index, out);
  if (status.ok()) return status;
  const BlockPlace& place = entry.blocks[index];
  return std::move(status).error().In(Where(*place.pack, place.offset));
}

}  // namespace flair
