// SPDX-License-Identifier: Apache-2.0
#include "program/lower/unit.h"

#include <algorithm>

namespace flair::program {

Unit MakeUnit(Int128 num, Int128 den, int exponent) {
  if (num == 0) return {.num = 0, .den = 1, .exponent = 0};
  for (; num % 2 == 0; num /= 2) ++exponent;
  for (; den % 2 == 0; den /= 2) --exponent;
  const auto reduced = MakeRational(num, den);
  if (!reduced) return kInvalidUnit;
  return {.num = reduced->num, .den = reduced->den, .exponent = exponent};
}

Unit Times(Unit a, Unit b) {
  if (!a.is_valid() || !b.is_valid()) return kInvalidUnit;
  return MakeUnit(Int128{a.num} * b.num, Int128{a.den} * b.den, a.exponent + b.exponent);
}

Unit Plus(Unit a, Unit b) {
  if (!a.is_valid() || !b.is_valid()) return kInvalidUnit;
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  const int exponent = std::min(a.exponent, b.exponent);
  a.exponent -= exponent;
  b.exponent -= exponent;
  if (a.exponent > 60 || b.exponent > 60) return kInvalidUnit;
  const auto left = MakeRational(Int128{a.num} << a.exponent, a.den);
  const auto right = MakeRational(Int128{b.num} << b.exponent, b.den);
  const auto sum = left && right ? Add(*left, *right) : std::nullopt;
  return sum ? MakeUnit(sum->num, sum->den, exponent) : kInvalidUnit;
}

bool IsInteger(Unit value, std::int64_t& integer) {
  if (!value.is_valid() || value.den != 1 || value.exponent < 0 || value.exponent > 61)
    return false;
  const Int128 whole = Int128{value.num} << value.exponent;
  if (whole > kMaxRationalTerm || whole < -kMaxRationalTerm) return false;
  integer = static_cast<std::int64_t>(whole);
  return true;
}

}  // namespace flair::program
