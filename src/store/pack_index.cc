// SPDX-License-Identifier: Apache-2.0
#include "store/pack_index.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>

#include "object/encoding.h"

namespace flair {
namespace {

constexpr std::string_view kFooterMagic = "FLAIRIDX";
constexpr std::size_t kChecksummedFooterBytes = 16;
constexpr std::uint64_t kEntryBytes = 48;

Error Bad(std::string_view what) {
  return {ErrorCode::kCorrupt, "pack index: " + std::string(what)};
}

auto Key(const PackIndex::Object& o) { return std::tuple(o.id, o.kind); }
auto Key(const PackIndex::Head& h) { return h.hash; }
auto Key(const PackIndex::Run& r) { return std::tuple(r.hash, r.first_block); }

template <typename T>
void Sort(std::vector<T>& entries) {
  std::sort(entries.begin(), entries.end(), [](const T& a, const T& b) { return Key(a) < Key(b); });
}

template <typename T>
bool Ascends(const std::vector<T>& entries) {
  return entries.size() < 2 || Key(entries[entries.size() - 2]) < Key(entries.back());
}

void AppendTag(Bytes& out, RecordType type, std::uint8_t a, std::uint8_t b) {
  out.push_back(static_cast<std::byte>(type));
  out.push_back(static_cast<std::byte>(a));
  out.push_back(static_cast<std::byte>(b));
  out.push_back(std::byte{0});
}

// Parses the entries of one index; `end` is where the records end.
class EntryParser {
 public:
  EntryParser(ByteView entries, std::uint64_t end) : in_(entries), end_(end) {}

  Result<PackIndex> Parse(std::uint32_t count) {
    RecordType last = RecordType::kObject;
    for (std::uint32_t i = 0; i < count; ++i) {
      FLAIR_TRY(const ByteView entry, in_.Take(kEntryBytes));
      const auto type = static_cast<RecordType>(entry[0]);
      if (type < last) return Bad("entries are not sorted");
      if (entry[3] != std::byte{0}) return Bad("reserved bytes are not zero");
      last = type;
      switch (type) {
        case RecordType::kObject:
          FLAIR_DO(AddObject(entry));
          break;
        case RecordType::kHead:
          FLAIR_DO(AddHead(entry));
          break;
        case RecordType::kBlock:
          FLAIR_DO(AddRun(entry));
          break;
        default:
          return Bad("unknown entry type");
      }
    }
    if (!in_.empty()) return Bad("bytes behind the last entry");
    return std::move(index_);
  }

 private:
  static Digest DigestOf(ByteView entry) {
    Digest d;
    std::memcpy(d.bytes.data(), entry.data() + 16, Digest::kBytes);
    return d;
  }
  bool Inside(std::uint64_t offset, std::uint64_t length) const {
    return offset >= kPackHeaderBytes && length >= kRecordHeaderBytes && offset <= end_ &&
           length <= end_ - offset;
  }

  Status AddObject(ByteView entry) {
    const auto kind = static_cast<ObjectKind>(entry[1]);
    if (kind < ObjectKind::kFile || kind > ObjectKind::kAttachment) return Bad("object kind");
    if (entry[2] != std::byte{0}) return Bad("reserved bytes are not zero");
    index_.objects.push_back({.id = DigestOf(entry),
                              .kind = kind,
                              .offset = LoadLe32(entry.subspan(4)),
                              .length_bytes = LoadLe32(entry.subspan(8)),
                              .raw_bytes = LoadLe32(entry.subspan(12))});
    const auto& object = index_.objects.back();
    if (!Inside(object.offset, object.length_bytes)) return Bad("object outside of the pack");
    if (object.raw_bytes > kMaxObjectBytes) return Bad("object is too long");
    if (!Ascends(index_.objects)) return Bad("objects are not sorted");
    return OkStatus();
  }

