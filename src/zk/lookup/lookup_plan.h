// LookupPlan: one argument that all lookups of a proof are rows of their tables.
//
//   key = v + beta1 c1 + beta2 c2 + beta0 class
//   sum over lookups 1/(alpha - key) - sum over rows m/(alpha - key) = 0
//
// as the sum of fractions p/q up a binary tree (LogUp-GKR). Leaves are numbered block by block,
// larger blocks first: so each block lies at a multiple of its size. Behind the last leaf they
// are 0/1 and stored nowhere. docs/spec/lookup.md.
//
// Place: zk/lookup, over pcs-free numbers alone; used by both sides.
// Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "zk/lookup/table.h"

namespace flair::zk {

class LookupPlan {
 public:
  // Errors: kInvalidArgument for a class without a table, two equal rows in a class, a block
  // that does not lie at a multiple of its size, no lookups, more than 2^32 leaves, 2^31 lookups of
  // a class (counts are int32).
  static Result<LookupPlan> Make(std::vector<TableSegment> segments,
                                 std::vector<LookupBlock> lookups);

  const std::vector<TableSegment>& segments() const { return segments_; }
  const std::vector<LookupBlock>& lookups() const { return lookups_; }

  struct LeafBlock {
    bool is_table;
    std::size_t index;  // in segments() or lookups()
    unsigned log_size;
    std::uint64_t first_leaf;
  };
  const std::vector<LeafBlock>& leaf_blocks() const { return leaf_blocks_; }
  std::uint64_t num_leaves() const { return num_leaves_; }
  unsigned num_layers() const { return num_layers_; }  // at least 1; leaves are below the last

  // Before the challenges: makes up for more than 2^22 leaves.
  unsigned work_bits() const;
  // Of a BatchPlan.
  std::uint64_t num_pads() const;
  std::uint64_t num_triples() const { return 1 + 2 * std::uint64_t{num_layers_}; }

 private:
  LookupPlan() = default;

  std::vector<TableSegment> segments_;
  std::vector<LookupBlock> lookups_;
  std::vector<LeafBlock> leaf_blocks_;
  std::uint64_t num_leaves_ = 0;
  unsigned num_layers_ = 0;
};

}  // namespace flair::zk
