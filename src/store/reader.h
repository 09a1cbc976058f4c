// Reader: objects and blocks out of packs, decoded through their bases and verified.
//
// Place: store; above catalog, codec and pack_file. Everything it returns has been
// checked against its id or hash; errors name the pack and the offset.
//
// Thread safety: all methods.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/catalog.h"
#include "store/pack_file.h"

namespace flair {

std::string Where(const PackFile& pack, std::uint64_t offset);

class Reader {
 public:
  // Both outlive this.
  Reader(PackCache& packs, const Catalog& catalog) : packs_(packs), catalog_(catalog) {}

  Result<Bytes> ReadObject(const ObjectPlace& place, ObjectKind kind, const Digest& id) const;
  // REQUIRES: out.size() == entry.raw_bytes(index).
  Status ReadBlock(const ContentEntry& entry, std::uint32_t index, MutableByteView out) const;
  // Fails unless block `index` of `entry`, which may not be stored yet, is `raw`.
  Status CheckBlock(const ContentEntry& entry, std::uint32_t index, ByteView raw) const;

 private:
  using ChainingValues = std::shared_ptr<const std::vector<Digest>>;
  Result<ChainingValues> LoadHead(const ContentEntry& entry) const;

  PackCache& packs_;
  const Catalog& catalog_;
  mutable std::mutex mutex_;
  mutable std::list<std::pair<Digest, ChainingValues>> heads_;  // latest first
};

// The chaining values a head's payload holds, checked against the content's hash.
// Empty for a content of at most one block. Errors: kCorrupt.
Result<std::vector<Digest>> ParseHead(const RecordHeader& h, ByteView payload);

// Errors: kCorrupt unless `raw` is block `index` of the content.
Status VerifyBlock(const Digest& content, std::span<const Digest> chaining_values,
                   std::uint32_t index, ByteView raw);

}  // namespace flair
