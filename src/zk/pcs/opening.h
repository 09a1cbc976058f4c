// Openings: what a prover shows of a group of matrices, and the weights it is checked with.
//
// One row u = sum over matrices and rows of weight x row (cells and pads, coefficients in K)
// serves a whole group; at every opened column j
//   u(x_j) = sum of weight x column entry
// must hold. A blinding row of uniform coefficients in the sum (weights 1 and phi on its two
// rows over F) makes u uniform. docs/spec/commitment.md.
//
// Place: zk/pcs; used by both sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/field/fp2.h"
#include "zk/hash/leaf.h"

namespace flair::zk {

// One matrix at the group's columns, ascending.
struct OpenedMatrix {
  std::vector<std::vector<Fp>> columns;  // R values each
  std::vector<Salt> salts;
  std::vector<Digest> path;
};

struct GroupOpening {
  std::vector<Fp2> combined_row;  // C + h coefficients
  std::vector<OpenedMatrix> matrices;
};

// A row over K lies in two rows over F, a then b: their weights.
inline constexpr Fp2 kWeightOfA{1, 0};
inline constexpr Fp2 kWeightOfB{0, 1};

}  // namespace flair::zk
