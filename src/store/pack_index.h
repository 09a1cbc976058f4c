// PackIndex: what a pack holds and where, as written behind its records.
//
// Place: store; above format. Layout: docs/formats/pack.md. Blocks of one content
// that follow each other and share base and depth are one run of 8 bytes a block, so
// that the index of a terabyte is a few megabytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_source.h"
#include "store/format.h"

namespace flair {

inline constexpr std::size_t kPackFooterBytes = 56;

struct PackIndex {
  struct Object {
    Digest id;
    ObjectKind kind = ObjectKind::kFile;
    std::uint32_t offset = 0;
    std::uint32_t length_bytes = 0;
    std::uint32_t raw_bytes = 0;
    bool operator==(const Object&) const = default;
  };
  struct Head {
    Digest hash;
    std::uint32_t offset = 0;
    std::uint64_t content_bytes = 0;
    bool operator==(const Head&) const = default;
  };
  struct Place {
    std::uint32_t offset = 0;
    std::uint32_t length_bytes = 0;
    bool operator==(const Place&) const = default;
  };
  struct Run {
    Digest hash;
    std::uint32_t first_block = 0;
    std::uint8_t depth = 0;      // 0 when there is no base
    std::optional<Digest> base;  // of every block of the run
    std::vector<Place> places;
    bool operator==(const Run&) const = default;
  };
  std::vector<Object> objects;  // ascending by (id, kind)
  std::vector<Head> heads;      // ascending by hash
  std::vector<Run> runs;        // ascending by (hash, first_block)

  bool operator==(const PackIndex&) const = default;
};

// Collects the records of a pack while it is written.
class PackIndexBuilder {
 public:
  // `record` is whole and its header is `h`.
  void Add(const RecordHeader& h, ByteView record, std::uint32_t offset);
  // An upper bound of Encode(...).size(), for deciding when a pack is full.
  std::uint64_t bytes_max() const { return bytes_max_; }
  PackIndex Take();

 private:
  std::vector<PackIndex::Object> objects_;
  std::vector<PackIndex::Head> heads_;
  std::vector<PackIndex::Run> blocks_;  // runs of one
  std::uint64_t bytes_max_ = kPackFooterBytes;
};

// Index entries, then the footer. `index_offset` is where they will stand.
Bytes EncodeIndexAndFooter(const PackIndex& index, std::uint64_t index_offset);

struct PackLayout {
  PackIndex index;
  std::uint64_t index_offset = 0;  // records lie in [kPackHeaderBytes, index_offset)
};
// Reads and checks header, footer and index: order, bounds, the footer's checksum.
// Errors: kCorrupt, kUnsupported.
Result<PackLayout> ReadPackLayout(const ByteSource& pack);

}  // namespace flair
