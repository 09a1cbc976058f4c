// What Keras writes: .keras archives, .weights.h5 and whole models as .h5.
//
// Place: tensor. Format: keras/src/saving/saving_lib.py and
// docs/formats/model-files-keras.md. Neither the model's JSON is looked at nor libhdf5
// used: every dataset that is one row of little-endian elements is a tensor, named by its
// path ("layers/dense/vars/0").
//
// A file is refused (kCorrupt) when it contradicts itself: an archive whose directory
// lies, an HDF5 file with an address outside of it or two things in one place. What is
// merely unknown (chunks, text, compressed members) becomes blobs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/layout.h"

namespace flair {

// REQUIRES: LooksLikeZip(file). Nothing when the archive has no config.json beside a
// model.weights.h5 and is not named .keras. A broken archive is an error when the name
// says that it is one of Keras, and nothing otherwise.
Result<std::optional<FileLayout>> ReadKerasLayout(const ByteSource& file, std::string_view name);

// REQUIRES: LooksLikeHdf5(file) of hdf5_walk.h.
Result<FileLayout> ReadHdf5Layout(const ByteSource& file);

}  // namespace flair
