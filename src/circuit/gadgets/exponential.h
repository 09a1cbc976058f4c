// The table of exp(-d): what a softmax looks its distances up in.
//
// Integers alone make it, so it is the same on every machine. Place: circuit, over builder.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "circuit/builder.h"

namespace flair::circuit {

// E[d] = the integer nearest to (2^value_bits - 1) exp(-d 2^-scale), for d < 2^bits.
// REQUIRES: bits <= 20, value_bits <= 24, -20 <= scale <= 60.
std::vector<std::int32_t> Exponentials(unsigned bits, int scale, unsigned value_bits);

// Rows (d, E[d], 0) for every d, and (0, E[0], 1): the row that says d is a least one.
TableId AddExponentials(Builder& builder, unsigned bits, int scale, unsigned value_bits);

}  // namespace flair::circuit
