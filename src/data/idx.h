// IDX: the arrays that MNIST and its relatives come in.
//
// Layout, big-endian: 0 0 | type | number of dims | dims (4 bytes each) | elements, row-major.
// Read strictly: a file holds the elements that its dims say, and nothing behind them.
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

// Errors: kCorrupt (what, at which byte), kUnsupported for an unknown type of elements.
Result<SourceColumn> ReadIdx(std::shared_ptr<const ByteSource> file, std::string name,
                             std::string file_name);

}  // namespace flair::data
