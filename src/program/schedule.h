// Learning-rate schedules as tables of exact fractions.
//
// Place: program, above program.h. A program holds the rates themselves: what computed
// them (a step rule, a cosine) is nobody's business afterwards.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "program/program.h"

namespace flair::program {

// The rate of any step in the logarithm of the number of pieces: a program may have 2^20 of them,
// and every step asks.
class Rates {
 public:
  Rates() = default;
  // REQUIRES: at least one piece, 2^60 steps at most before the last one.
  explicit Rates(const Schedule& schedule);

  // Schedule::NumeratorAt().
  std::int64_t NumeratorAt(std::uint64_t step) const;

 private:
  std::vector<std::uint64_t> ends_;  // of each piece but the last
  std::vector<std::int64_t> numerators_;
};

// rates[i] for steps[i] steps; the last one stays, its number of steps is 0. Neighbours
// with equal rates become one piece.
// Errors: kInvalidArgument when the least common denominator passes 2^62.
Result<Schedule> MakeSchedule(std::span<const Rational> rates,
                              std::span<const std::uint64_t> steps);

Result<Schedule> ConstantSchedule(Rational rate);
// rate * factor^i in the i-th stretch of `every` steps, `drops` times.
Result<Schedule> StepSchedule(Rational rate, Rational factor, std::uint64_t every,
                              std::size_t drops);
// rate * (1 + cos(pi t / steps)) / 2, to the nearest multiple of 2^-denominator_bits.
Result<Schedule> CosineSchedule(Rational rate, std::uint64_t steps, unsigned denominator_bits);

}  // namespace flair::program
