// Putting objects and contents. Received records: batch_records.cc.
// SPDX-License-Identifier: Apache-2.0
#include "store/batch.h"

#include <bit>
#include <string>
#include <utility>

#include "base/path.h"
#include "base/threads.h"
#include "crypto/blake3.h"
#include "store/codec.h"
#include "store/pipeline.h"
#include "store/room.h"

namespace flair {
namespace {

// Contents up to this are read once and held; larger ones are read twice, first for
// the hash, which tells whether they are stored already and where every block belongs.
constexpr std::uint64_t kHeldBytes = std::uint64_t{16} << 20;

Result<ElementShape> ShapeOf(const PutOptions& options) {
  const std::uint64_t bytes = options.element_bytes;
  if (!std::has_single_bit(bytes) || bytes > 8) {
    return Error(ErrorCode::kInvalidArgument,
                 "element size " + std::to_string(bytes) + " is not 1, 2, 4 or 8");
  }
  return ElementShape{.log2_bytes = static_cast<std::uint8_t>(std::countr_zero(bytes)),
                      .is_float = options.is_float};
}

// The chaining values of every block; of a content of one block, nothing but its hash.
struct Hashed {
  Digest hash;
  std::vector<Digest> chaining_values;
};

Result<Hashed> HashContent(const ByteSource& source) {
  const std::uint64_t size = source.size_bytes();
  const std::uint64_t num_blocks = BlockCount(size);
  Hashed hashed;
  if (num_blocks >= 2) hashed.chaining_values.resize(num_blocks);
  if (num_blocks == 0) hashed.hash = Blake3({});
  const auto hash_block = [&](std::size_t i) -> Status {
    thread_local Bytes buffer;
    const auto index = static_cast<std::uint32_t>(i);
    const MutableByteView block = Room(buffer, BlockRawBytes(size, index));
    FLAIR_DO(source.ReadAt(i * kBlockBytes, block));
    if (num_blocks == 1) {
      hashed.hash = Blake3(block);
    } else {
      hashed.chaining_values[i] = BlockChainingValue(block, index);
    }
    return OkStatus();
  };
  FLAIR_DO(ParallelFor(num_blocks, hash_block));
  if (num_blocks >= 2) hashed.hash = RootOfBlocks(hashed.chaining_values);
  return hashed;
}

}  // namespace

Batch::Batch(std::shared_ptr<StoreCore> store, BatchLease lease)
    : core_(std::move(store)),
      store_(*core_),
      lease_(std::move(lease)),
      catalog_(&store_.catalog()),
      reader_(store_.cache(), catalog_),
      writer_storage_(std::in_place, store_.env(), store_.cache(), catalog_,
                      JoinPath(TmpFolder(store_.folder()), lease_.nonce), lease_.nonce_value,
                      store_.max_pack_bytes()),
      writer_(*writer_storage_) {}

Batch::~Batch() {
  writer_storage_.reset();  // closes files before they are removed
  ReleaseLease(store_.env(), store_.folder(), std::move(lease_));
}

Status Batch::CheckOpen() const {
  if (!spent_) return OkStatus();
  return Error(ErrorCode::kInvalidArgument, "the batch was committed or has failed; begin another");
}

Result<Digest> Batch::PutObject(ObjectKind kind, ByteView stored) {
  FLAIR_DO(CheckOpen());
  if (stored.size() > kMaxObjectBytes) {
    return Error(ErrorCode::kUnsupported,
                 std::string(ObjectKindName(kind)) + " of " + std::to_string(stored.size()) +
                     " bytes is over the limit of " + std::to_string(kMaxObjectBytes));
  }
  FLAIR_TRY(const Digest id, ComputeObjectId(kind, stored));
  if (catalog_.FindObject(kind, id)) return id;
  Bytes record;
  AppendObjectRecord(record, kind, id, stored);
  FLAIR_TRY(const RecordHeader h, ParseRecordHeader(record));
  FLAIR_DO(writer_.Append(h, record));
  return id;
}

Result<ContentRef> Batch::PutContent(const ByteSource& source, const PutOptions& options) {
  FLAIR_DO(CheckOpen());
  FLAIR_DO(ShapeOf(options));
  const std::uint64_t size = source.size_bytes();
  if (size > kMaxContentBytes) {
    return Error(ErrorCode::kUnsupported, "content of " + std::to_string(size) +
                                              " bytes is over the limit of " +
                                              std::to_string(kMaxContentBytes));
  }
  Bytes held;
  std::unique_ptr<ByteSource> memory;
  if (size <= kHeldBytes) {
    held.resize(size);
    FLAIR_DO(source.ReadAt(0, held));
    memory = SourceOfBytes(held);
  }
  const ByteSource& from = memory ? *memory : source;
  FLAIR_TRY(const Hashed hashed, HashContent(from));
  const ContentRef content{.hash = hashed.hash, .size_bytes = size};
  if (catalog_.FindContent(content.hash)) return content;

  FLAIR_DO(WriteBlocks(from, content, hashed.chaining_values, options));

  const ContentRefPtr partial = catalog_.FindPartial(content.hash);
  if (partial && partial->head.pack != nullptr) return content;
  RecordHeader h;
  h.type = RecordType::kHead;
  h.key = content.hash;
  h.content_bytes = size;
  h.payload_bytes = HeadPayloadBytes(size);
  Bytes record;
  record.reserve(h.record_bytes());
  AppendRecordHeader(record, h);
  for (const Digest& value : hashed.chaining_values) Append(record, value.view());
  FLAIR_DO(writer_.Append(h, record));
  return content;
}

Status Batch::WriteBlocks(const ByteSource& source, const ContentRef& content,
                          std::span<const Digest> chaining_values, const PutOptions& options) {
  FLAIR_TRY(const ElementShape shape, ShapeOf(options));
  ContentRefPtr base;
  if (options.base && *options.base != content.hash) {
    // Only committed contents: what this batch wrote may still be in a buffer.
    base = store_.catalog().FindContent(*options.base);
  }
  // What an attempt that failed half way left in this batch.
  const ContentRefPtr there = catalog_.FindPartial(content.hash);
  const auto is_there = [&](std::uint64_t i) {
    return there && i < there->blocks.size() && there->blocks[i].pack != nullptr;
  };

  const auto encode = [&](std::uint64_t i, Bytes& out) -> Status {
    thread_local Bytes raw_buffer;
    thread_local Bytes base_buffer;
    out.clear();
    if (is_there(i)) return OkStatus();
    const auto index = static_cast<std::uint32_t>(i);
    const MutableByteView raw = Room(raw_buffer, BlockRawBytes(content.size_bytes, index));
    FLAIR_DO(source.ReadAt(i * kBlockBytes, raw));
    if (!VerifyBlock(content.hash, chaining_values, index, raw).ok()) {
      return Error(ErrorCode::kConflict, "the source changed while it was stored")
          .WithHint("try again when nothing writes to it");
    }
    BlockToEncode block{.raw = raw,
                        .content = content.hash,
                        .index = index,
                        .shape = shape,
                        .base = {},
                        .base_content = {},
                        .depth = 0};
    const bool has_base = base && index < base->blocks.size() &&
                          base->blocks[index].depth < kMaxDepth &&
                          base->raw_bytes(index) >= raw.size();
    if (has_base) {
      const MutableByteView bytes = Room(base_buffer, base->raw_bytes(index));
      FLAIR_DO(store_.ReadBlock(base->hash, index, bytes));
      block.base = bytes;
      block.base_content = base->hash;
      block.depth = static_cast<std::uint8_t>(base->blocks[index].depth + 1);
    }
    AppendBlockRecord(out, block);
    return OkStatus();
  };
  const auto write = [&](std::uint64_t, Bytes& record) -> Status {
    if (record.empty()) return OkStatus();
    FLAIR_TRY(const RecordHeader h, ParseRecordHeader(record));
    return writer_.Append(h, record);
  };
  return OrderedPipeline(BlockCount(content.size_bytes), encode, write);
}

bool Batch::IsStale() const {
  bool stale = false;
  catalog_.EachPartial([&](const ContentEntry& entry) {
    stale = stale || store_.catalog().FindContent(entry.hash) != nullptr;
  });
  return stale;
}

Status Batch::Commit() {
  FLAIR_DO(CheckOpen());
  spent_ = true;
  std::optional<Error> incomplete;
  catalog_.EachPartial([&](const ContentEntry& entry) {
    if (entry.head.pack == nullptr || entry.missing_blocks == 0 || incomplete) return;
    incomplete = Error(ErrorCode::kCorrupt, "content " + entry.hash.ToHex() + " misses " +
                                                std::to_string(entry.missing_blocks) + " of " +
                                                std::to_string(entry.blocks.size()) + " blocks");
  });
  if (incomplete) return *incomplete;
  FLAIR_TRY(std::vector<SealedPack> packs, writer_.Finish());
  if (packs.empty()) return OkStatus();
  FLAIR_DO(Publish(store_.env(), store_.folder(), lease_.nonce, packs));
  store_.Adopt(std::move(packs));
  return OkStatus();
}

}  // namespace flair
