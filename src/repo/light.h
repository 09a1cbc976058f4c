// Light copies: a model file as a smaller safetensors stream, to look at and evaluate.
//
// Place: repo, over ObjectStore alone; serves `?light=` of the hub. Nothing is stored.
// int8: a float tensor of two or more dims becomes I8 with one F32 scale for each
// index of its first dim, `<name>.scale`; smaller ones become F32. bf16: every float
// tensor wider than 16 bits becomes BF16. Other tensors stay as they are. The metadata
// says "flair.light": "int8" | "bf16", and the commit and the path it was made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "object/ids.h"
#include "store/object_store.h"

namespace flair {

enum class LightKind : std::uint8_t { kInt8, kBf16 };
std::string_view LightKindName(LightKind kind);
// Errors: kInvalidArgument, naming the kinds.
Result<LightKind> LightKindFromName(std::string_view name);

using ByteSink = std::function<Status(ByteView)>;

struct LightSize {
  std::uint64_t light_bytes = 0;
  std::uint64_t full_bytes = 0;
};
// From headers alone: what WriteLightModel will write, to the byte.
Result<LightSize> LightModelSize(const ObjectStore& objects, const CommitId& commit,
                                 std::string_view path, LightKind kind);

// Writes header and tensors in order, in pieces of at most 1 MiB; bounded memory except for
// one row of an int8 tensor. Errors: kNotFound (no such path), kInvalidArgument (the file has
// no tensors; NaN or infinity in a tensor to be quantised).
Status WriteLightModel(const ObjectStore& objects, const CommitId& commit, std::string_view path,
                       LightKind kind, const ByteSink& sink);

}  // namespace flair
