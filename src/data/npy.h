// NPY: one NumPy array in a file, versions 1 and 2.
//
// Layout: \x93NUMPY | major, minor | length of the header (2 or 4, LE) | header, a Python dict of
// descr, fortran_order and shape | elements. Read strictly: each key once, plain dtypes, C order,
// nothing behind the last element. Objects, which NumPy pickles, are never read.
//
// Place: data. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/byte_source.h"
#include "base/result.h"
#include "data/source_column.h"

namespace flair::data {

inline constexpr std::uint64_t kMaxNpyHeaderBytes = 64 << 10;

// Errors: kCorrupt (what, at which byte), kUnsupported for what NumPy writes and nothing here
// reads: structures, objects, texts, Fortran order, version 3.
Result<SourceColumn> ReadNpy(std::shared_ptr<const ByteSource> file, std::string name,
                             std::string file_name);

}  // namespace flair::data
