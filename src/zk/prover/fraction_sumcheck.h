// FractionSumcheck: one layer of the lookup argument's tree.
//
//   p(r) + mu q(r) = sum_x eq(r, x) [A(x) q1(x) + p1(x) q0(x)],   A = p0 + mu q0
//
// variable 0 of x first. A round's polynomial is eq(r_i, X) h(X), h of degree 2; the factors of
// eq that are bound already are left out. Nodes that are not there have A = mu, p1 = 0,
// q0 = q1 = 1, and stay so however they are folded: h gets mu times what eq weighs of them.
//
// Place: zk/prover. Thread safety: one thread at a time; works on the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "zk/prover/fraction_tree.h"

namespace flair::zk {

class FractionSumcheck {
 public:
  // REQUIRES: |point| = level, the tree outlives it.
  FractionSumcheck(const FractionTree& tree, unsigned level, Fp2 mu, std::vector<Fp2> point);

  // h(0) and h(2). REQUIRES: a variable is left.
  std::pair<Fp2, Fp2> Round() const { return sums_; }
  // Binds the round's variable, and sums for the next round while the entries are at hand.
  void Fold(Fp2 r);

  struct Last {
    Fp2 mixed;  // p0 + mu q0
    Fp2 q1;
    Fp2 p1;
    Fp2 q0;
  };
  // REQUIRES: every variable is bound.
  Last last() const;

 private:
  // eq over the variables behind a round's, in two factors: pairs in a block, and blocks.
  struct EqOfRest {
    EqOfRest(std::span<const Fp2> rest, std::uint64_t entries);
    // What the entries that are not there add to a sum.
    Fp2 Absent(Fp2 mu) const;

    std::span<const Fp2> rest;
    std::uint64_t pairs;  // in a block
    KVector low;          // zero up to whole lanes
    std::vector<Fp2> high;
    std::uint64_t num_blocks;  // that hold entries
  };
  using Sums = std::pair<Fp2, Fp2>;
  void AddBlock(const FractionPairs& in, const EqOfRest& eq, std::uint64_t block, KSpan lanes,
                Sums& sums) const;
  // The same of a block of leaves that are integers, in the first round.
  void AddInts(const FractionTree::IntLeaves& leaves, const EqOfRest& eq, std::uint64_t block,
               KSpan lanes, Sums& sums) const;
  // Of a block of the leaves' layer in the first round, if they are all integers.
  std::optional<FractionTree::IntLeaves> FindInts(std::uint64_t block) const;
  Sums FirstSums() const;
  void FillNeutral(std::uint64_t begin, std::uint64_t end) const;
  // The tables of the block's numerators, if it has any.
  void FoldNumerators(const FractionPairs& in, Fp2 r, std::uint64_t block) const;
  // Numerators of the ones too, when half of them are no whole blocks any more.
  void WriteOnes(std::uint64_t capacity);

  // From round 1 on, where so many of the first are ones.
  FractionPairs Stored(std::uint64_t first, std::uint64_t num_ones) const;
  // The tables' entries first ... of this round, `count` of them, p0 mixed;
  // p0 and p1 are null where all are ones.
  FractionPairs Read(std::uint64_t first, std::uint64_t count,
                     FractionTree::Scratch& scratch) const;

  const FractionTree& tree_;
  unsigned level_;
  Fp2 mu_;
  std::vector<Fp2> point_;
  const KKernels& kernels_;
  unsigned round_ = 0;
  std::uint64_t size_;  // entries that are there
  // So many of the first have p0 = 1 and p1 = 1, as lookups have, and keep this when folded:
  // A = 1 + mu q0. Nothing of A and p1 is stored for them.
  std::uint64_t num_ones_ = 0;
  // From round 1 on; A and p1 behind the ones.
  KVector mixed_;
  KVector p1_;
  KVector q0_;
  KVector q1_;
  Sums sums_;  // of this round
};

}  // namespace flair::zk
