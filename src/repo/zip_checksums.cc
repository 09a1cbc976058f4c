// SPDX-License-Identifier: Apache-2.0
#include "repo/zip_checksums.h"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/threads.h"
#include "crypto/blake3.h"

namespace flair {
namespace {

constexpr std::uint32_t kEndRecord = 0x06054b50;
constexpr std::uint32_t kEndRecord64 = 0x06064b50;
constexpr std::uint32_t kEndLocator64 = 0x07064b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDescriptor = 0x08074b50;
constexpr std::uint64_t kEndRecordBytes = 22;
constexpr std::uint64_t kLocator64Bytes = 20;
constexpr std::uint64_t kCentralHeaderBytes = 46;
constexpr std::uint64_t kLocalHeaderBytes = 30;
constexpr std::uint32_t kIn64 = 0xffff'ffff;

Error Unsupported(std::string_view why) {
  return {ErrorCode::kUnsupported, "zip archive: " + std::string(why)};
}

std::uint32_t Crc32(std::uint32_t crc, ByteView bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t Combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  return static_cast<std::uint32_t>(
      crc32_combine(first, second, static_cast<z_off_t>(second_bytes)));
}

struct Member {
  std::uint64_t data_begin = 0;
  std::uint64_t data_end = 0;
  bool stored = false;
  std::vector<std::uint64_t> crc_at;  // every place that repeats the checksum
};

// A file by offsets; only inline bytes can be read and written.
class ArchiveView {
 public:
  explicit ArchiveView(const File& file) : file_(file) {
    std::uint64_t offset = 0;
    for (const Segment& segment : file.segments) {
      begins_.push_back(offset);
      offset += SegmentBytes(segment);
    }
    size_bytes_ = offset;
  }

  std::uint64_t size_bytes() const { return size_bytes_; }
  std::uint64_t begin(std::size_t segment) const { return begins_[segment]; }

  Result<Bytes> Read(std::uint64_t offset, std::uint64_t n) const {
    if (offset > size_bytes_ || n > size_bytes_ - offset || n > kMaxInlineBytes) {
      return Unsupported("a record lies outside the file");
    }
    Bytes out;
    out.reserve(n);
    for (std::size_t i = SegmentAt(offset); out.size() < n; ++i) {
      const auto* const bytes = std::get_if<InlineSegment>(&file_.segments[i]);
      if (bytes == nullptr) return Unsupported("a record lies inside a member's data");
      const std::uint64_t from = offset + out.size() - begins_[i];
      const std::uint64_t take =
          std::min<std::uint64_t>(bytes->bytes.size() - from, n - out.size());
      Append(out, ByteView(bytes->bytes).subspan(from, take));
    }
    return out;
  }

  std::size_t SegmentAt(std::uint64_t offset) const {
    const auto next = std::upper_bound(begins_.begin(), begins_.end(), offset);
    return static_cast<std::size_t>(next - begins_.begin()) - 1;
  }

