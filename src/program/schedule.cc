// SPDX-License-Identifier: Apache-2.0
#include "program/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace flair::program {
namespace {

Error TooFine() {
  return Error(ErrorCode::kInvalidArgument, "the learning rates have no common denominator");
}

}  // namespace

Rates::Rates(const Schedule& schedule) {
  std::uint64_t end = 0;
  for (const Schedule::Piece& piece : schedule.pieces) {
    numerators_.push_back(piece.numerator);
    if (piece.steps == 0) break;
    ends_.push_back(end += piece.steps);
  }
}

std::int64_t Rates::NumeratorAt(std::uint64_t step) const {
  const auto ended = std::upper_bound(ends_.begin(), ends_.end(), step) - ends_.begin();
  return numerators_[std::min(static_cast<std::size_t>(ended), numerators_.size() - 1)];
}

Result<Schedule> MakeSchedule(std::span<const Rational> rates,
                              std::span<const std::uint64_t> steps) {
  Schedule s;
  for (const Rational& rate : rates) {
    const auto common =
        MakeRational(Int128{s.denominator} * (rate.den / std::gcd(s.denominator, rate.den)), 1);
    if (!common) return TooFine();
    s.denominator = common->num;
  }
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const auto numerator = MakeRational(Int128{rates[i].num} * (s.denominator / rates[i].den), 1);
    if (!numerator) return TooFine();
    if (s.pieces.empty() || s.pieces.back().numerator != numerator->num) {
      s.pieces.push_back({steps[i], numerator->num});
    } else {
      s.pieces.back().steps = steps[i] == 0 ? 0 : s.pieces.back().steps + steps[i];
    }
  }
  return s;
}

Result<Schedule> ConstantSchedule(Rational rate) {
  const std::uint64_t for_ever = 0;
  return MakeSchedule(std::span(&rate, 1), std::span(&for_ever, 1));
}

Result<Schedule> StepSchedule(Rational rate, Rational factor, std::uint64_t every,
                              std::size_t drops) {
  std::vector<Rational> rates = {rate};
  std::vector<std::uint64_t> steps;
  for (std::size_t i = 0; i < drops; ++i) {
    const auto next = Multiply(rates.back(), factor);
    if (!next) return TooFine();
    rates.push_back(*next);
    steps.push_back(every);
  }
  steps.push_back(0);
  return MakeSchedule(rates, steps);
}

Result<Schedule> CosineSchedule(Rational rate, std::uint64_t steps, unsigned denominator_bits) {
  if (denominator_bits > 40 || steps > (1U << 20)) {
    return Error(ErrorCode::kInvalidArgument, "a cosine has at most 2^20 steps of 2^-40");
  }
  std::vector<Rational> rates;
  std::vector<std::uint64_t> counts;
  const auto denominator = std::int64_t{1} << denominator_bits;
  for (std::uint64_t t = 0; t <= steps; ++t) {
    const double angle = std::numbers::pi * static_cast<double>(t) /
                         static_cast<double>(std::max<std::uint64_t>(steps, 1));
    const double value = rate.AsDouble() * (1 + std::cos(angle)) / 2;
    const auto exact =
        MakeRational(std::llround(value * static_cast<double>(denominator)), denominator);
    if (!exact) return TooFine();
    rates.push_back(*exact);
    counts.push_back(t == steps ? 0 : 1);
  }
  return MakeSchedule(rates, counts);
}

}  // namespace flair::program
