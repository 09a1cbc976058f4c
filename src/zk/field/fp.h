// Fp: F = Z/p, p = 2^64 - 2^32 + 1 ("Goldilocks"), the field of the proof system.
//
// Place: zk/field, above nothing. Every value is canonical, 0 <= value() < p: two equal
// elements have equal bytes. docs/spec/field.md.
//
//   2^64 = 2^32 - 1 and 2^96 = -1 (mod p), so that
//   lo + 2^64 (l + 2^32 h) = lo - h + l (2^32 - 1)        l, h < 2^32
//
// Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace flair::zk {

__extension__ using Uint128 = unsigned __int128;

class Fp {
 public:
  static constexpr std::uint64_t kModulus = 0xFFFF'FFFF'0000'0001;
  static constexpr std::size_t kBytes = 8;        // little-endian
  static constexpr std::uint64_t kGenerator = 7;  // of F*, and no square
  static constexpr unsigned kTwoAdicity = 32;     // p - 1 = 2^32 (2^32 - 1)
  // 7^((p-1)/2^32): 1 has this root of order 2^32 and no more.
  static constexpr std::uint64_t kRoot32 = 1'753'635'133'440'165'772;

  constexpr Fp() = default;
  constexpr Fp(std::uint64_t v) : v_(v >= kModulus ? v - kModulus : v) {}  // NOLINT: v mod p
  // v as an integer: negative ones are p - |v|.
  static constexpr Fp FromInt(std::int64_t v) {
    return v >= 0 ? Fp(static_cast<std::uint64_t>(v)) : -Fp(-static_cast<std::uint64_t>(v));
  }
  // None unless v < p: what a file holds must have one spelling.
  static constexpr std::optional<Fp> FromCanonical(std::uint64_t v) {
    if (v >= kModulus) return std::nullopt;
    return Fp(v);
  }
  constexpr std::uint64_t value() const { return v_; }
  constexpr bool is_zero() const { return v_ == 0; }

  friend constexpr bool operator==(const Fp&, const Fp&) = default;
  friend constexpr Fp operator+(Fp a, Fp b) {
    const std::uint64_t sum = a.v_ + b.v_;  // < 2p < 2^65
    return Raw(sum < a.v_ || sum >= kModulus ? sum - kModulus : sum);
  }
  friend constexpr Fp operator-(Fp a, Fp b) {
    return Raw(a.v_ >= b.v_ ? a.v_ - b.v_ : a.v_ - b.v_ + kModulus);
  }
  constexpr Fp operator-() const { return Fp() - *this; }
  friend constexpr Fp operator*(Fp a, Fp b) { return Reduce(static_cast<Uint128>(a.v_) * b.v_); }
  constexpr Fp& operator+=(Fp b) { return *this = *this + b; }
  constexpr Fp& operator-=(Fp b) { return *this = *this - b; }
  constexpr Fp& operator*=(Fp b) { return *this = *this * b; }

  constexpr Fp Pow(std::uint64_t e) const {
    Fp result(1);
    for (Fp square = *this; e != 0; e >>= 1, square *= square) {
      if (e & 1) result *= square;
    }
    return result;
  }
  // REQUIRES: not zero (whose "inverse" is 0). x^(p-2) by Fermat.
  constexpr Fp Inverse() const { return Pow(kModulus - 2); }

 private:
  static constexpr Fp Raw(std::uint64_t v) {
    Fp x;
    x.v_ = v;
    return x;
  }
  static constexpr Fp Reduce(Uint128 x) {
    constexpr std::uint64_t kEpsilon = 0xFFFF'FFFF;  // 2^32 - 1
    const auto low = static_cast<std::uint64_t>(x);
    const auto high = static_cast<std::uint64_t>(x >> 64);
    const std::uint64_t h = high >> 32;
    const std::uint64_t l = high & kEpsilon;
    // A borrow is worth -2^64 = -epsilon; there is room for it, because low < h < 2^32 then.
    std::uint64_t t = low - h;
    if (low < h) t -= kEpsilon;
    const std::uint64_t m = l * kEpsilon;  // < 2^64 - 2^33 + 2
    std::uint64_t r = t + m;
    if (r < t) r += kEpsilon;  // cannot carry again: r < m here
    return Fp(r);
  }

  std::uint64_t v_ = 0;
};

// A root of 1 of order exactly 2^log_n. REQUIRES: log_n <= Fp::kTwoAdicity.
constexpr Fp RootOfUnity(unsigned log_n) {
  Fp root(Fp::kRoot32);
  for (unsigned i = log_n; i < Fp::kTwoAdicity; ++i) root *= root;
  return root;
}

}  // namespace flair::zk
