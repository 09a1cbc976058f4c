// MerkleTree: all nodes over 2^log_n leaves, for whoever opens them. 64 bytes for each leaf.
//
// Place: zk/hash, over merkle.h. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/hash/merkle.h"

namespace flair::zk {

class MerkleTree {
 public:
  // REQUIRES: a power of two of leaves. Multi-threaded.
  explicit MerkleTree(std::vector<Digest> leaves);

  unsigned log_n() const { return static_cast<unsigned>(levels_.size()) - 1; }
  std::span<const Digest> leaves() const { return levels_.front(); }
  const Digest& root() const { return levels_.back()[0]; }
  // As RootOf reads it. REQUIRES: indices ascending, distinct, below 2^log_n.
  std::vector<Digest> Path(std::span<const std::uint64_t> indices) const;

 private:
  std::vector<std::vector<Digest>> levels_;  // from the leaves up
};

}  // namespace flair::zk
