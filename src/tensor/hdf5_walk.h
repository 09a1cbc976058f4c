// Where the tensors of an HDF5 file lie, found without libhdf5.
//
// Place: tensor, under keras_file.h. Layout: HDF5 File Format Specification 3.0; why a
// reader of our own, and what it leaves out: docs/design/0002-hdf5-walker.md. Rules:
// docs/formats/model-files-keras.md.
//
// Invariants of what FindHdf5Tensors returns
//   (1) Tensors ascend by offset, empty ones (offset 0) first; none leaves the file and
//       no two share a byte, with each other or with the structures that name them.
//   (2) Paths are usable tensor names (object/file.h) and stand once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/hdf5_dataset.h"

namespace flair {

inline constexpr std::size_t kMaxHdf5Objects = 200'000;
inline constexpr std::size_t kMaxHdf5Depth = 64;  // groups inside each other

struct Hdf5Tensor {
  std::string path;  // "layers/dense/vars/0"
  Hdf5Elements elements;
};

// True when the file begins with HDF5's signature. The format also allows it at byte 512
// and later, behind bytes of somebody else: not read.
bool LooksLikeHdf5(const ByteSource& file);

// `file` may be a part of another, such as a member of an archive.
// Errors: kCorrupt (what is wrong, at which byte); kUnsupported for what is legal but not
// read, and past the limits; those of `file`.
Result<std::vector<Hdf5Tensor>> FindHdf5Tensors(const ByteSource& file);

}  // namespace flair
