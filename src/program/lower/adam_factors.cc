// SPDX-License-Identifier: Apache-2.0
#include "program/lower/adam_factors.h"

#include <algorithm>
#include <bit>
#include <string>

#include "program/lower/optimiser.h"

namespace flair::program {
namespace {

constexpr std::int64_t kOne = std::int64_t{1} << 62;
constexpr std::int64_t kLargestFactor = std::int64_t{1} << 60;
constexpr std::int64_t kLargestEpsilon = std::int64_t{1} << 50;
// Steps beyond which a bound of the factors is looked for no further.
constexpr std::uint64_t kBoundedSteps = 4096;
constexpr std::int64_t kLeastForget = 1024;

Error Unsupported(std::string why) {
  return Error(ErrorCode::kUnsupported, "optimiser: " + std::move(why));
}

// floor(value 2^62), of 0 <= value < 1
std::int64_t InUnits(Rational value) {
  return static_cast<std::int64_t>((Int128{value.num} << 62) / value.den);
}

// floor(x y / 2^62), of 0 <= x, y <= 2^62
std::int64_t Product(std::int64_t x, std::int64_t y) {
  return static_cast<std::int64_t>(Int128{x} * y >> 62);
}

// x^n by squaring, from the highest bit of n; each product rounded down.
std::int64_t Power(std::int64_t x, std::uint64_t n) {
  std::int64_t power = kOne;
  for (int bit = static_cast<int>(std::bit_width(n)) - 1; bit >= 0; --bit) {
    power = Product(power, power);
    if ((n >> bit & 1) != 0) power = Product(power, x);
  }
  return power;
}

// The integer below the root of v < 2^124, bit by bit.
std::int64_t FloorRoot(Int128 v) {
  std::int64_t root = 0;
  for (int bit = 61; bit >= 0; --bit) {
    const std::int64_t next = root + (std::int64_t{1} << bit);
    if (Int128{next} * next <= v) root = next;
  }
  return root;
}

// round(v / 2^shift), half up, of 0 <= v < 2^126
Int128 Shifted(Int128 v, unsigned shift) {
  if (shift == 0) return v;
  return shift > 126 ? 0 : (v + (Int128{1} << (shift - 1))) >> shift;
}

}  // namespace

Result<AdamFactors> AdamFactors::Make(const Program& program) {
  const Rational beta1 = OptimiserFraction(program, "beta1");
  const Rational beta2 = OptimiserFraction(program, "beta2");
  const Rational eps = OptimiserFraction(program, "eps");
  const auto scale = [&](ProfileLine line) {
    return int{program.profile[static_cast<std::size_t>(line)].scale};
  };
  if (eps.num >= eps.den) return Unsupported("eps is not below 1");
  AdamFactors made;
  made.beta1_ = InUnits(beta1);
  made.beta2_ = InUnits(beta2);
  made.eps_ = InUnits(eps);
  made.keras_ = IsKeras(program);

  // The finest 1 - beta2 of 21 bits whose division leaves what lies above the cut whole.
  made.forget_scale_ = kSquareCut + 1;
  do {
    --made.forget_scale_;
    const Int128 twice = Int128{beta2.den - beta2.num} << (made.forget_scale_ + 1);
    made.forget_ = static_cast<std::int64_t>((twice + beta2.den) / (2 * Int128{beta2.den}));
  } while (made.forget_ >= std::int64_t{1} << 21);
  if (made.forget_ < kLeastForget) return Unsupported("beta2 is within 2^-30 of 1");
  if (kOne - made.beta1_ < std::int64_t{1} << 33) return Unsupported("beta1 is within 2^-29 of 1");

  // F = rate root / c1 2^-30 in units of u / m 2^(s + 3); E = eps root 2^-30 in units of 2^-(s +
  // 6).
  const int root_scale = scale(ProfileLine::kAdamGradient) + static_cast<int>(kRootShift);
  const int denominator =
      std::countr_zero(static_cast<std::uint64_t>(program.schedule.denominator));
  const int factor_shift = denominator + 30 - root_scale + scale(ProfileLine::kAdamMean) -
                           scale(ProfileLine::kAdamUpdate);
  if (factor_shift < 0) {
    return Unsupported("adam_update is too fine for learning rates in units of 1/" +
                       std::to_string(program.schedule.denominator));
  }
  made.factor_shift_ = static_cast<unsigned>(factor_shift);
  made.epsilon_shift_ = static_cast<unsigned>(62 + 30 - root_scale);

  const std::int64_t numerator = program.schedule.LargestNumerator();
  std::int64_t most = 0;
  for (std::uint64_t step = 0; step < kBoundedSteps; ++step) {
    most = std::max(most, made.FactorAt(numerator, step));
  }
  // Later ones have more of c1, and no more than all of c2; rounding may add one.
  const std::int64_t late = made.Factor(numerator, kOne - Power(made.beta1_, kBoundedSteps), kOne);
  made.largest_factor_ = std::max(most, late) + 1;
  made.largest_epsilon_ = made.Epsilon(kOne);
  if (made.largest_epsilon_ >= kLargestEpsilon) return Unsupported("eps is too large");
  return made;
}

// floor(sqrt(c2 / (1 - beta2)) 2^30)
std::int64_t AdamFactors::Root(std::int64_t c2) const {
  return FloorRoot((Int128{c2} << 60) / (kOne - beta2_));
}

std::int64_t AdamFactors::Factor(std::int64_t numerator, std::int64_t c1, std::int64_t c2) const {
  // sqrt(c2 / (1 - beta2)) <= sqrt(t) and 2^15, c1 >= 0.6 min(1, t 2^-29): below 2^64.
  const Int128 by_c1 = (Int128{Root(c2)} << 62) / c1;
  const Int128 factor = Shifted(numerator * by_c1, factor_shift_);
  return static_cast<std::int64_t>(std::min(factor, Int128{kLargestFactor}));
}

std::int64_t AdamFactors::Epsilon(std::int64_t c2) const {
  const Int128 epsilon = Shifted(Int128{eps_} * Root(c2), epsilon_shift_);
  return static_cast<std::int64_t>(std::clamp(epsilon, Int128{1}, Int128{kLargestFactor}));
}

std::int64_t AdamFactors::FactorAt(std::int64_t numerator, std::uint64_t step) const {
  return Factor(numerator, kOne - Power(beta1_, step + 1), kOne - Power(beta2_, step + 1));
}

std::int64_t AdamFactors::EpsilonAt(std::uint64_t step) const {
  return Epsilon(keras_ ? kOne : kOne - Power(beta2_, step + 1));
}

}  // namespace flair::program
