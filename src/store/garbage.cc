// Garbage collection. Kept are: what the caller names, what lies in packs younger
// than the grace period, and every base that a kept content needs. Old packs that
// hold anything else, or a second copy, are rewritten: first the new packs are
// published, then the old ones removed, so that a crash leaves duplicates at worst.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "store/batch.h"
#include "store/upkeep.h"

namespace flair {
namespace {

using Digests = std::unordered_set<Digest, DigestHash>;

struct OldPack {
  std::shared_ptr<PackFile> file;
  PackIndex index;
  bool young = false;
};

struct Copy {
  RecordType type = RecordType::kObject;
  std::uint32_t offset = 0;
  std::uint64_t length_bytes = 0;
};

class Collector {
 public:
  Collector(std::shared_ptr<StoreCore> store,
            const std::function<bool(ObjectKind, const Digest&)>& keep_object,
            const std::function<bool(const Digest&)>& keep_content)
      : core_(std::move(store)),
        store_(*core_),
        keep_object_(keep_object),
        keep_content_(keep_content) {}

  Result<ObjectStore::GcResult> Run(std::int64_t grace_s) {
    FLAIR_DO(Load(grace_s));
    MarkContents();
    // The batch's destructor gives up what is not committed.
    FLAIR_TRY(BatchLease lease, TakeLease(store_.env(), store_.folder()));
    Batch batch(core_, std::move(lease));
    std::vector<std::string> replaced;
    std::uint64_t before = 0;
    for (const OldPack& pack : packs_) {
      if (pack.young) continue;
      const std::uint64_t removed = removed_records_;
      const std::vector<Copy> kept = Kept(pack);
      if (removed == removed_records_) continue;
      for (const Copy& copy : kept) FLAIR_DO(CopyRecord(*pack.file, copy, batch));
      replaced.push_back(pack.file->name);
      before += pack.file->size_bytes;
    }
    ObjectStore::GcResult result;
    if (replaced.empty()) return result;
    FLAIR_DO(batch.Commit());
    std::uint64_t after = 0;
    for (const auto& file : store_.Packs()) {
      const bool old = std::any_of(packs_.begin(), packs_.end(),
                                   [&](const OldPack& p) { return p.file->name == file->name; });
      if (!old) after += file->size_bytes;
    }
    FLAIR_DO(store_.Remove(replaced));
    result.removed_records = removed_records_;
    result.freed_bytes = before > after ? before - after : 0;
    return result;
  }

 private:
  Status Load(std::int64_t grace_s) {
    FLAIR_DO(store_.Refresh());
    if (const auto damaged = store_.Damaged(); !damaged.empty()) {
      return Error(ErrorCode::kCorrupt, "garbage is not collected while a pack is damaged: " +
                                            damaged.begin()->second.message());
    }
    const std::int64_t now_s = store_.env().NowSeconds();
    for (auto& file : store_.Packs()) {
      FLAIR_TRY(const FileInfo info, store_.env().Stat(file->path));
      FLAIR_TRY(const auto source, store_.cache().Open(*file));
      FLAIR_TRY(PackLayout layout, ReadPackLayout(*source));
      const bool young = now_s - info.mtime_ns / 1'000'000'000 < grace_s;
      packs_.push_back({std::move(file), std::move(layout.index), young});
    }
    return OkStatus();
  }

  void MarkContents() {
    std::vector<Digest> open;
    store_.catalog().EachPartial([&](const ContentEntry& entry) {
      if (entry.head.pack != nullptr && keep_content_(entry.hash)) open.push_back(entry.hash);
    });
    for (const OldPack& pack : packs_) {
      if (!pack.young) continue;
      for (const auto& head : pack.index.heads) open.push_back(head.hash);
      for (const auto& run : pack.index.runs) open.push_back(run.hash);
    }
    while (!open.empty()) {
      const Digest hash = open.back();
      open.pop_back();
      if (!kept_contents_.insert(hash).second) continue;
      const ContentRefPtr entry = store_.catalog().FindPartial(hash);
      if (!entry) continue;
      const std::vector<Digest> bases = entry->UsedBases();
      open.insert(open.end(), bases.begin(), bases.end());
    }
  }

  static bool Is(const ObjectPlace& place, const OldPack& pack, std::uint32_t offset) {
    return place.pack == pack.file.get() && place.offset == offset;
  }

  // The records of a pack that stay. Counts the others.
  std::vector<Copy> Kept(const OldPack& pack) {
    std::vector<Copy> kept;
    const auto decide = [&](bool keep, RecordType type, std::uint32_t offset,
                            std::uint64_t length) {
      if (keep) {
        kept.push_back({type, offset, length});
      } else {
        ++removed_records_;
      }
    };
    for (const auto& o : pack.index.objects) {
      const auto place = store_.catalog().FindObject(o.kind, o.id);
      const bool chosen = place && Is(*place, pack, o.offset);
      decide(chosen && keep_object_(o.kind, o.id), RecordType::kObject, o.offset, o.length_bytes);
    }
    for (const auto& h : pack.index.heads) {
      const ContentRefPtr entry = store_.catalog().FindPartial(h.hash);
      const bool chosen = entry && Is(entry->head, pack, h.offset);
      decide(chosen && kept_contents_.contains(h.hash), RecordType::kHead, h.offset,
             kRecordHeaderBytes + HeadPayloadBytes(h.content_bytes));
    }
    for (const auto& run : pack.index.runs) {
      const ContentRefPtr entry = store_.catalog().FindPartial(run.hash);
      const bool wanted = entry && kept_contents_.contains(run.hash);
      for (std::size_t i = 0; i < run.places.size(); ++i) {
        const std::size_t index = run.first_block + i;
        const auto& place = run.places[i];
        const bool chosen = wanted && index < entry->blocks.size() &&
                            entry->blocks[index].pack == pack.file.get() &&
                            entry->blocks[index].offset == place.offset;
        decide(chosen, RecordType::kBlock, place.offset, place.length_bytes);
      }
    }
    // In the order of the file: reads are sequential and neighbours stay neighbours.
    std::sort(kept.begin(), kept.end(),
              [](const Copy& a, const Copy& b) { return a.offset < b.offset; });
    return kept;
  }

  Status CopyRecord(const PackFile& file, const Copy& copy, Batch& batch) {
    Bytes record(copy.length_bytes);
    FLAIR_DO(store_.cache().Read(file, copy.offset, record));
    auto h = ParseRecordHeader(record);
    if (!h.ok()) return std::move(h).error().In(Where(file, copy.offset));
    if (h->type != copy.type || h->record_bytes() != record.size()) {
      return Error(ErrorCode::kCorrupt, "record is not what the index promises")
          .In(Where(file, copy.offset));
    }
    return batch.PutVerified(*h, record);
  }

  std::shared_ptr<StoreCore> core_;
  StoreCore& store_;
  const std::function<bool(ObjectKind, const Digest&)>& keep_object_;
  const std::function<bool(const Digest&)>& keep_content_;
  std::vector<OldPack> packs_;
  Digests kept_contents_;
  std::uint64_t removed_records_ = 0;
};

}  // namespace

Result<ObjectStore::GcResult> CollectStoreGarbage(
    const std::shared_ptr<StoreCore>& store,
    const std::function<bool(ObjectKind, const Digest&)>& keep_object,
    const std::function<bool(const Digest&)>& keep_content, std::int64_t grace_s) {
  return Collector(store, keep_object, keep_content).Run(grace_s);
}

}  // namespace flair
