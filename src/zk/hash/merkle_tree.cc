// SPDX-License-Identifier: Apache-2.0
#include "zk/hash/merkle_tree.h"

#include <bit>
#include <utility>

#include "base/check.h"
#include "base/threads.h"

namespace flair::zk {
namespace {

constexpr std::size_t kNodesPerTask = 4096;

}  // namespace

MerkleTree::MerkleTree(std::vector<Digest> leaves) {
  FLAIR_CHECK(std::has_single_bit(leaves.size())) << leaves.size() << " leaves";
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<Digest>& below = levels_.back();
    std::vector<Digest> level(below.size() / 2);
    const std::size_t num_tasks = (level.size() + kNodesPerTask - 1) / kNodesPerTask;
    const Status hashed = ParallelFor(num_tasks, [&](std::size_t task) -> Status {
      const std::size_t end = std::min(level.size(), (task + 1) * kNodesPerTask);
      for (std::size_t i = task * kNodesPerTask; i < end; ++i) {
        level[i] = NodeDigest(below[2 * i], below[2 * i + 1]);
      }
      return OkStatus();
    });
    FLAIR_CHECK(hashed.ok()) << "hashing cannot fail";
    levels_.push_back(std::move(level));
  }
}

std::vector<Digest> MerkleTree::Path(std::span<const std::uint64_t> indices) const {
  std::vector<Digest> path;
  std::vector<std::uint64_t> level(indices.begin(), indices.end());
  for (unsigned l = 0; l < log_n(); ++l) {
    std::vector<std::uint64_t> above;
    for (std::size_t i = 0; i < level.size(); ++i) {
      const bool has_sibling = i + 1 < level.size() && level[i + 1] == (level[i] ^ 1);
      if (!has_sibling) path.push_back(levels_[l][level[i] ^ 1]);
      above.push_back(level[i] >> 1);
      i += has_sibling ? 1 : 0;
    }
    level = std::move(above);
  }
  return path;
}

}  // namespace flair::zk
