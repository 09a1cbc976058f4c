// Catalog: where every object and every block of a set of packs lies, in memory.
//
// Place: store; filled from pack indexes. A content is visible when it is complete:
// its head and all blocks are there and every base is complete too. So a partly
// removed pack set can hide contents but never show half of one.
//
// When a block is stored more than once, the copy with the least depth is used.
// A block's base always has a smaller depth, so that decoding ends.
//
// Thread safety: all methods; an Entry handed out never changes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "object/ids.h"
#include "store/pack_file.h"
#include "store/pack_index.h"

namespace flair {

struct ObjectPlace {
  const PackFile* pack = nullptr;
  std::uint32_t offset = 0;
  std::uint32_t length_bytes = 0;
};

struct BlockPlace {
  static constexpr std::uint16_t kNoBase = 0xFFFF;
  const PackFile* pack = nullptr;  // nullptr: not there
  std::uint32_t offset = 0;
  std::uint32_t length_bytes = 0;
  std::uint16_t base = kNoBase;  // index into ContentEntry::bases
  std::uint8_t depth = 0;
};

// Once a content is complete it stays so until the catalog is filled anew. A copy is
// about to be changed, and has to be looked at again.
class CompleteMark {
 public:
  CompleteMark() = default;
  CompleteMark(const CompleteMark&) {}
  CompleteMark& operator=(const CompleteMark&) { return *this; }
  bool get() const { return seen_.load(std::memory_order_relaxed); }
  void Set() const { seen_.store(true, std::memory_order_relaxed); }

 private:
  mutable std::atomic<bool> seen_{false};
};

struct ContentEntry {
  Digest hash;
  ObjectPlace head;
  std::uint64_t content_bytes = 0;
  std::vector<BlockPlace> blocks;
  std::vector<Digest> bases;
  std::uint64_t missing_blocks = 0;
  CompleteMark complete;

  std::uint8_t depth() const;
  // Bases that a block's chosen copy needs; `bases` may name more.
  std::vector<Digest> UsedBases() const;
  std::uint32_t raw_bytes(std::uint32_t block) const { return BlockRawBytes(content_bytes, block); }
};
using ContentRefPtr = std::shared_ptr<const ContentEntry>;

class Catalog {
 public:
  // Where bases that are not here may be: a batch's catalog names the store's.
  // `below` outlives this.
  explicit Catalog(const Catalog* below = nullptr) : below_(below) {}

  void Add(const PackFile& pack, const PackIndex& index);
  // Becomes a copy of `other`, readers seeing the old or the new state.
  void ReplaceBy(Catalog&& other);

  std::optional<ObjectPlace> FindObject(ObjectKind kind, const Digest& id) const;
  // Complete contents only, here or below; nullptr when there is none.
  ContentRefPtr FindContent(const Digest& hash) const;
  // Whatever is known, complete or not, here only.
  ContentRefPtr FindPartial(const Digest& hash) const;

  void EachPartial(const std::function<void(const ContentEntry&)>& visit) const;

 private:
  using ObjectKey = std::pair<ObjectKind, Digest>;
  struct ObjectKeyHash {
    std::size_t operator()(const ObjectKey& k) const {
      return DigestHash{}(k.second) ^ static_cast<std::size_t>(k.first);
    }
  };
  using Contents = std::unordered_map<Digest, std::shared_ptr<ContentEntry>, DigestHash>;

  ContentEntry& Mutable(const Digest& hash);
  void AddHead(const PackFile& pack, const PackIndex::Head& head);
  void AddRun(const PackFile& pack, const PackIndex::Run& run);
  bool Complete(const ContentEntry& entry, int depth_left) const;
  bool LookComplete(const ContentEntry& entry, int depth_left) const;

  const Catalog* below_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<ObjectKey, ObjectPlace, ObjectKeyHash> objects_;
  Contents contents_;
};

}  // namespace flair
