// What the messages of a dataset's object header say about its elements.
//
// Place: tensor, under hdf5_walk.h. Layout: HDF5 File Format Specification 3.0, IV.A.2.
// What is well formed and no tensor (text, big endian, chunks...) is "nothing", not an
// error.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"
#include "tensor/hdf5_header.h"

namespace flair {

// Elements in a file: contiguous, little-endian, row-major.
struct Hdf5Elements {
  std::uint64_t offset = 0;  // 0 when there are none
  std::uint64_t size_bytes = 0;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> dims;
};

// Values that do not fit into a message, such as attributes of text.
class Hdf5Heaps {
 public:
  explicit Hdf5Heaps(Hdf5Bytes& bytes) : bytes_(bytes) {}
  // Object `index` of the global heap at `address`; valid as long as this is.
  Result<ByteView> Find(std::uint64_t address, std::uint64_t index);

 private:
  Hdf5Bytes& bytes_;
  std::map<std::uint64_t, Bytes> heaps_;
};

// Nothing when the object is a dataset without being a tensor, or no dataset.
// Errors: kCorrupt when messages are cut short or contradict each other.
Result<std::optional<Hdf5Elements>> ReadHdf5Elements(const Hdf5Header& header, Hdf5Heaps& heaps);

}  // namespace flair
