// The ObjectStore over a StoreCore.
// SPDX-License-Identifier: Apache-2.0
#include "store/object_store.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/path.h"
#include "base/threads.h"
#include "store/batch.h"
#include "store/pipeline.h"
#include "store/store_core.h"
#include "store/upkeep.h"

namespace flair {
namespace {

Status CheckRange(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  if (offset <= size && length <= size - offset) return OkStatus();
  return Error(ErrorCode::kInvalidArgument, "content of " + std::to_string(size) +
                                                " bytes has no " + std::to_string(length) +
                                                " bytes at offset " + std::to_string(offset));
}

// Keeps the last block it decoded: parsers read headers in small pieces.
class ContentSource final : public ByteSource {
 public:
  ContentSource(std::shared_ptr<StoreCore> core, ContentRefPtr entry)
      : core_(std::move(core)), entry_(std::move(entry)) {}
  std::uint64_t size_bytes() const override { return entry_->content_bytes; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    if (offset > size_bytes() || out.size() > size_bytes() - offset) {
      return Error(ErrorCode::kCorrupt, "content " + entry_->hash.ToHex() + " ends before offset " +
                                            std::to_string(offset) + " + " +
                                            std::to_string(out.size()));
    }
    while (!out.empty()) {
      const auto index = static_cast<std::uint32_t>(offset / kBlockBytes);
      const std::uint64_t inside = offset % kBlockBytes;
      const std::uint64_t length =
          std::min<std::uint64_t>(out.size(), entry_->raw_bytes(index) - inside);
      if (length == entry_->raw_bytes(index)) {
        FLAIR_DO(core_->ReadBlock(entry_->hash, index, out.first(length)));
      } else {
        FLAIR_DO(CopyFrom(index, inside, out.first(length)));
      }
      out = out.subspan(length);
      offset += length;
    }
    return OkStatus();
  }

 private:
  Status CopyFrom(std::uint32_t index, std::uint64_t inside, MutableByteView out) const {
    const std::lock_guard lock(mutex_);
    if (!has_block_ || block_index_ != index) {
      has_block_ = false;
      block_.resize(entry_->raw_bytes(index));
      FLAIR_DO(core_->ReadBlock(entry_->hash, index, block_));
      block_index_ = index;
      has_block_ = true;
    }
    std::memcpy(out.data(), block_.data() + inside, out.size());
    return OkStatus();
  }

  std::shared_ptr<StoreCore> core_;
  ContentRefPtr entry_;
  mutable std::mutex mutex_;
  mutable Bytes block_;
  mutable std::uint32_t block_index_ = 0;
  mutable bool has_block_ = false;
};

class PackStore final : public ObjectStore {
 public:
  PackStore(Env& env, const std::string& folder, std::uint64_t max_pack_bytes)
      : core_(std::make_shared<StoreCore>(env, folder, max_pack_bytes)) {}
  Status Open() { return core_->Open(); }

  bool HasObject(ObjectKind kind, const Digest& id) const override {
    return core_->catalog().FindObject(kind, id).has_value();
  }
  bool HasContent(const Digest& hash) const override {
    return core_->catalog().FindContent(hash) != nullptr;
  }
  void ExplainAbsence(std::string hint) override { core_->ExplainAbsence(std::move(hint)); }
  Error AbsentContent(const Digest& hash) const override { return core_->AbsentContent(hash); }
  Result<Bytes> ReadObject(ObjectKind kind, const Digest& id) const override {
    return core_->ReadObject(kind, id);
  }
  Result<std::uint64_t> ContentBytes(const Digest& hash) const override {
    FLAIR_TRY(const ContentRefPtr entry, core_->FindContent(hash));
    return entry->content_bytes;
  }

  Status ReadContent(const Digest& hash, std::uint64_t offset, MutableByteView out) const override {
    FLAIR_TRY(const ContentRefPtr entry, core_->FindContent(hash));
    FLAIR_DO(CheckRange(offset, out.size(), entry->content_bytes));
    if (out.empty()) return OkStatus();
    const std::uint64_t first = offset / kBlockBytes;
    const std::uint64_t last = (offset + out.size() - 1) / kBlockBytes;
    return ParallelFor(last - first + 1, [&](std::size_t i) -> Status {
      const auto index = static_cast<std::uint32_t>(first + i);
      const std::uint64_t block_start = index * kBlockBytes;
      const std::uint64_t begin = std::max(offset, block_start);
      const std::uint64_t end =
          std::min(offset + out.size(), block_start + entry->raw_bytes(index));
      const MutableByteView part = out.subspan(begin - offset, end - begin);
      if (part.size() == entry->raw_bytes(index)) return core_->ReadBlock(hash, index, part);
      Bytes block(entry->raw_bytes(index));
      FLAIR_DO(core_->ReadBlock(hash, index, block));
      std::memcpy(part.data(), block.data() + (begin - block_start), part.size());
      return OkStatus();
    });
  }

