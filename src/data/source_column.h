// SourceColumn: an array in a file, whose first dimension counts records.
//
// Place: data; idx.h, npy.h and source.h find them, column.h makes integers of them.
// Thread safety: const.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/dtype.h"

namespace flair::data {

enum class ByteOrder : std::uint8_t { kLittle, kBig };

struct SourceColumn {
  std::string name;
  std::string file;  // for messages
  DType dtype = DType::kF32;
  ByteOrder order = ByteOrder::kLittle;
  std::vector<std::uint64_t> dims;  // records first; row-major
  std::shared_ptr<const ByteSource> bytes;
  std::uint64_t begin = 0;  // of the elements in `bytes`

  std::uint64_t num_records() const { return dims.empty() ? 0 : dims[0]; }
  std::uint64_t num_elements() const;  // REQUIRES: CheckUsable passed
};

// Is it an array of records that a data set can hold? Errors: kInvalidArgument names the column.
Status CheckUsable(const SourceColumn& column);

// Elements in order, a piece at a time: `visit(first, values)`. An error ends it.
// REQUIRES: CheckUsable passed. Errors: those of the file and of `visit`; of integers
// kInvalidArgument for one beyond 2^63.
using IntegerVisitor = std::function<Status(std::uint64_t, std::span<const std::int64_t>)>;
using RealVisitor = std::function<Status(std::uint64_t, std::span<const double>)>;
// REQUIRES: the dtype is an integer's or bool.
Status ForEachInteger(const SourceColumn& column, const IntegerVisitor& visit);
// REQUIRES: IsFloat(dtype).
Status ForEachReal(const SourceColumn& column, const RealVisitor& visit);

// "column 'x': record 3 ..." of element `index`.
Error AtRecord(const SourceColumn& column, std::uint64_t index, const std::string& what);

}  // namespace flair::data
