// The names in an HDF5 group and the objects they stand for.
//
// Place: tensor, under hdf5_walk.h. Layout: HDF5 File Format Specification 3.0, III and
// IV.A.2: symbol tables (a B-tree of nodes, names in a heap) and link messages.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/hdf5_header.h"

namespace flair {

struct Hdf5Link {
  std::string name;           // not empty, no '/', no NUL
  std::uint64_t address = 0;  // of an object header
};

// Hard links only: soft and external ones are names for what has another name, or lies in
// another file. Ascending by name, each once; empty when the object is no group.
// Errors: kCorrupt (what, at which byte); kUnsupported for a group whose links are kept in
// a fractal heap.
Result<std::vector<Hdf5Link>> ReadHdf5Links(Hdf5Bytes& bytes, const Hdf5Header& header);

}  // namespace flair
