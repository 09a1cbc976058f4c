// SPDX-License-Identifier: Apache-2.0
#include "tensor/zip_walk.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace flair {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kDescriptor = 0x08074b50;
constexpr std::uint32_t kEndRecord64 = 0x06064b50;
constexpr std::uint32_t kEndLocator64 = 0x07064b50;
constexpr std::string_view kEndRecord = "PK\x05\x06";
constexpr std::uint64_t kLocalHeaderBytes = 30;
constexpr std::uint64_t kCentralHeaderBytes = 46;
constexpr std::uint64_t kEndRecordBytes = 22;
constexpr std::uint64_t kEndRecord64Bytes = 56;  // version 1, without an extensible part
constexpr std::uint64_t kLocator64Bytes = 20;
constexpr std::uint64_t kMaxCommentBytes = 0xffff;
constexpr std::uint64_t kIn64 = 0xffff'ffff;  // "the number stands in a zip64 field"
constexpr std::uint16_t kHasDescriptor = 1 << 3;
constexpr std::uint16_t kEncrypted = (1 << 0) | (1 << 6) | (1 << 13);

Error Corrupt(const std::string& what) { return {ErrorCode::kCorrupt, "zip archive: " + what}; }
Error Unsupported(const std::string& what) {
  return {ErrorCode::kUnsupported, "zip archive: " + what};
}
std::string At(std::uint64_t offset) { return " at byte " + std::to_string(offset); }

Result<Bytes> Read(const ByteSource& file, std::uint64_t offset, std::uint64_t n,
                   const std::string& what) {
  if (offset > file.size_bytes() || n > file.size_bytes() - offset) {
    return Corrupt("the file ends inside " + what + At(offset));
  }
  Bytes out(n);
  FLAIR_DO(file.ReadAt(offset, out));
  return out;
}

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t num_members = 0;
};

// Behind the directory: [zip64 end record, locator], end record, comment, end of file.
Result<Directory> ReadEnd64(const ByteSource& file, std::uint64_t end_at, const Directory& in32) {
  const std::uint64_t locator_at = end_at - kLocator64Bytes;
  FLAIR_TRY(const Bytes locator_bytes,
            Read(file, locator_at, kLocator64Bytes, "the zip64 locator"));
  const ByteView locator = locator_bytes;
  const std::uint64_t at = LoadLe64(locator.subspan(8));
  if (LoadLe32(locator.subspan(4)) != 0 || LoadLe32(locator.subspan(16)) > 1) {
    return Unsupported("it spans several disks");
  }
  if (locator_at < kEndRecord64Bytes || at != locator_at - kEndRecord64Bytes) {
    return Corrupt("the zip64 end record is not in front of its locator" + At(locator_at));
  }
  FLAIR_TRY(const Bytes record_bytes, Read(file, at, kEndRecord64Bytes, "the zip64 end record"));
  const ByteView record = record_bytes;
  if (LoadLe32(record) != kEndRecord64 || LoadLe64(record.subspan(4)) != kEndRecord64Bytes - 12) {
    return Corrupt("no zip64 end record" + At(at));
  }
  const Directory in64{.offset = LoadLe64(record.subspan(48)),
                       .size_bytes = LoadLe64(record.subspan(40)),
                       .num_members = LoadLe64(record.subspan(32))};
  const auto agree = [](std::uint64_t small, std::uint64_t large, std::uint64_t in_64) {
    return small == large || small == in_64;
  };
  if (LoadLe32(record.subspan(16)) != 0 || LoadLe32(record.subspan(20)) != 0 ||
      LoadLe64(record.subspan(24)) != in64.num_members) {
    return Unsupported("it spans several disks");
  }
  if (!agree(in32.offset, in64.offset, kIn64) || !agree(in32.size_bytes, in64.size_bytes, kIn64) ||
      !agree(in32.num_members, in64.num_members, 0xffff)) {
    return Corrupt("the two end records differ" + At(at));
  }
  if (in64.size_bytes > at || in64.offset != at - in64.size_bytes) {
    return Corrupt("the directory does not end at its end record" + At(at));
  }
  return in64;
}

