// SPDX-License-Identifier: Apache-2.0
#include "zk/hash/merkle.h"

#include <string>
#include <utility>

#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kLabel = "flair zk node v1";

Status CheckIndices(unsigned log_n, std::span<const std::uint64_t> indices) {
  if (indices.empty()) return Error(ErrorCode::kInvalidArgument, "no leaf is opened");
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const bool ascends = i == 0 || indices[i - 1] < indices[i];
    if (!ascends || (log_n < 64 && indices[i] >> log_n != 0)) {
      return Error(ErrorCode::kInvalidArgument,
                   "leaf " + std::to_string(indices[i]) + " is out of order or range");
    }
  }
  return OkStatus();
}

}  // namespace

Digest NodeDigest(const Digest& left, const Digest& right) {
  std::array<std::byte, kLabel.size() + 2 * Digest::kBytes> message;
  const ByteView label = AsBytes(kLabel);
  std::copy(label.begin(), label.end(), message.begin());
  std::copy(left.bytes.begin(), left.bytes.end(), message.begin() + kLabel.size());
  std::copy(right.bytes.begin(), right.bytes.end(),
            message.begin() + kLabel.size() + Digest::kBytes);
  return Sha256(message);
}

std::size_t PathLength(unsigned log_n, std::span<const std::uint64_t> indices) {
  std::vector<std::uint64_t> level(indices.begin(), indices.end());
  std::size_t length = 0;
  for (unsigned l = 0; l < log_n; ++l) {
    std::vector<std::uint64_t> above;
    for (std::size_t i = 0; i < level.size(); ++i) {
      const bool has_sibling = i + 1 < level.size() && level[i + 1] == (level[i] ^ 1);
      length += has_sibling ? 0 : 1;
      above.push_back(level[i] >> 1);
      i += has_sibling ? 1 : 0;
    }
    level = std::move(above);
  }
  return length;
}

Result<Digest> RootOf(unsigned log_n, std::span<const std::uint64_t> indices,
                      std::span<const Digest> leaves, std::span<const Digest> path) {
  FLAIR_DO(CheckIndices(log_n, indices));
  if (leaves.size() != indices.size()) {
    return Error(ErrorCode::kInvalidArgument, "one leaf for each index is needed");
  }
  if (path.size() != PathLength(log_n, indices)) {
    return Error(ErrorCode::kCorrupt, "a path of " + std::to_string(path.size()) +
                                          " digests instead of " +
                                          std::to_string(PathLength(log_n, indices)));
  }
  std::vector<std::pair<std::uint64_t, Digest>> level;
  for (std::size_t i = 0; i < indices.size(); ++i) level.emplace_back(indices[i], leaves[i]);
  std::size_t used = 0;
  for (unsigned l = 0; l < log_n; ++l) {
    std::vector<std::pair<std::uint64_t, Digest>> above;
    for (std::size_t i = 0; i < level.size(); ++i) {
      const auto& [index, digest] = level[i];
      const bool has_sibling = i + 1 < level.size() && level[i + 1].first == (index ^ 1);
      const Digest& sibling = has_sibling ? level[i + 1].second : path[used++];
      const bool is_left = index % 2 == 0;
      above.emplace_back(index >> 1,
                         is_left ? NodeDigest(digest, sibling) : NodeDigest(sibling, digest));
      i += has_sibling ? 1 : 0;
    }
    level = std::move(above);
  }
  return level[0].second;
}

}  // namespace flair::zk
