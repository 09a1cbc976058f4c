// What Adam needs of a step's number: factors that are public, in integers alone, so that every
// implementation has the same ones. docs/spec/step.md has the formulas.
//
// Place: program/lower; the lowering declares publics with it, CellsOf() fills them.
// Thread safety: a plain value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "program/program.h"

namespace flair::program {

// W' = W - u, u = round(F m' / (2^3 q + E)), q the root of v', in integers of these units:
//   gradient g   2^-s, s the scale of adam_gradient
//   v            2^-2s, and divided by 1 - beta2:  v' = v + g^2 - round(forget v / 2^forget_scale)
//   m            that of adam_mean
//   u            that of adam_update
class AdamFactors {
 public:
  // Errors: kUnsupported for numbers for which there are no factors of enough bits.
  static Result<AdamFactors> Make(const Program& program);

  // F and E of a step; the rate is numerator / the schedule's denominator.
  std::int64_t FactorAt(std::int64_t numerator, std::uint64_t step) const;
  std::int64_t EpsilonAt(std::uint64_t step) const;
  // Not below any of them.
  std::int64_t LargestFactor() const { return largest_factor_; }
  std::int64_t LargestEpsilon() const { return largest_epsilon_; }

  std::int64_t forget() const { return forget_; }
  unsigned forget_scale() const { return forget_scale_; }

 private:
  AdamFactors() = default;
  std::int64_t Factor(std::int64_t numerator, std::int64_t c1, std::int64_t c2) const;
  std::int64_t Epsilon(std::int64_t c2) const;
  std::int64_t Root(std::int64_t c2) const;

  std::int64_t beta1_ = 0, beta2_ = 0, eps_ = 0;  // in units of 2^-62
  bool keras_ = false;
  unsigned factor_shift_ = 0, epsilon_shift_ = 0;
  std::int64_t forget_ = 0;
  unsigned forget_scale_ = 0;
  std::int64_t largest_factor_ = 0, largest_epsilon_ = 0;
};

inline constexpr unsigned kSquareBits = 60;  // of v
inline constexpr unsigned kSquareCut = 40;   // v is read above and below this bit
inline constexpr unsigned kRootShift =
    3;  // E is finer than q by this: its rounding is less than that of q

}  // namespace flair::program