Result<Directory> FindDirectory(const ByteSource& file) {
  const std::uint64_t size = file.size_bytes();
  if (size < kEndRecordBytes) return Corrupt("no end record; the file may be cut short");
  const std::uint64_t tail_bytes = std::min(size, kEndRecordBytes + kMaxCommentBytes);
  FLAIR_TRY(const Bytes tail, Read(file, size - tail_bytes, tail_bytes, "the end record"));
  const std::size_t found =
      AsText(tail).substr(0, tail_bytes - kEndRecordBytes + kEndRecord.size()).rfind(kEndRecord);
  if (found == std::string_view::npos) {
    return Corrupt("no end record; the file may be cut short");
  }
  const ByteView end = ByteView(tail).subspan(found);
  const std::uint64_t end_at = size - tail_bytes + found;
  if (LoadLe16(end.subspan(20)) != end.size() - kEndRecordBytes) {
    return Corrupt("the end record" + At(end_at) + " does not end at the file's end");
  }
  const Directory in32{.offset = LoadLe32(end.subspan(16)),
                       .size_bytes = LoadLe32(end.subspan(12)),
                       .num_members = LoadLe16(end.subspan(10))};
  if (LoadLe16(end.subspan(4)) != 0 || LoadLe16(end.subspan(6)) != 0 ||
      LoadLe16(end.subspan(8)) != in32.num_members) {
    return Unsupported("it spans several disks");
  }
  if (end_at >= kLocator64Bytes) {
    std::array<std::byte, 4> signature;
    FLAIR_DO(file.ReadAt(end_at - kLocator64Bytes, signature));
    if (LoadLe32(signature) == kEndLocator64) return ReadEnd64(file, end_at, in32);
  }
  if (in32.size_bytes > end_at || in32.offset != end_at - in32.size_bytes) {
    return Corrupt("the directory does not end at its end record" + At(end_at));
  }
  return in32;
}

// The numbers that a header's zip64 field holds in place of those that read kIn64, in
// the field's order. False when one is missing.
bool TakeFrom64(ByteView extra, std::initializer_list<std::uint64_t*> numbers) {
  ByteView field;
  while (extra.size() >= 4) {
    const std::size_t n = LoadLe16(extra.subspan(2));
    if (n > extra.size() - 4) break;
    if (LoadLe16(extra) == 1) {
      field = extra.subspan(4, n);
      break;
    }
    extra = extra.subspan(4 + n);
  }
  for (std::uint64_t* number : numbers) {
    if (*number != kIn64) continue;
    if (field.size() < 8) return false;
    *number = LoadLe64(field);
    field = field.subspan(8);
  }
  return true;
}

// One entry of the directory, before its local header is seen.
struct Entry {
  ZipMember member;
  std::uint16_t flags = 0;
};