  Status StreamContent(const Digest& hash,
                       const std::function<Status(ByteView)>& sink) const override {
    FLAIR_TRY(const ContentRefPtr entry, core_->FindContent(hash));
    return OrderedPipeline(
        entry->blocks.size(),
        [&](std::uint64_t i, Bytes& out) {
          const auto index = static_cast<std::uint32_t>(i);
          out.resize(entry->raw_bytes(index));
          return core_->ReadBlock(hash, index, out);
        },
        [&](std::uint64_t, Bytes& block) { return sink(block); });
  }

  Result<std::unique_ptr<ByteSource>> OpenContent(const Digest& hash) const override {
    FLAIR_TRY(ContentRefPtr entry, core_->FindContent(hash));
    return std::unique_ptr<ByteSource>(std::make_unique<ContentSource>(core_, std::move(entry)));
  }

  Result<std::unique_ptr<ObjectBatch>> Begin() override {
    FLAIR_TRY(BatchLease lease, TakeLease(core_->env(), core_->folder()));
    return std::unique_ptr<ObjectBatch>(std::make_unique<Batch>(core_, std::move(lease)));
  }

  Result<std::vector<RecordLocation>> Locate(
      const std::vector<std::pair<ObjectKind, Digest>>& objects,
      const std::vector<Digest>& contents,
      const std::function<bool(const Digest&)>& receiver_has_content) const override {
    std::vector<RecordLocation> found;
    for (const auto& [kind, id] : objects) {
      const auto place = core_->catalog().FindObject(kind, id);
      if (!place) {
        return Error(ErrorCode::kNotFound,
                     std::string(ObjectKindName(kind)) + " " + id.ToHex() + " is not stored here");
      }
      found.push_back({place->pack->name, place->offset, place->length_bytes});
    }
    std::unordered_set<Digest, DigestHash> done;
    for (const Digest& hash : contents) {
      FLAIR_DO(LocateContent(hash, receiver_has_content, done, found));
    }
    return found;
  }

  Status ReadRecord(const RecordLocation& where, Bytes& out) const override {
    const auto pack = core_->FindPack(where.pack);
    if (!pack) return Error(ErrorCode::kNotFound, "pack " + where.pack + " is not here");
    if (where.offset > pack->size_bytes || where.length_bytes > pack->size_bytes - where.offset) {
      return Error(ErrorCode::kInvalidArgument,
                   "pack " + where.pack + " has no " + std::to_string(where.length_bytes) +
                       " bytes at offset " + std::to_string(where.offset));
    }
    out.resize(where.length_bytes);
    return core_->cache().Read(*pack, where.offset, out);
  }
  std::string PackPath(const std::string& pack) const override {
    return JoinPath(PacksFolder(core_->folder()), pack);
  }

  Result<std::vector<Damage>> Verify() const override { return VerifyStore(*core_); }
  Result<GcResult> CollectGarbage(const std::function<bool(ObjectKind, const Digest&)>& keep_object,
                                  const std::function<bool(const Digest&)>& keep_content,
                                  std::int64_t grace_s) override {
    return CollectStoreGarbage(core_, keep_object, keep_content, grace_s);
  }
  Status Refresh() override { return core_->Refresh(); }
  std::uint64_t StoredBytes() const override {
    std::uint64_t bytes = 0;
    for (const auto& pack : core_->Packs()) bytes += pack->size_bytes;
    return bytes;
  }

 private:
  // Bases first. The depth bounds the recursion.
  Status LocateContent(const Digest& hash,
                       const std::function<bool(const Digest&)>& receiver_has_content,
                       std::unordered_set<Digest, DigestHash>& done,
                       std::vector<RecordLocation>& found) const {
    if (!done.insert(hash).second) return OkStatus();
    FLAIR_TRY(const ContentRefPtr entry, core_->FindContent(hash));
    for (const Digest& base : entry->UsedBases()) {
      if (receiver_has_content(base)) continue;
      FLAIR_DO(LocateContent(base, receiver_has_content, done, found));
    }
    found.push_back({entry->head.pack->name, entry->head.offset, entry->head.length_bytes});
    for (const BlockPlace& block : entry->blocks) {
      found.push_back({block.pack->name, block.offset, block.length_bytes});
    }
    return OkStatus();
  }

  // Shared with batches and sources. Reading may have to look for packs that another
  // process moved, so the core is not const.
  std::shared_ptr<StoreCore> core_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenStore(Env& env, const std::string& folder,
                                               std::uint64_t max_pack_bytes) {
  auto store = std::make_unique<PackStore>(env, folder, max_pack_bytes);
  FLAIR_DO(store->Open());
  return std::unique_ptr<ObjectStore>(std::move(store));
}

Result<std::unique_ptr<ObjectStore>> ObjectStore::Open(Env& env, const std::string& folder) {
  return OpenStore(env, folder, kMaxPackBytes);
}

}  // namespace flair