 private:
  const File& file_;
  std::vector<std::uint64_t> begins_;
  std::uint64_t size_bytes_ = 0;
};

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

// An archive comment is not written by any framework: the end record is the end.
Result<Directory> FindDirectory(const ArchiveView& view) {
  if (view.size_bytes() < kEndRecordBytes) return Unsupported("it is too short");
  const std::uint64_t end_at = view.size_bytes() - kEndRecordBytes;
  FLAIR_TRY(const Bytes end, view.Read(end_at, kEndRecordBytes));
  const ByteView e = end;
  if (LoadLe32(e) != kEndRecord || LoadLe16(e.subspan(20)) != 0) {
    return Unsupported("it does not end with its end record");
  }
  Directory directory{.offset = LoadLe32(e.subspan(16)), .size_bytes = LoadLe32(e.subspan(12))};
  const bool in_64 = directory.offset == kIn64 || directory.size_bytes == kIn64 ||
                     LoadLe16(e.subspan(10)) == 0xffff;
  if (!in_64) return directory;
  if (end_at < kLocator64Bytes) return Unsupported("its zip64 locator is missing");
  FLAIR_TRY(const Bytes locator, view.Read(end_at - kLocator64Bytes, kLocator64Bytes));
  if (LoadLe32(locator) != kEndLocator64) return Unsupported("its zip64 locator is missing");
  FLAIR_TRY(const Bytes end64, view.Read(LoadLe64(ByteView(locator).subspan(8)), 56));
  if (LoadLe32(end64) != kEndRecord64) return Unsupported("its zip64 end record is missing");
  directory.size_bytes = LoadLe64(ByteView(end64).subspan(40));
  directory.offset = LoadLe64(ByteView(end64).subspan(48));
  return directory;
}

struct Sizes {
  std::uint64_t stored_bytes = 0;
  std::uint64_t local_at = 0;
};

// The fields of a central header that zip64 moves into its extra field, in their order:
// size, stored size, offset of the local header.
Result<Sizes> TakeSizes(ByteView header, ByteView extra) {
  const std::uint32_t size = LoadLe32(header.subspan(24));
  Sizes sizes{.stored_bytes = LoadLe32(header.subspan(20)),
              .local_at = LoadLe32(header.subspan(42))};
  if (size != kIn64 && sizes.stored_bytes != kIn64 && sizes.local_at != kIn64) return sizes;
  while (extra.size() >= 4) {
    const std::uint16_t id = LoadLe16(extra);
    const std::uint16_t bytes = LoadLe16(extra.subspan(2));
    if (bytes > extra.size() - 4) break;
    ByteView field = extra.subspan(4, bytes);
    extra = extra.subspan(4 + std::size_t{bytes});
    if (id != 1) continue;
    const auto take = [&](std::uint64_t& value) {
      if (value != kIn64) return true;
      if (field.size() < 8) return false;
      value = LoadLe64(field);
      field = field.subspan(8);
      return true;
    };
    std::uint64_t whole = size;
    if (take(whole) && take(sizes.stored_bytes) && take(sizes.local_at)) return sizes;
    break;
  }
  return Unsupported("a member's zip64 sizes are missing");
}

// Where the member at `central_at` keeps its bytes and its checksums.
Result<Member> ReadMember(const ArchiveView& view, ByteView header, ByteView extra,
                          std::uint64_t central_at) {
  FLAIR_TRY(const Sizes sizes, TakeSizes(header, extra));
  FLAIR_TRY(const Bytes local, view.Read(sizes.local_at, kLocalHeaderBytes));
  const ByteView l = local;
  if (LoadLe32(l) != kLocalHeader) return Unsupported("a member's local header is missing");
  Member member;
  member.stored = LoadLe16(header.subspan(10)) == 0;
  member.data_begin =
      sizes.local_at + kLocalHeaderBytes + LoadLe16(l.subspan(26)) + LoadLe16(l.subspan(28));
  if (member.data_begin > view.size_bytes() ||
      sizes.stored_bytes > view.size_bytes() - member.data_begin) {
    return Unsupported("a member reaches beyond the file");
  }
  member.data_end = member.data_begin + sizes.stored_bytes;
  const std::uint32_t crc = LoadLe32(header.subspan(16));
  member.crc_at.push_back(central_at + 16);
  const bool has_descriptor = (LoadLe16(header.subspan(8)) & 8) != 0;
  if (!has_descriptor) {
    member.crc_at.push_back(sizes.local_at + 14);
    return member;
  }
  // The descriptor's signature is optional; its checksum is the directory's.
  if (LoadLe32(l.subspan(14)) == crc && crc != 0) member.crc_at.push_back(sizes.local_at + 14);
  FLAIR_TRY(const Bytes descriptor, view.Read(member.data_end, 8));
  if (LoadLe32(descriptor) == kDescriptor) {
    member.crc_at.push_back(member.data_end + 4);
  } else if (LoadLe32(descriptor) == crc) {
    member.crc_at.push_back(member.data_end);
  } else {
    return Unsupported("a member's data descriptor is missing");
  }
  return member;
}

Result<std::vector<Member>> ReadMembers(const ArchiveView& view) {
  FLAIR_TRY(const Directory directory, FindDirectory(view));
  FLAIR_TRY(const Bytes bytes, view.Read(directory.offset, directory.size_bytes));
  std::vector<Member> members;
  ByteView left = bytes;
  while (!left.empty()) {
    const std::uint64_t at = directory.offset + (bytes.size() - left.size());
    if (left.size() < kCentralHeaderBytes || LoadLe32(left) != kCentralHeader) {
      return Unsupported("its directory is broken");
    }
    const std::uint64_t name_bytes = LoadLe16(left.subspan(28));
    const std::uint64_t extra_bytes = LoadLe16(left.subspan(30));
    const std::uint64_t entry_bytes =
        kCentralHeaderBytes + name_bytes + extra_bytes + LoadLe16(left.subspan(32));
    if (entry_bytes > left.size()) return Unsupported("its directory is broken");
    FLAIR_TRY(
        Member member,
        ReadMember(view, left, left.subspan(kCentralHeaderBytes + name_bytes, extra_bytes), at));
    members.push_back(std::move(member));
    left = left.subspan(entry_bytes);
  }
  return members;
}

const ContentRef* ContentOf(const Segment& segment) {
  if (const auto* t = std::get_if<TensorSegment>(&segment)) return &t->tensor.content;
  if (const auto* b = std::get_if<BlobSegment>(&segment)) return &b->content;
  return nullptr;
}

// Calls visit(segment index) for the segments that share bytes with the member.
template <typename Visit>
Status ForEachSegment(const File& file, const ArchiveView& view, const Member& member,
                      Visit&& visit) {
  if (member.data_begin == member.data_end) return OkStatus();
  for (std::size_t i = view.SegmentAt(member.data_begin);
       i < file.segments.size() && view.begin(i) < member.data_end; ++i) {
    FLAIR_DO(visit(i));
  }
  return OkStatus();
}

Result<std::uint32_t> MemberCrc(
    const File& file, const ArchiveView& view, const Member& member,
    const std::function<Result<std::uint32_t>(const ContentRef&)>& crc_of) {
  std::uint32_t crc = 0;
  const auto add = [&](std::size_t i) -> Status {
    const std::uint64_t begin = std::max(view.begin(i), member.data_begin);
    const std::uint64_t end =
        std::min(view.begin(i) + SegmentBytes(file.segments[i]), member.data_end);
    const ContentRef* const content = ContentOf(file.segments[i]);
    if (content == nullptr) {
      const Bytes& bytes = std::get<InlineSegment>(file.segments[i]).bytes;
      crc = Crc32(crc, ByteView(bytes).subspan(begin - view.begin(i), end - begin));
      return OkStatus();
    }
    if (end - begin != content->size_bytes) {
      return Unsupported("a tensor lies across the end of a member");
    }
    FLAIR_TRY(const std::uint32_t part, crc_of(*content));
    crc = Combine(crc, part, content->size_bytes);
    return OkStatus();
  };
  FLAIR_DO(ForEachSegment(file, view, member, add));
  return crc;
}

void WriteInline(File& file, const ArchiveView& view, std::uint64_t offset, std::uint32_t value) {
  for (std::uint64_t k = 0; k < 4; ++k) {
    // Four bytes may lie across two inline segments.
    const std::size_t i = view.SegmentAt(offset + k);
    auto& bytes = std::get<InlineSegment>(file.segments[i]).bytes;
    bytes[offset + k - view.begin(i)] = static_cast<std::byte>(value >> (8 * k));
  }
}

}  // namespace

Result<std::uint32_t> Crc32Of(const ByteSource& source) {
  const std::uint64_t size = source.size_bytes();
  const std::uint64_t num_blocks = BlockCount(size);
  std::vector<std::uint32_t> parts(num_blocks);
  const auto block_bytes = [&](std::uint64_t i) {
    return std::min(kBlockBytes, size - i * kBlockBytes);
  };
  const auto block = [&](std::size_t i) -> Status {
    Bytes bytes(block_bytes(i));
    FLAIR_DO(source.ReadAt(i * kBlockBytes, bytes));
    parts[i] = Crc32(0, bytes);
    return OkStatus();
  };
  FLAIR_DO(ParallelFor(num_blocks, block));
  std::uint32_t crc = 0;
  for (std::uint64_t i = 0; i < num_blocks; ++i) crc = Combine(crc, parts[i], block_bytes(i));
  return crc;
}

Status CheckZipChecksums(const File& file) {
  const ArchiveView view(file);
  FLAIR_TRY(const std::vector<Member> members, ReadMembers(view));
  for (const Member& member : members) {
    const auto check = [&](std::size_t i) -> Status {
      if (!std::holds_alternative<TensorSegment>(file.segments[i]) || member.stored) {
        return OkStatus();
      }
      return Unsupported("a member with tensors is compressed");
    };
    FLAIR_DO(ForEachSegment(file, view, member, check));
  }
  return OkStatus();
}

Status FixZipChecksums(File& file, const File& original,
                       const std::function<Result<std::uint32_t>(const ContentRef&)>& crc_of) {
  const ArchiveView view(original);
  FLAIR_TRY(const std::vector<Member> members, ReadMembers(view));
  for (const Member& member : members) {
    bool changed = false;
    const auto look = [&](std::size_t i) {
      // Inline bytes change here, by earlier members' checksums.
      changed |=
          ContentOf(file.segments[i]) != nullptr && !(file.segments[i] == original.segments[i]);
      return OkStatus();
    };
    FLAIR_DO(ForEachSegment(file, view, member, look));
    if (!changed) continue;
    if (!member.stored) return Unsupported("a member with tensors is compressed");
    FLAIR_TRY(const std::uint32_t crc, MemberCrc(file, view, member, crc_of));
    for (const std::uint64_t at : member.crc_at) WriteInline(file, view, at, crc);
  }
  return OkStatus();
}

}  // namespace flair