Result<Entry> TakeEntry(ByteView& left, std::uint64_t at) {
  if (left.size() < kCentralHeaderBytes || LoadLe32(left) != kCentralHeader) {
    return Corrupt("no directory entry" + At(at));
  }
  const std::size_t name_bytes = LoadLe16(left.subspan(28));
  const std::size_t extra_bytes = LoadLe16(left.subspan(30));
  const std::size_t entry_bytes =
      kCentralHeaderBytes + name_bytes + extra_bytes + LoadLe16(left.subspan(32));
  if (entry_bytes > left.size()) return Corrupt("the directory ends inside its entry" + At(at));
  Entry entry;
  ZipMember& m = entry.member;
  entry.flags = LoadLe16(left.subspan(8));
  m.method = LoadLe16(left.subspan(10));
  m.crc32 = LoadLe32(left.subspan(16));
  m.stored_bytes = LoadLe32(left.subspan(20));
  m.size_bytes = LoadLe32(left.subspan(24));
  m.header_offset = LoadLe32(left.subspan(42));
  m.name = AsText(left.subspan(kCentralHeaderBytes, name_bytes));
  if (m.name.empty() || m.name.find('\0') != std::string::npos) {
    return Corrupt("the member" + At(at) + " has no usable name");
  }
  if (LoadLe16(left.subspan(34)) != 0) return Unsupported("it spans several disks");
  if (!TakeFrom64(left.subspan(kCentralHeaderBytes + name_bytes, extra_bytes),
                  {&m.size_bytes, &m.stored_bytes, &m.header_offset})) {
    return Corrupt("member '" + m.name + "': its zip64 sizes are missing");
  }
  if ((entry.flags & kEncrypted) != 0) {
    return Unsupported("member '" + m.name + "' is encrypted");
  }
  if (m.stored() && m.stored_bytes != m.size_bytes) {
    return Corrupt("member '" + m.name + "' is stored, but its two sizes differ");
  }
  left = left.subspan(entry_bytes);
  return entry;
}

// [signature] checksum, stored size, size: sizes of four bytes, or of eight when the
// writer went to zip64. Returns its length.
std::optional<std::uint64_t> DescriptorBytes(ByteView in, const ZipMember& m) {
  for (const std::size_t signature : {std::size_t{4}, std::size_t{0}}) {
    if (signature == 4 && (in.size() < 4 || LoadLe32(in) != kDescriptor)) continue;
    for (const std::size_t width : {std::size_t{4}, std::size_t{8}}) {
      const std::size_t n = signature + 4 + 2 * width;
      if (in.size() < n) continue;
      const auto number = [&](std::size_t at) {
        return width == 4 ? LoadLe32(in.subspan(at)) : LoadLe64(in.subspan(at));
      };
      if (LoadLe32(in.subspan(signature)) == m.crc32 && number(signature + 4) == m.stored_bytes &&
          number(signature + 4 + width) == m.size_bytes) {
        return n;
      }
    }
  }
  return std::nullopt;
}

// Fills in where the data lie, and demands that the local header agrees.
Status ReadLocalHeader(const ByteSource& file, std::uint64_t directory_at, Entry& entry) {
  ZipMember& m = entry.member;
  const std::string where = "member '" + m.name + "'";
  if (m.header_offset > directory_at || directory_at - m.header_offset < kLocalHeaderBytes) {
    return Corrupt(where + ": its header" + At(m.header_offset) + " lies in the directory");
  }
  FLAIR_TRY(const Bytes fixed, Read(file, m.header_offset, kLocalHeaderBytes, where));
  const ByteView local = fixed;
  if (LoadLe32(local) != kLocalHeader) {
    return Corrupt(where + ": no local header" + At(m.header_offset));
  }
  const std::uint64_t name_bytes = LoadLe16(local.subspan(26));
  const std::uint64_t extra_bytes = LoadLe16(local.subspan(28));
  m.data_offset = m.header_offset + kLocalHeaderBytes + name_bytes + extra_bytes;
  if (m.data_offset > directory_at || m.stored_bytes > directory_at - m.data_offset) {
    return Corrupt(where + ": its data" + At(m.data_offset) + " reach into the directory");
  }
  FLAIR_TRY(const Bytes rest,
            Read(file, m.header_offset + kLocalHeaderBytes, name_bytes + extra_bytes, where));
  const auto differs = [&](std::string_view what) {
    return Corrupt(where + ": the local header" + At(m.header_offset) + " has another " +
                   std::string(what) + " than the directory");
  };
  if (AsText(ByteView(rest).first(name_bytes)) != m.name) return differs("name");
  if (LoadLe16(local.subspan(8)) != m.method) return differs("method");
  const std::uint16_t flags = LoadLe16(local.subspan(6));
  if (((flags ^ entry.flags) & (kEncrypted | kHasDescriptor)) != 0) return differs("set of flags");
  const bool has_descriptor = (flags & kHasDescriptor) != 0;

  std::uint64_t stored_bytes = LoadLe32(local.subspan(18));
  std::uint64_t size_bytes = LoadLe32(local.subspan(22));
  const bool in_64 = TakeFrom64(ByteView(rest).subspan(name_bytes), {&size_bytes, &stored_bytes});
  if (!in_64 && !has_descriptor) return Corrupt(where + ": its zip64 sizes are missing");
  const std::uint32_t crc32 = LoadLe32(local.subspan(14));
  // A writer that knows the numbers only afterwards leaves zeros (or kIn64) here.
  const auto agree = [&](std::uint64_t here, std::uint64_t there) {
    return here == there || (has_descriptor && (here == 0 || here == kIn64));
  };
  if (!agree(crc32, m.crc32)) return differs("checksum");
  if (!agree(stored_bytes, m.stored_bytes) || !agree(size_bytes, m.size_bytes)) {
    return differs("size");
  }

  m.end_offset = m.data_offset + m.stored_bytes;
  if (!has_descriptor) return OkStatus();
  constexpr std::uint64_t kMaxDescriptorBytes = 24;
  const std::uint64_t left = std::min(kMaxDescriptorBytes, directory_at - m.end_offset);
  FLAIR_TRY(const Bytes descriptor, Read(file, m.end_offset, left, where));
  const auto descriptor_bytes = DescriptorBytes(descriptor, m);
  if (!descriptor_bytes) {
    return Corrupt(where + ": the descriptor" + At(m.end_offset) + " is not the directory's");
  }
  m.end_offset += *descriptor_bytes;
  return OkStatus();
}

}  // namespace

