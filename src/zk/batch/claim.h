// Claim: a linear functional of a committed matrix's cells, and the value it is said to have.
//
// A block is 2^k cells at an offset that is a multiple of 2^k; a claim is a public list of
//   coefficient * sum_x eq(point, x) cell[offset + x],   x < 2^k, k = |point|.
// Cells are numbered row C + column. docs/spec/opening.md.
//
// Place: zk/batch, over mask and poly; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/field/fp2.h"
#include "zk/mask/masked.h"

namespace flair::zk {

struct Block {
  Fp2 coefficient{1};
  std::uint64_t offset = 0;
  std::vector<Fp2> point;
};

struct Claim {
  std::size_t matrix = 0;
  std::vector<Block> blocks;
  Masked value;
};

// The functional's multilinear extension at r, which has at least the block's variables.
Fp2 WeightAt(const Claim& claim, std::span<const Fp2> r);

// into[x] += factor * weight of cell x. REQUIRES: every block lies in `into`.
void AddWeights(const Claim& claim, Fp2 factor, std::span<Fp2> into);

}  // namespace flair::zk
