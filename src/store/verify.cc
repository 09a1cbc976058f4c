// Reading everything again. Each pack is checked in three ways, so that a flipped bit
// anywhere is found and named: its name is the hash of its bytes, its records tile it
// without a gap, and every record decodes to what its id or hash says.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/threads.h"
#include "crypto/blake3.h"
#include "store/codec.h"
#include "store/upkeep.h"

namespace flair {
namespace {

class PackVerifier {
 public:
  PackVerifier(StoreCore& store, std::shared_ptr<PackFile> pack)
      : store_(store), pack_(std::move(pack)) {}

  std::vector<ObjectStore::Damage> Run() {
    if (Status status = Check(); !status.ok()) Report(0, status.error());
    return std::move(damage_);
  }

 private:
  void Report(std::uint64_t offset, const Error& error) {
    const std::string where = Where(*pack_, offset);
    // What the reader says names the place already.
    const bool told = error.message().rfind(where, 0) == 0;
    damage_.push_back({told ? error.message() : where + ": " + error.message()});
  }

  Status Check() {
    FLAIR_TRY(source_, store_.cache().Open(*pack_));
    FLAIR_TRY(const PackLayout layout, ReadPackLayout(*source_));
    // Where the index says that records are.
    std::map<std::uint64_t, std::uint64_t> places;
    for (const auto& o : layout.index.objects) places[o.offset] = o.length_bytes;
    for (const auto& h : layout.index.heads) {
      places[h.offset] = kRecordHeaderBytes + HeadPayloadBytes(h.content_bytes);
    }
    for (const auto& run : layout.index.runs) {
      for (const auto& place : run.places) places[place.offset] = place.length_bytes;
    }
    std::uint64_t expected = kPackHeaderBytes;
    for (const auto& [offset, length] : places) {
      if (offset != expected) {
        Report(expected, Error(ErrorCode::kCorrupt, "bytes that no index entry names"));
      }
      expected = offset + length;
    }
    if (expected != layout.index_offset) {
      Report(expected, Error(ErrorCode::kCorrupt, "bytes that no index entry names"));
    }
    for (const auto& o : layout.index.objects) CheckObject(o);
    for (const auto& h : layout.index.heads) CheckHead(h);
    for (const auto& run : layout.index.runs) CheckRun(run);
    FLAIR_DO(CheckName());
    return OkStatus();
  }

  Result<Bytes> ReadRecord(std::uint64_t offset, std::uint64_t length) const {
    Bytes record(length);
    FLAIR_DO(source_->ReadAt(offset, record));
    return record;
  }

  void CheckObject(const PackIndex::Object& o) {
    const auto stored =
        store_.reader().ReadObject({pack_.get(), o.offset, o.length_bytes}, o.kind, o.id);
    if (!stored.ok()) return Report(o.offset, stored.error());
    if (stored->size() != o.raw_bytes) {
      Report(o.offset, Error(ErrorCode::kCorrupt, "object of another length than the index says"));
    }
  }

  void CheckHead(const PackIndex::Head& head) {
    const auto check = [&]() -> Status {
      FLAIR_TRY(const Bytes record,
                ReadRecord(head.offset, kRecordHeaderBytes + HeadPayloadBytes(head.content_bytes)));
      FLAIR_TRY(const RecordHeader h, ParseRecordHeader(record));
      if (h.type != RecordType::kHead || h.key != head.hash ||
          h.content_bytes != head.content_bytes) {
        return Error(ErrorCode::kCorrupt, "record is not the head the index promises");
      }
      FLAIR_DO(ParseHead(h, ByteView(record).subspan(kRecordHeaderBytes)));
      return OkStatus();
    };
    if (const Status status = check(); !status.ok()) Report(head.offset, status.error());
  }

  // Blocks are read through an entry that points at this pack's copy of them.
  void CheckRun(const PackIndex::Run& run) {
    const ContentRefPtr known = store_.catalog().FindContent(run.hash);
    // Blocks of a content that is not whole are garbage of an interrupted removal.
    if (!known) return;
    if (run.first_block + run.places.size() > known->blocks.size()) {
      return Report(run.places.front().offset,
                    Error(ErrorCode::kCorrupt, "blocks behind the end of their content"));
    }
    ContentEntry here = *known;
    here.bases.clear();
    if (run.base) here.bases.push_back(*run.base);
    for (std::size_t i = 0; i < run.places.size(); ++i) {
      here.blocks[run.first_block + i] = {
          pack_.get(), run.places[i].offset, run.places[i].length_bytes,
          run.base ? std::uint16_t{0} : BlockPlace::kNoBase, run.depth};
    }
    Bytes raw;
    for (std::size_t i = 0; i < run.places.size(); ++i) {
      const auto index = static_cast<std::uint32_t>(run.first_block + i);
      raw.resize(here.raw_bytes(index));
      const Status status = store_.reader().ReadBlock(here, index, raw);
      if (!status.ok()) Report(run.places[i].offset, status.error());
    }
  }

  Status CheckName() {
    Blake3Hasher hasher;
    Bytes piece;
    const std::uint64_t size = source_->size_bytes();
    for (std::uint64_t at = 0; at < size; at += piece.size()) {
      piece.resize(std::min(kBlockBytes, size - at));
      FLAIR_DO(source_->ReadAt(at, piece));
      hasher.Update(piece);
    }
    if (pack_->name == hasher.Finish().ToHex() + ".pack") return OkStatus();
    return Error(ErrorCode::kCorrupt, "the file's hash is not its name");
  }

  StoreCore& store_;
  std::shared_ptr<PackFile> pack_;
  std::shared_ptr<const ByteSource> source_;
  std::vector<ObjectStore::Damage> damage_;
};

}  // namespace

Result<std::vector<ObjectStore::Damage>> VerifyStore(StoreCore& store) {
  FLAIR_DO(store.Refresh());
  std::vector<ObjectStore::Damage> damage;
  for (const auto& [name, error] : store.Damaged()) damage.push_back({error.message()});
  const auto packs = store.Packs();
  std::vector<std::vector<ObjectStore::Damage>> found(packs.size());
  FLAIR_DO(ParallelFor(packs.size(), [&](std::size_t i) {
    found[i] = PackVerifier(store, packs[i]).Run();
    return OkStatus();
  }));
  for (auto& of_pack : found) {
    std::move(of_pack.begin(), of_pack.end(), std::back_inserter(damage));
  }
  return damage;
}

}  // namespace flair
