// SPDX-License-Identifier: Apache-2.0
#include "store/catalog.h"

#include <algorithm>
#include <mutex>

namespace flair {

std::uint8_t ContentEntry::depth() const {
  std::uint8_t most = 0;
  for (const BlockPlace& b : blocks) most = std::max(most, b.depth);
  return most;
}

std::vector<Digest> ContentEntry::UsedBases() const {
  std::vector<bool> used(bases.size());
  for (const BlockPlace& b : blocks) {
    if (b.base != BlockPlace::kNoBase) used[b.base] = true;
  }
  std::vector<Digest> result;
  for (std::size_t i = 0; i < bases.size(); ++i) {
    if (used[i]) result.push_back(bases[i]);
  }
  return result;
}

// Entries that were handed out do not change: one that somebody holds is copied.
ContentEntry& Catalog::Mutable(const Digest& hash) {
  std::shared_ptr<ContentEntry>& entry = contents_[hash];
  if (!entry) {
    entry = std::make_shared<ContentEntry>();
    entry->hash = hash;
  } else if (entry.use_count() > 1) {
    entry = std::make_shared<ContentEntry>(*entry);
  }
  return *entry;
}

void Catalog::Add(const PackFile& pack, const PackIndex& index) {
  const std::unique_lock lock(mutex_);
  for (const auto& o : index.objects) {
    objects_.try_emplace({o.kind, o.id}, ObjectPlace{&pack, o.offset, o.length_bytes});
  }
  for (const auto& head : index.heads) AddHead(pack, head);
  for (const auto& run : index.runs) AddRun(pack, run);
}

void Catalog::AddHead(const PackFile& pack, const PackIndex::Head& head) {
  ContentEntry& entry = Mutable(head.hash);
  if (entry.head.pack != nullptr) return;
  const std::uint64_t num_blocks = BlockCount(head.content_bytes);
  entry.head = {
      &pack, head.offset,
      static_cast<std::uint32_t>(kRecordHeaderBytes + HeadPayloadBytes(head.content_bytes))};
  entry.content_bytes = head.content_bytes;
  // Blocks behind the end can only come from a damaged pack.
  entry.blocks.resize(num_blocks);
  entry.missing_blocks = static_cast<std::uint64_t>(
      std::count_if(entry.blocks.begin(), entry.blocks.end(),
                    [](const BlockPlace& b) { return b.pack == nullptr; }));
}

void Catalog::AddRun(const PackFile& pack, const PackIndex::Run& run) {
  ContentEntry& entry = Mutable(run.hash);
  const bool has_head = entry.head.pack != nullptr;
  const std::uint64_t end = std::uint64_t{run.first_block} + run.places.size();
  if (has_head && end > entry.blocks.size()) return;
  if (!has_head && end > entry.blocks.size()) entry.blocks.resize(end);

  std::uint16_t base = BlockPlace::kNoBase;
  if (run.base) {
    const auto at = std::find(entry.bases.begin(), entry.bases.end(), *run.base);
    if (at == entry.bases.end() && entry.bases.size() == BlockPlace::kNoBase) return;
    base = static_cast<std::uint16_t>(at - entry.bases.begin());
    if (at == entry.bases.end()) entry.bases.push_back(*run.base);
  }
  for (std::size_t i = 0; i < run.places.size(); ++i) {
    BlockPlace& block = entry.blocks[run.first_block + i];
    if (block.pack != nullptr && block.depth <= run.depth) continue;
    if (block.pack == nullptr && has_head) --entry.missing_blocks;
    block = {&pack, run.places[i].offset, run.places[i].length_bytes, base, run.depth};
  }
}

void Catalog::ReplaceBy(Catalog&& other) {
  const std::unique_lock lock(mutex_);
  objects_ = std::move(other.objects_);
  contents_ = std::move(other.contents_);
}

std::optional<ObjectPlace> Catalog::FindObject(ObjectKind kind, const Digest& id) const {
  {
    const std::shared_lock lock(mutex_);
    if (const auto at = objects_.find({kind, id}); at != objects_.end()) return at->second;
  }
  return below_ == nullptr ? std::nullopt : below_->FindObject(kind, id);
}

bool Catalog::Complete(const ContentEntry& entry, int depth_left) const {
  if (entry.complete.get()) return true;
  const bool complete = LookComplete(entry, depth_left);
  if (complete) entry.complete.Set();
  return complete;
}

bool Catalog::LookComplete(const ContentEntry& entry, int depth_left) const {
  if (entry.head.pack == nullptr || entry.missing_blocks != 0) return false;
  if (entry.bases.empty()) return true;
  if (depth_left == 0) return false;
  const std::vector<Digest> bases = entry.UsedBases();
  return std::all_of(bases.begin(), bases.end(), [&](const Digest& base) {
    const auto at = contents_.find(base);
    if (at != contents_.end() && Complete(*at->second, depth_left - 1)) return true;
    return below_ != nullptr && below_->FindContent(base) != nullptr;
  });
}

ContentRefPtr Catalog::FindContent(const Digest& hash) const {
  {
    const std::shared_lock lock(mutex_);
    const auto at = contents_.find(hash);
    if (at != contents_.end() && Complete(*at->second, kMaxDepth)) return at->second;
  }
  return below_ == nullptr ? nullptr : below_->FindContent(hash);
}

ContentRefPtr Catalog::FindPartial(const Digest& hash) const {
  const std::shared_lock lock(mutex_);
  const auto at = contents_.find(hash);
  return at == contents_.end() ? nullptr : at->second;
}

void Catalog::EachPartial(const std::function<void(const ContentEntry&)>& visit) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [hash, entry] : contents_) visit(*entry);
}

}  // namespace flair