bool LooksLikeZip(const ByteSource& file) {
  std::array<std::byte, 4> head;
  if (file.size_bytes() < head.size() || !file.ReadAt(0, head).ok()) return false;
  return LoadLe32(head) == kLocalHeader;
}

Result<std::vector<ZipMember>> ReadZipDirectory(const ByteSource& file) {
  FLAIR_TRY(const Directory directory, FindDirectory(file));
  if (directory.num_members > kMaxZipMembers) {
    return Unsupported(std::to_string(directory.num_members) + " members; at most " +
                       std::to_string(kMaxZipMembers));
  }
  if (directory.size_bytes > kMaxZipDirectoryBytes) {
    return Unsupported("a directory of " + std::to_string(directory.size_bytes) +
                       " bytes; at most " + std::to_string(kMaxZipDirectoryBytes));
  }
  FLAIR_TRY(const Bytes bytes, Read(file, directory.offset, directory.size_bytes, "the directory"));
  std::vector<ZipMember> members;
  ByteView left = bytes;
  while (!left.empty()) {
    const std::uint64_t at = directory.offset + (bytes.size() - left.size());
    if (members.size() == directory.num_members) {
      return Corrupt("the directory has more entries than its end record says" + At(at));
    }
    FLAIR_TRY(Entry entry, TakeEntry(left, at));
    FLAIR_DO(ReadLocalHeader(file, directory.offset, entry));
    members.push_back(std::move(entry.member));
  }
  if (members.size() != directory.num_members) {
    return Corrupt("the directory has " + std::to_string(members.size()) +
                   " entries; its end record says " + std::to_string(directory.num_members));
  }
  std::sort(members.begin(), members.end(), [](const ZipMember& a, const ZipMember& b) {
    return a.header_offset < b.header_offset;
  });
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!names.insert(members[i].name).second) {
      return Corrupt("member '" + members[i].name + "' stands twice");
    }
    if (i > 0 && members[i].header_offset < members[i - 1].end_offset) {
      return Corrupt("members '" + members[i - 1].name + "' and '" + members[i].name +
                     "' share byte " + std::to_string(members[i].header_offset));
    }
  }
  return members;
}

}  // namespace flair
