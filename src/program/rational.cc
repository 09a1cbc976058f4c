// SPDX-License-Identifier: Apache-2.0
#include "program/rational.h"

#include <cmath>

namespace flair::program {
namespace {

Int128 Magnitude(Int128 v) { return v < 0 ? -v : v; }

Int128 GreatestCommonDivisor(Int128 a, Int128 b) {
  while (b != 0) {
    const Int128 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// Digits only, at most as many as kMaxRationalTerm has: 19.
std::optional<Int128> Digits(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  Int128 value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<Rational> MakeRational(Int128 num, Int128 den) {
  if (den == 0) return std::nullopt;
  if (den < 0) {
    num = -num;
    den = -den;
  }
  const Int128 common = GreatestCommonDivisor(Magnitude(num), den);
  num /= common;
  den /= common;
  if (Magnitude(num) > kMaxRationalTerm || den > kMaxRationalTerm) return std::nullopt;
  return Rational{static_cast<std::int64_t>(num), static_cast<std::int64_t>(den)};
}

// Terms are below 2^62: products below 2^124, their sum below 2^125.
std::optional<Rational> Add(Rational a, Rational b) {
  return MakeRational(Int128{a.num} * b.den + Int128{b.num} * a.den, Int128{a.den} * b.den);
}

std::optional<Rational> Multiply(Rational a, Rational b) {
  return MakeRational(Int128{a.num} * b.num, Int128{a.den} * b.den);
}

std::strong_ordering Compare(Rational a, Rational b) {
  const Int128 difference = Int128{a.num} * b.den - Int128{b.num} * a.den;
  if (difference < 0) return std::strong_ordering::less;
  return difference > 0 ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::optional<Rational> FromFloat(float value) {
  if (!std::isfinite(value)) return std::nullopt;
  int exponent = 0;
  // value = fraction * 2^exponent with 24 bits of fraction.
  const float fraction = std::frexp(value, &exponent);
  const auto num = static_cast<std::int64_t>(std::ldexp(fraction, 24));
  exponent -= 24;
  if (exponent < -100 || exponent > 60) return std::nullopt;
  if (exponent >= 0) return MakeRational(Int128{num} << exponent, 1);
  return MakeRational(num, Int128{1} << -exponent);
}

std::string ToText(Rational value) {
  std::string text = std::to_string(value.num);
  if (value.den != 1) text += "/" + std::to_string(value.den);
  return text;
}

std::optional<Rational> RationalFromText(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::optional<Int128> num;
  std::optional<Int128> den = 1;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    num = Digits(text.substr(0, slash));
    den = Digits(text.substr(slash + 1));
  } else if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    const std::string_view fraction = text.substr(dot + 1);
    if (fraction.empty()) return std::nullopt;
    num = Digits(std::string(text.substr(0, dot)) + std::string(fraction));
    for (std::size_t i = 0; num && i < fraction.size(); ++i) *den *= 10;
  } else {
    num = Digits(text);
  }
  if (!num || !den) return std::nullopt;
  return MakeRational(negative ? -*num : *num, *den);
}

}  // namespace flair::program