  Status AddHead(ByteView entry) {
    if (entry[1] != std::byte{0} || entry[2] != std::byte{0}) {
      return Bad("reserved bytes are not zero");
    }
    index_.heads.push_back({.hash = DigestOf(entry),
                            .offset = LoadLe32(entry.subspan(4)),
                            .content_bytes = LoadLe64(entry.subspan(8))});
    const auto& head = index_.heads.back();
    if (head.content_bytes > kMaxContentBytes) return Bad("content is too long");
    if (!Inside(head.offset, kRecordHeaderBytes + HeadPayloadBytes(head.content_bytes))) {
      return Bad("head outside of the pack");
    }
    if (!Ascends(index_.heads)) return Bad("heads are not sorted");
    return OkStatus();
  }

  Status AddRun(ByteView entry) {
    PackIndex::Run run{.hash = DigestOf(entry),
                       .first_block = LoadLe32(entry.subspan(4)),
                       .depth = std::to_integer<std::uint8_t>(entry[1]),
                       .base = {},
                       .places = {}};
    const std::uint64_t count = LoadLe32(entry.subspan(8));
    if (LoadLe32(entry.subspan(12)) != 0) return Bad("reserved bytes are not zero");
    const auto has_base = std::to_integer<std::uint8_t>(entry[2]);
    if (has_base > 1 || run.depth > kMaxDepth || (has_base == 1) != (run.depth > 0)) {
      return Bad("depth and base disagree");
    }
    if (has_base == 1) {
      FLAIR_TRY(run.base, in_.TakeDigest());
    }
    if (count == 0 || run.first_block + count > kMaxContentBytes / kBlockBytes) {
      return Bad("run of blocks");
    }
    FLAIR_TRY(const ByteView places, in_.Take(count * 8));
    run.places.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      const ByteView at = places.subspan(i * 8);
      const PackIndex::Place place{LoadLe32(at), LoadLe32(at.subspan(4))};
      const bool fits = Inside(place.offset, place.length_bytes) &&
                        place.length_bytes <= kRecordHeaderBytes + kBlockBytes;
      if (!fits) return Bad("block outside of the pack");
      run.places.push_back(place);
    }
    if (!index_.runs.empty()) {
      const auto& before = index_.runs.back();
      const bool apart =
          before.hash < run.hash ||
          (before.hash == run.hash && before.first_block + before.places.size() <= run.first_block);
      if (!apart) return Bad("runs are not sorted");
    }
    index_.runs.push_back(std::move(run));
    return OkStatus();
  }

  ByteReader in_;
  std::uint64_t end_;
  PackIndex index_;
};

Digest ChecksumOf(ByteView entries, ByteView footer_start) {
  Blake3Hasher hasher;
  hasher.Update(entries);
  hasher.Update(footer_start);
  return hasher.Finish();
}

}  // namespace

void PackIndexBuilder::Add(const RecordHeader& h, ByteView record, std::uint32_t offset) {
  bytes_max_ += kEntryBytes;
  switch (h.type) {
    case RecordType::kObject:
      objects_.push_back({.id = h.key,
                          .kind = h.kind,
                          .offset = offset,
                          .length_bytes = static_cast<std::uint32_t>(record.size()),
                          .raw_bytes = h.raw_bytes});
      return;
    case RecordType::kHead:
      heads_.push_back({.hash = h.key, .offset = offset, .content_bytes = h.content_bytes});
      return;
    case RecordType::kBlock: {
      bytes_max_ += Digest::kBytes + sizeof(PackIndex::Place);
      PackIndex::Run run{.hash = h.key,
                         .first_block = h.block_index,
                         .depth = h.depth,
                         .base = {},
                         .places = {{offset, static_cast<std::uint32_t>(record.size())}}};
      if (h.block_codec == BlockCodec::kSub) {
        run.base = BaseOfSub(record.subspan(kRecordHeaderBytes));
      }
      blocks_.push_back(std::move(run));
      return;
    }
  }
}

