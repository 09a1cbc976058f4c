// Where the members of a zip archive lie, without unpacking any.
//
// Place: tensor, below the readers of .pt and .keras. Layout: APPNOTE 6.3.10 with zip64;
// docs/formats/model-files.md. Read strictly, because two readers that find different
// members in one archive are two truths about one model.
//
// Invariants of what ReadZipDirectory returns
//   (1) Members ascend by header_offset; no two share a byte, none reaches into the
//       directory: header_offset < data_offset <= data_offset + stored_bytes <= end_offset,
//       and end_offset <= the next header_offset.
//   (2) Names are not empty, hold no NUL and stand once.
//   (3) The local header and the directory tell the same name, method, checksum and sizes.
// Checksums are not computed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"

namespace flair {

inline constexpr std::size_t kMaxZipMembers = 100'000;
// 100,000 members with names of a hundred bytes, and room for zip64.
inline constexpr std::uint64_t kMaxZipDirectoryBytes = std::uint64_t{16} << 20;

struct ZipMember {
  std::string name;          // bytes as written; UTF-8 is not checked
  std::uint16_t method = 0;  // 0: stored; anything else is compressed
  std::uint32_t crc32 = 0;
  std::uint64_t header_offset = 0;  // of the local header
  std::uint64_t data_offset = 0;
  std::uint64_t stored_bytes = 0;  // of the data as they lie in the archive
  std::uint64_t size_bytes = 0;    // of the data unpacked; stored_bytes when method is 0
  std::uint64_t end_offset = 0;    // behind the data and their descriptor, if any

  bool stored() const { return method == 0; }
};

// True when the file begins as an archive with members does: "PK", 3, 4.
bool LooksLikeZip(const ByteSource& file);

// Errors: kCorrupt (what is wrong, at which byte or member); kUnsupported for what is
// legal but not read: encryption, several disks, more than the limits above; those of
// `file`.
Result<std::vector<ZipMember>> ReadZipDirectory(const ByteSource& file);

}  // namespace flair
