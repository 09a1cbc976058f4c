// SPDX-License-Identifier: Apache-2.0
#include "data/prover/leaves_file.h"

#include <algorithm>
#include <string_view>

namespace flair::data {
namespace {

constexpr std::string_view kMagic("FLLV\2\0", 6);  // and the version, 16 bits

}  // namespace

std::uint64_t LeavesBytes(std::uint64_t num_leaves) {
  return kMagic.size() + (1 + num_leaves) * Digest::kBytes;
}

Bytes EncodeLeaves(const KeptLeaves& kept) {
  Bytes out = ToBytes(kMagic);
  out.reserve(LeavesBytes(kept.leaves.size()));
  Append(out, kept.origin.view());
  for (const Digest& leaf : kept.leaves) Append(out, leaf.view());
  return out;
}

std::optional<KeptLeaves> DecodeLeaves(ByteView bytes, std::uint64_t num_leaves) {
  if (bytes.size() != LeavesBytes(num_leaves)) return std::nullopt;
  const auto magic = AsBytes(kMagic);
  if (!std::equal(magic.begin(), magic.end(), bytes.begin())) return std::nullopt;
  const auto digest_at = [&](std::uint64_t i) {
    Digest digest;
    const ByteView from = bytes.subspan(kMagic.size() + i * Digest::kBytes);
    std::copy_n(from.begin(), Digest::kBytes, digest.bytes.begin());
    return digest;
  };
  KeptLeaves kept{.origin = digest_at(0), .leaves = {}};
  kept.leaves.reserve(num_leaves);
  for (std::uint64_t i = 1; i <= num_leaves; ++i) kept.leaves.push_back(digest_at(i));
  return kept;
}

Status WriteLeaves(Env& env, const std::string& path, const KeptLeaves& kept) {
  return WriteFileAtomically(env, path, EncodeLeaves(kept), WriteMode::kCreatePrivate);
}

std::optional<KeptLeaves> ReadLeaves(Env& env, const std::string& path, std::uint64_t num_leaves) {
  if (!Exists(env, path)) return std::nullopt;
  const auto bytes = ReadFile(env, path, LeavesBytes(num_leaves));
  return bytes.ok() ? DecodeLeaves(*bytes, num_leaves) : std::nullopt;
}

}  // namespace flair::data
