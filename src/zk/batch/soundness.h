// Soundness: with what probability a false statement passes a batch opening, term by term.
//
// Bounds are integers, in parts of 2^-128 and rounded up, so that every machine refuses the same
// plans. With |K| > 2^127.99 a term N/|K| is N parts and a little. docs/spec/opening.md.
//
// Place: zk/batch, over pcs. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "zk/batch/batch_plan.h"
#include "zk/field/fp.h"

namespace flair::zk {

struct SoundnessTerm {
  std::string_view name;
  Uint128 parts;  // of 2^-128; 2^128 - 1 stands for itself and all above

  double bits() const;  // -log2
};

// What a plan must have unless it is a test's.
inline constexpr unsigned kSoundnessBits = 100;

std::vector<SoundnessTerm> SoundnessTerms(const BatchPlan& plan);
SoundnessTerm TotalOf(const std::vector<SoundnessTerm>& terms);

}  // namespace flair::zk
