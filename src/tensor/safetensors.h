// safetensors: header length (8, LE) | JSON header | tensor data.
//
// Place: tensor. Format: https://github.com/huggingface/safetensors and
// docs/formats/model-files.md. Read strictly: no duplicate key, no overlap, no hole,
// nothing behind the last tensor.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/layout.h"

namespace flair {

// The limit of the format's reference implementation.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;

// True when the first bytes can only be a safetensors file: a plausible length, then '{'.
bool LooksLikeSafetensors(const ByteSource& file);

// Errors: kCorrupt (what, and at which tensor or byte), kUnsupported for a dtype that
// this build does not know.
Result<FileLayout> ReadSafetensorsLayout(const ByteSource& file);

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> dims;
};

// The length and the header for tensors that follow in this order, padded with spaces
// so that the data begin at a multiple of eight bytes.
Bytes WriteSafetensorsHeader(const std::vector<SafetensorsEntry>& tensors,
                             const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace flair
