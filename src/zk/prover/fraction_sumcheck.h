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
  Sums FirstSums() const;
  void FillNeutral(std::uint64_t begin, std::uint64_t end) const;

  // The tables' entries first ... of this round, `count` of them, p0 mixed.
  FractionPairs Read(std::uint64_t first, std::uint64_t count,
                     FractionTree::Scratch& scratch) const;

  const FractionTree& tree_;
  unsigned level_;
  Fp2 mu_;
  std::vector<Fp2> point_;
  const KKernels& kernels_;
  unsigned round_ = 0;
  std::uint64_t size_;     // entries that are there
  PairBuffer current_{0};  // from round 1 on
  Sums sums_;              // of this round
};

}  // namespace flair::zk
