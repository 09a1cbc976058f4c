// Receiving records: hostile bytes until every one of them has been checked.
//
// Order on the wire: a content's head before its blocks, bases before what needs
// them. Blocks are verified in parallel; a head whose base is still among the
// unverified blocks waits for them.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "crypto/blake3.h"
#include "store/batch.h"
#include "store/codec.h"
#include "store/pipeline.h"
#include "store/room.h"

namespace flair {

struct Batch::Received {
  RecordHeader h;
  ByteView bytes;  // whole
  std::uint64_t offset = 0;

  ByteView payload() const { return bytes.subspan(kRecordHeaderBytes); }
  Error At(Error error) const {
    return std::move(error).In("record at offset " + std::to_string(offset));
  }
};

namespace {

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

}  // namespace

Status Batch::PutRecords(ByteView records) {
  FLAIR_DO(CheckOpen());
  Status status = TakeRecords(records);
  spent_ = !status.ok();
  return status;
}

Status Batch::TakeRecords(ByteView records) {
  std::vector<Received> blocks;  // not verified yet
  for (std::uint64_t at = 0; at < records.size();) {
    const ByteView rest = records.subspan(at);
    auto parsed = ParseRecordHeader(rest);
    Received record{.h = {}, .bytes = {}, .offset = at};
    if (!parsed.ok()) return record.At(std::move(parsed).error());
    record.h = *parsed;
    if (record.h.record_bytes() > rest.size()) return record.At(Corrupt("record is cut short"));
    record.bytes = rest.first(record.h.record_bytes());
    FLAIR_DO(TakeRecord(record, blocks));
    at += record.h.record_bytes();
  }
  return FlushBlocks(blocks);
}

Status Batch::TakeRecord(const Received& record, std::vector<Received>& blocks) {
  const RecordHeader& h = record.h;
  switch (h.type) {
    case RecordType::kObject: {
      auto stored = DecodeObject(h, record.payload());
      if (!stored.ok()) return record.At(std::move(stored).error());
      const auto id = ComputeObjectId(h.kind, *stored);
      if (!id.ok()) return record.At(id.error());
      if (*id != h.key) return record.At(Corrupt("object " + h.key.ToHex() + ": id differs"));
      if (catalog_.FindObject(h.kind, h.key)) return OkStatus();
      return writer_.Append(h, record.bytes);
    }
    case RecordType::kHead: {
      if (catalog_.FindContent(h.key)) return OkStatus();
      auto values = ParseHead(h, record.payload());
      if (!values.ok()) return record.At(std::move(values).error());
      const ContentRefPtr partial = catalog_.FindPartial(h.key);
      if (partial && partial->head.pack != nullptr) return OkStatus();
      return writer_.Append(h, record.bytes);
    }
    case RecordType::kBlock: {
      const bool delta = h.block_codec == BlockCodec::kSub;
      if (delta && !catalog_.FindContent(BaseOfSub(record.payload()))) {
        FLAIR_DO(FlushBlocks(blocks));
      }
      blocks.push_back(record);
      return OkStatus();
    }
  }
  return OkStatus();
}

Status Batch::FlushBlocks(std::vector<Received>& blocks) {
  if (blocks.empty()) return OkStatus();
  FLAIR_DO(writer_.Flush());  // heads and bases are read back
  const auto verify = [&](std::uint64_t i, Bytes& out) -> Status {
    out.clear();
    auto kept = ReceiveBlock(blocks[i], out);
    if (!kept.ok()) return blocks[i].At(std::move(kept).error());
    return OkStatus();
  };
  // A sender may repeat a block.
  std::unordered_set<std::string> seen;
  const auto write = [&](std::uint64_t i, Bytes& out) -> Status {
    if (out.empty()) return OkStatus();
    const RecordHeader& h = blocks[i].h;
    const std::string name = std::string(AsText(h.key.view())) + std::to_string(h.block_index);
    if (!seen.insert(name).second) return OkStatus();
    FLAIR_TRY(const RecordHeader stored, ParseRecordHeader(out));
    return writer_.Append(stored, out);
  };
  Status status = OrderedPipeline(blocks.size(), verify, write);
  blocks.clear();
  return status;
}

// Leaves in `out` the record to store; false, and nothing, when the block is there.
Result<bool> Batch::ReceiveBlock(const Received& record, Bytes& out) {
  thread_local Bytes raw_buffer;
  thread_local Bytes base_buffer;
  const RecordHeader& h = record.h;
  if (catalog_.FindContent(h.key)) return false;
  const ContentRefPtr entry = catalog_.FindPartial(h.key);
  const std::string name =
      "block " + std::to_string(h.block_index) + " of content " + h.key.ToHex();
  if (!entry || entry->head.pack == nullptr) return Corrupt(name + " comes before its head");
  if (h.block_index >= entry->blocks.size() || h.raw_bytes != entry->raw_bytes(h.block_index)) {
    return Corrupt(name + " does not fit the content");
  }
  if (entry->blocks[h.block_index].pack != nullptr) return false;

  ByteView base;
  std::uint8_t depth = 0;
  if (h.block_codec == BlockCodec::kSub) {
    const Digest base_hash = BaseOfSub(record.payload());
    const ContentRefPtr content = catalog_.FindContent(base_hash);
    if (!content) return Corrupt(name + " needs base " + base_hash.ToHex() + ", not stored here");
    const bool fits =
        h.block_index < content->blocks.size() && content->raw_bytes(h.block_index) >= h.raw_bytes;
    if (!fits) return Corrupt(name + ": base " + base_hash.ToHex() + " is shorter");
    const MutableByteView bytes = Room(base_buffer, content->raw_bytes(h.block_index));
    FLAIR_DO(reader_.ReadBlock(*content, h.block_index, bytes));
    base = bytes;
    depth = static_cast<std::uint8_t>(content->blocks[h.block_index].depth + 1);
  }
  const MutableByteView raw = Room(raw_buffer, h.raw_bytes);
  FLAIR_DO(DecodeBlock(h, record.payload(), base, raw));
  FLAIR_DO(reader_.CheckBlock(*entry, h.block_index, raw));
  if (depth > kMaxDepth) {
    // The sender's chain was shorter than ours: keep the block without a base.
    AppendBlockRecord(out, {.raw = raw,
                            .content = h.key,
                            .index = h.block_index,
                            .shape = h.shape,
                            .base = {},
                            .base_content = {},
                            .depth = 0});
    return true;
  }
  Append(out, record.bytes);
  if (depth > 0) SetDepth(out, depth);
  return true;
}

}  // namespace flair
