// Fp2: K = F[phi]/(phi^2 - 7), where challenges live: |K| is about 2^128. a + b phi.
//
// 7 generates F*, so it is no square and the quotient is a field. docs/spec/field.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "zk/field/fp.h"

namespace flair::zk {

struct Fp2 {
  static constexpr std::size_t kBytes = 2 * Fp::kBytes;  // a, then b
  static constexpr std::uint64_t kNonResidue = 7;

  Fp a;
  Fp b;

  constexpr Fp2() = default;
  constexpr Fp2(Fp a_value, Fp b_value) : a(a_value), b(b_value) {}
  constexpr Fp2(Fp value) : a(value) {}             // NOLINT: F lies in K
  constexpr Fp2(std::uint64_t value) : a(value) {}  // NOLINT

  constexpr bool is_zero() const { return a.is_zero() && b.is_zero(); }
  friend constexpr bool operator==(const Fp2&, const Fp2&) = default;
  friend constexpr Fp2 operator+(Fp2 x, Fp2 y) { return {x.a + y.a, x.b + y.b}; }
  friend constexpr Fp2 operator-(Fp2 x, Fp2 y) { return {x.a - y.a, x.b - y.b}; }
  constexpr Fp2 operator-() const { return {-a, -b}; }
  // (a + b phi)(c + d phi) = ac + 7 bd + (ad + bc) phi
  friend constexpr Fp2 operator*(Fp2 x, Fp2 y) {
    return {x.a * y.a + Fp(kNonResidue) * (x.b * y.b), x.a * y.b + x.b * y.a};
  }
  friend constexpr Fp2 operator*(Fp2 x, Fp y) { return {x.a * y, x.b * y}; }
  friend constexpr Fp2 operator*(Fp x, Fp2 y) { return y * x; }
  constexpr Fp2& operator+=(Fp2 y) { return *this = *this + y; }
  constexpr Fp2& operator-=(Fp2 y) { return *this = *this - y; }
  constexpr Fp2& operator*=(Fp2 y) { return *this = *this * y; }

  constexpr Fp2 Pow(std::uint64_t e) const {
    Fp2 result(1);
    for (Fp2 square = *this; e != 0; e >>= 1, square *= square) {
      if (e & 1) result *= square;
    }
    return result;
  }
  // REQUIRES: not zero (whose "inverse" is 0). By the norm: (a - b phi)/(a^2 - 7 b^2).
  constexpr Fp2 Inverse() const {
    const Fp norm = a * a - Fp(kNonResidue) * (b * b);
    return Fp2(a, -b) * norm.Inverse();
  }
};

}  // namespace flair::zk
