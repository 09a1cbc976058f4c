// What torch.save writes: a zip archive since PyTorch 1.6, a row of pickles followed by
// raw storages before.
//
// Place: tensor. Format: torch/serialization.py and docs/formats/model-files.md. The
// pickle is read as data (pickle_walk.h), never run: what it would import or call
// decides only how tensors are named, so a hostile file is a file with fewer tensors.
//
// A file is refused (kCorrupt) when it contradicts itself: an archive whose directory
// lies, a storage smaller than the tensors in it, a storage that is not there. What is
// merely unknown (other opcodes, element types, compressed members) becomes blobs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/layout.h"

namespace flair {

// The part of a file that is read as pickles; longer ones are blobs.
inline constexpr std::uint64_t kMaxTorchPickleBytes = std::uint64_t{64} << 20;

// REQUIRES: LooksLikeZip(file). Nothing when the archive is none of torch.save and not
// named .pt or .pth. A broken archive is an error when the name or its first member
// (X/data.pkl) says that it is one of torch.save, and nothing otherwise.
Result<std::optional<FileLayout>> ReadTorchZipLayout(const ByteSource& file, std::string_view name);

// True when the file begins with the pickled magic number of the format before zip.
bool LooksLikeTorchLegacy(const ByteSource& file);

Result<FileLayout> ReadTorchLegacyLayout(const ByteSource& file);

}  // namespace flair
