// Weights of a linear merge as integers over 2^24, so that they have one spelling.
//
// Place: merge. Arithmetic: docs/formats/merge.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flair {

// a_i = 2^24 n_i / sum(n), rounded down; the units left over go to the largest
// remainders, the earlier input first among equals. Sums to 2^24.
// Errors: kInvalidArgument for no input, an n_i of zero (naming which), or a sum over 2^40.
Result<std::vector<std::uint32_t>> WeightsBySamples(std::span<const std::uint64_t> samples);
std::vector<std::uint32_t> EqualWeights(std::size_t num_inputs);

// floor(a / sqrt(1 + staleness)), exact: the largest k with k^2 (1 + staleness) <= a^2.
std::uint32_t DiscountForStaleness(std::uint32_t alpha, std::uint64_t staleness);

// A weight as people write it, "0.25": a decimal from 0 to 255 with at most 9 digits
// after the point, rounded to the nearest multiple of 2^-24 (ties up).
// Errors: kInvalidArgument.
Result<std::uint32_t> ParseWeight(std::string_view text);

}  // namespace flair
