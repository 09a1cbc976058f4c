// Unit: what one of a tensor of integers stands for, num/den * 2^exponent.
//
// Place: program/lower, at its bottom. Powers of two stand apart from other factors: they become
// shifts, the others coefficients and divisors.
//
// Invariants
//   (1) num is 0 or odd, den is odd and positive, gcd(num, den) = 1; 0 has exponent 0.
//   (2) A product or sum whose terms pass 62 bits is invalid, and so is what is made of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "program/rational.h"

namespace flair::program {

struct Unit {
  std::int64_t num = 1;
  std::int64_t den = 1;
  int exponent = 0;

  bool operator==(const Unit&) const = default;
  bool is_zero() const { return num == 0 && den != 0; }
  bool is_valid() const { return den != 0; }
};

inline constexpr Unit kInvalidUnit = {.num = 0, .den = 0, .exponent = 0};

// num/den * 2^exponent for any num and den > 0.
Unit MakeUnit(Int128 num, Int128 den, int exponent);
inline Unit UnitOf(Rational value) { return MakeUnit(value.num, value.den, 0); }
inline Unit PowerOfTwo(int exponent) { return MakeUnit(1, 1, exponent); }

Unit Times(Unit a, Unit b);
Unit Plus(Unit a, Unit b);

// The value as an integer; false when it is none, or one of more than 62 bits.
bool IsInteger(Unit value, std::int64_t& integer);

}  // namespace flair::program