PackIndex PackIndexBuilder::Take() {
  PackIndex index;
  index.objects = std::move(objects_);
  index.heads = std::move(heads_);
  Sort(index.objects);
  Sort(index.heads);
  Sort(blocks_);
  for (PackIndex::Run& block : blocks_) {
    if (!index.runs.empty()) {
      PackIndex::Run& run = index.runs.back();
      const bool joins = run.hash == block.hash && run.base == block.base &&
                         run.depth == block.depth &&
                         run.first_block + run.places.size() == block.first_block;
      if (joins) {
        run.places.push_back(block.places.front());
        continue;
      }
    }
    index.runs.push_back(std::move(block));
  }
  *this = PackIndexBuilder();
  return index;
}

Bytes EncodeIndexAndFooter(const PackIndex& index, std::uint64_t index_offset) {
  Bytes out;
  for (const auto& o : index.objects) {
    AppendTag(out, RecordType::kObject, static_cast<std::uint8_t>(o.kind), 0);
    AppendLe32(out, o.offset);
    AppendLe32(out, o.length_bytes);
    AppendLe32(out, o.raw_bytes);
    Append(out, o.id.view());
  }
  for (const auto& h : index.heads) {
    AppendTag(out, RecordType::kHead, 0, 0);
    AppendLe32(out, h.offset);
    AppendLe64(out, h.content_bytes);
    Append(out, h.hash.view());
  }
  for (const auto& r : index.runs) {
    AppendTag(out, RecordType::kBlock, r.depth, r.base ? 1 : 0);
    AppendLe32(out, r.first_block);
    AppendLe32(out, static_cast<std::uint32_t>(r.places.size()));
    AppendLe32(out, 0);
    Append(out, r.hash.view());
    if (r.base) Append(out, r.base->view());
    for (const auto& place : r.places) {
      AppendLe32(out, place.offset);
      AppendLe32(out, place.length_bytes);
    }
  }
  const std::size_t index_bytes = out.size();
  const std::size_t count = index.objects.size() + index.heads.size() + index.runs.size();
  AppendLe64(out, index_offset);
  AppendLe32(out, static_cast<std::uint32_t>(count));
  AppendLe32(out, static_cast<std::uint32_t>(index_bytes));
  const Digest checksum = ChecksumOf(ByteView(out).first(index_bytes),
                                     ByteView(out).subspan(index_bytes, kChecksummedFooterBytes));
  Append(out, checksum.view());
  Append(out, AsBytes(kFooterMagic));
  return out;
}

Result<PackLayout> ReadPackLayout(const ByteSource& pack) {
  const std::uint64_t size = pack.size_bytes();
  if (size < kPackHeaderBytes + kPackFooterBytes) return Bad("file is too short for a pack");
  Bytes header(kPackHeaderBytes);
  FLAIR_DO(pack.ReadAt(0, header));
  FLAIR_DO(CheckPackHeader(header));
  Bytes footer(kPackFooterBytes);
  FLAIR_DO(pack.ReadAt(size - kPackFooterBytes, footer));
  const ByteView view = footer;
  if (AsText(view.subspan(48)) != kFooterMagic) return Bad("footer is missing: cut short?");

  const std::uint64_t index_offset = LoadLe64(view);
  const std::uint32_t count = LoadLe32(view.subspan(8));
  const std::uint64_t index_bytes = LoadLe32(view.subspan(12));
  const std::uint64_t index_end = size - kPackFooterBytes;
  if (index_offset < kPackHeaderBytes || index_bytes > index_end ||
      index_offset != index_end - index_bytes) {
    return Bad("footer places the index outside of the file");
  }
  Bytes entries(index_bytes);
  FLAIR_DO(pack.ReadAt(index_offset, entries));
  const Digest checksum = ChecksumOf(entries, view.first(kChecksummedFooterBytes));
  if (!std::equal(checksum.bytes.begin(), checksum.bytes.end(), view.begin() + 16)) {
    return Bad("checksum differs");
  }
  FLAIR_TRY(PackIndex index, EntryParser(entries, index_offset).Parse(count));
  return PackLayout{.index = std::move(index), .index_offset = index_offset};
}

}  // namespace flair
