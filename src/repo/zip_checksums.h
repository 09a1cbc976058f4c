// Zip archives (.pt, .keras) carry a CRC-32 of every member: when a join puts other
// tensors into one, the numbers must follow, or readers call the file broken.
//
// Place: inside repo, under join_trees.h. Members that hold tensors are stored, not
// compressed; directory and local headers are inline segments. Layout: APPNOTE 6.3.10,
// with zip64.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "base/byte_source.h"
#include "base/result.h"
#include "object/file.h"

namespace flair {

inline bool HasZipChecksums(FileFormat format) {
  return format == FileFormat::kTorchZip || format == FileFormat::kKeras;
}

// CRC-32 (IEEE) of a source, block by block on every core.
Result<std::uint32_t> Crc32Of(const ByteSource& source);

// Can the checksums of every member that holds a tensor be rewritten?
// Errors: kUnsupported says why not.
Status CheckZipChecksums(const File& file);

// Rewrites the checksums of members that hold a segment in which `file` and `original`
// differ, in `file`'s inline segments. REQUIRES: `file` is `original` with other
// contents of the same sizes. Errors: kUnsupported; those of `crc_of`.
Status FixZipChecksums(File& file, const File& original,
                       const std::function<Result<std::uint32_t>(const ContentRef&)>& crc_of);

}  // namespace flair
