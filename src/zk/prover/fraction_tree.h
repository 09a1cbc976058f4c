// FractionTree: all fractions of the lookup argument, from the leaves up to the root.
//
// Level l has up to 2^l nodes; the leaves are at level L. The three lowest levels are computed
// from the witness's cells whenever they are read, the others are stored: 8 bytes a leaf.
// Nodes without a leaf below are 0/1 and in no level.
//
// Place: zk/prover, over lookup. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "zk/lookup/equations.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/prover/k_kernels.h"
#include "zk/prover/k_vector.h"

namespace flair::zk {

// Four tables in memory.
class PairBuffer {
 public:
  explicit PairBuffer(std::uint64_t size) : p0_(size), q0_(size), p1_(size), q1_(size) {}
  std::uint64_t size() const { return p0_.size(); }
  FractionPairs pairs() const { return From(0); }
  FractionPairs From(std::uint64_t first) const {
    return {p0_.span().From(first), q0_.span().From(first), p1_.span().From(first),
            q1_.span().From(first)};
  }

 private:
  KVector p0_;
  KVector q0_;
  KVector p1_;
  KVector q1_;
};

class FractionTree {
 public:
  // `cells`: the witness's, borrowed.
  FractionTree(const LookupPlan& plan, const LookupChallenges& challenges,
               std::span<const std::int32_t> cells);
  ~FractionTree();

  unsigned num_layers() const { return plan_.num_layers(); }
  // Nodes of level l.
  std::uint64_t size(unsigned level) const;
  // The children of nodes first ... of level l < L; nodes behind the last have children 0/1.
  // REQUIRES: first and count are multiples of 16, count <= kNodesAtOnce.
  static constexpr std::uint64_t kNodesAtOnce = 1024;
  class Scratch;
  FractionPairs ReadChildren(unsigned level, std::uint64_t first, std::uint64_t count,
                             Scratch& scratch) const;
  // So many of the first nodes of level L - 1 have lookups alone below, 1/q0 + 1/q1; of them
  // only the denominators. REQUIRES as above, up to the last of them.
  std::uint64_t num_ones() const { return num_ones_; }
  std::pair<KSpan, KSpan> ReadOnes(std::uint64_t first, std::uint64_t count,
                                   Scratch& scratch) const;
  // Leaves 1/(base - v) of one class without companions, as they lie in the witness.
  struct IntLeaves {
    const std::int32_t* v;
    Fp2 base;
  };
  // Leaves first ... if they are all such of one block.
  std::optional<IntLeaves> FindInts(std::uint64_t first, std::uint64_t count) const;
  // Room for reading, one for each thread; kept for the next.
  std::unique_ptr<Scratch> Borrow() const;
  void Return(std::unique_ptr<Scratch> scratch) const;
  // Levels up to l are needed no more.
  void Drop(unsigned level);
  Fp2 root_q() const;

 private:
  struct Level {
    KVector p;
    KVector q;
  };

  // The block of a leaf.
  std::vector<LookupPlan::LeafBlock>::const_iterator BlockOf(std::uint64_t leaf) const;
  // The denominators of a block's leaves, up to whole lanes.
  KSpan ReadBlock(const LookupPlan::LeafBlock& block, std::uint64_t skipped, std::uint64_t n,
                  Scratch& scratch) const;
  // Of lookups alone p is not written.
  void ReadLeaves(std::uint64_t first, std::uint64_t count, std::optional<KSpan> p, KSpan q,
                  Scratch& scratch) const;
  void CombineLeaves(std::uint64_t first, std::uint64_t count, KSpan p, KSpan q,
                     Scratch& scratch) const;
  // Nodes of any level but the leaves' from their children.
  void CombineChildren(unsigned level, std::uint64_t first, std::uint64_t count, KSpan p, KSpan q,
                       Scratch& scratch) const;
  Level Build(unsigned level) const;

  const LookupPlan& plan_;
  LookupChallenges challenges_;
  std::span<const std::int32_t> cells_;
  const KKernels& kernels_;
  std::uint64_t num_ones_ = 0;
  std::vector<Level> stored_;  // by level, 0 to L - 3
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> free_;
};

class FractionTree::Scratch {
 public:
  PairBuffer pairs{kNodesAtOnce};
  PairBuffer leaf_pairs{2 * kNodesAtOnce};
  KVector p{4 * kNodesAtOnce};
  KVector q{4 * kNodesAtOnce};
  KVector block{4 * kNodesAtOnce};
  std::vector<std::int32_t> ints = std::vector<std::int32_t>(4 * kNodesAtOnce);
  std::unique_ptr<Scratch> of_level_below;
};

}  // namespace flair::zk
