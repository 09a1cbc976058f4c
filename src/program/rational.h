// Exact fractions: learning rates, momenta, factors of the graph.
//
// Place: program, at its bottom. A program holds no floating-point number: what a
// framework means by 0.1f is 13421773/134217728, and a program says which of the two
// it means.
//
// Invariants
//   (1) den > 0 and gcd(num, den) = 1: equal values have equal members.
//   (2) |num|, den < 2^62, so a sum of two products of them fits in 128 bits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flair::program {

// Wide enough for every product of two 64-bit integers. Not in ISO C++.
__extension__ using Int128 = __int128;

struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;

  bool operator==(const Rational&) const = default;
  double AsDouble() const { return static_cast<double>(num) / static_cast<double>(den); }
};

inline constexpr std::int64_t kMaxRationalTerm = (std::int64_t{1} << 62) - 1;

// Nothing when `den` is 0 or the reduced terms break invariant (2).
std::optional<Rational> MakeRational(Int128 num, Int128 den);
std::optional<Rational> Add(Rational a, Rational b);
std::optional<Rational> Multiply(Rational a, Rational b);
inline Rational Negate(Rational a) { return {-a.num, a.den}; }
// b - a has the sign of the answer.
std::strong_ordering Compare(Rational a, Rational b);

// What a finite `value` means, exactly; nothing when it is too fine or too large.
std::optional<Rational> FromFloat(float value);

// "3", "-9/10".
std::string ToText(Rational value);
// Also decimals: "0.05" is 1/20. Nothing when it is none of these.
std::optional<Rational> RationalFromText(std::string_view text);

}  // namespace flair::program
