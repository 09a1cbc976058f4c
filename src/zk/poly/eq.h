// eq: the multilinear extension of equality, and what is summed against it.
//
//   eq(r, x) = prod_i (r_i x_i + (1 - r_i)(1 - x_i)),   f~(r) = sum_x eq(r, x) f(x)
//
// Bits of x from the lowest: variable 0 is bit 0. docs/spec/commitment.md.
//
// Place: zk/poly, over field; used by both sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/field/fp2.h"

namespace flair::zk {

// eq(r, x) for all x < 2^|r|.
std::vector<Fp2> EqTable(std::span<const Fp2> r);

// eq(r, x) for one x.
Fp2 EqAt(std::span<const Fp2> r, std::uint64_t x);

// sum of eq(r, x) over x < n. REQUIRES: n <= 2^|r|.
Fp2 EqPrefixSum(std::span<const Fp2> r, std::uint64_t n);

}  // namespace flair::zk
