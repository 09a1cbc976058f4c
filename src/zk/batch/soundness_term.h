// SoundnessTerm: one way for a false statement to pass, and with what probability at most.
//
// Bounds are integers, in parts of 2^-128 and rounded up, so that every machine refuses the same
// plans. With |K| > 2^127.99 a term N/|K| is N parts and a little. docs/spec/opening.md.
//
// Place: zk/batch, below its plans. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "zk/field/fp.h"

namespace flair::zk {

struct SoundnessTerm {
  std::string_view name;
  Uint128 parts;  // of 2^-128; 2^128 - 1 stands for itself and all above

  double bits() const;  // -log2
};

// What a plan must have unless it is a test's.
inline constexpr unsigned kSoundnessBits = 100;

// n/|K| 2^-work_bits: n is the degree of an identity that is tested at a random element of K, or
// the sum of several ones'. REQUIRES: n < 2^127, work_bits < 128.
SoundnessTerm OverField(std::string_view name, Uint128 n, unsigned work_bits = 0);

// Any of them: the union bound.
SoundnessTerm TotalOf(const std::vector<SoundnessTerm>& terms);

}  // namespace flair::zk
