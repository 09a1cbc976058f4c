// Gzip: a compressed file, unpacked to memory.
//
// Place: data, over zlib. Memory grows with what is really unpacked, never with what a header
// says. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_source.h"
#include "base/result.h"

namespace flair::data {

// Several members in a row are one file, as gzip itself reads them; checksums are checked.
// Errors: kCorrupt (what, at which byte of the compressed file), kUnsupported for more than
// `max_bytes` unpacked, those of `file`.
Result<std::shared_ptr<const ByteSource>> Unpack(const ByteSource& file, std::uint64_t max_bytes);

}  // namespace flair::data
