// A step of a weight along a direction, by the learning rate: rounded at once where that can be,
// else number by number. docs/spec/step.md has the rules.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <utility>

#include "program/lower/lowering.h"
#include "program/lower/optimiser.h"

namespace flair::program {

// G + decay W. Of a G of many bits the sum could not be rounded any more: it is rounded itself.
Result<Expression> Lowering::DecayedGradient(std::uint32_t parameter) {
  FLAIR_TRY(Expression g, GradientOf(parameter));
  const Expression decay = DecayOf(parameter);
  if (decay.pieces.empty()) return g;
  const Format format = Line(ProfileLine::kUpdateGradient);
  Expression all = g;
  AddTo(all, decay);
  // The identity adds up the number's range times the divisor, the sum and a remainder.
  const auto sum = SumOf(all, format.scale);
  if (sum && sum->divisor <= std::int64_t{1} << (61 - format.bits) &&
      sum->most <= std::int64_t{1} << 61) {
    return all;
  }
  FLAIR_TRY(g, Rounded(p_.parameters[parameter].name + ".gradient.exact", g,
                       ProfileLine::kUpdateGradient));
  AddTo(g, decay);
  return g;
}

// rate e, the rate a public numerator over the schedule's denominator.
Expression Lowering::ByRate(Expression e) const {
  Multiply(e, MakeUnit(1, p_.schedule.denominator, 0), b_.At(*rate_));
  return e;
}

// What a sum is as integers, unless it passes Rule Z.
std::optional<Lowering::Sum> Lowering::SumOf(const Expression& e, int scale) const {
  const auto integers = AsIntegers(e, scale);
  if (!integers) return std::nullopt;
  const auto extent = b_.ExtentOf(Flat(e.dims), integers->form);
  if (!extent.fits) return std::nullopt;
  return Sum{.divisor = integers->divisor, .most = std::max(-extent.lo, extent.hi)};
}

// A number of the line's format that is `e`, rounded; itself where it is one already.
Result<Expression> Lowering::Rounded(const std::string& name, const Expression& e,
                                     ProfileLine line) {
  const Format format = Line(line);
  const Unit unit = PowerOfTwo(-format.scale);
  if (const auto one = AsOneRead(e); one && one->unit == unit) {
    const circuit::Value& value = b_[one->read.value];
    const bool is_number = value.kind == circuit::Value::Kind::kNumber;
    if (is_number && value.lo >= format.lo() && value.hi <= format.hi()) return e;
  }
  FLAIR_TRY(const Scaled x, AddScaled(name, e, format.scale));
  const circuit::ValueId made =
      b_.Divide(name, x.form, x.divisor,
                circuit::Signed(format.bits, LimbBits(), std::string(InfoOf(line).name)));
  return ReadOf({b_.At(made), unit}, e.dims);
}

// W' = W - rate x, rounded once. Where that sum has too many bits, x is rounded first, and where it
// still has, rate x.
Status Lowering::Descend(std::uint32_t parameter, Expression x) {
  const Parameter& p = p_.parameters[parameter];
  const auto less = [&](Expression step) {
    Expression e = WeightOf(parameter);
    Scale(step, Minus(Unit{}));
    AddTo(e, step);
    return e;
  };
  // The identity adds up 2^31 divisors, the sum and a remainder.
  const auto fits = [&](const Expression& e) {
    const auto sum = SumOf(e, 30 - p.scale);
    return sum && sum->divisor <= std::int64_t{1} << 29 && sum->most <= std::int64_t{1} << 61;
  };
  if (!fits(less(ByRate(x)))) {
    FLAIR_TRY(x, Rounded(p.name + ".direction", x, ProfileLine::kUpdateGradient));
  }
  Expression next = less(ByRate(x));
  if (!fits(next)) {
    FLAIR_TRY(Expression step, RateTimes(p.name + ".step", x));
    next = less(std::move(step));
  }
  return SetNextWeight(parameter, next);
}

// round(rate x) in the unit of a momentum, of as many bits as it needs; an x that has too many is
// rounded first.
Result<Expression> Lowering::RateTimes(const std::string& name, Expression x) {
  const int scale = Line(ProfileLine::kMomentum).scale;
  const auto exact = SumOf(ByRate(x), scale);
  if (!exact || exact->divisor > std::int64_t{1} << 58 || exact->most > std::int64_t{1} << 60) {
    FLAIR_TRY(x, Rounded(name + ".direction", x, ProfileLine::kUpdateGradient));
  }
  FLAIR_TRY(const Scaled step, AddScaled(name, ByRate(std::move(x)), scale));
  const circuit::Value& value = b_[step.form];
  const auto most = static_cast<std::uint64_t>(std::max(-value.lo, value.hi) / step.divisor + 1);
  const circuit::ValueId made =
      b_.Divide(name, step.form, step.divisor,
                circuit::Signed(static_cast<unsigned>(std::bit_width(most)) + 1, LimbBits(), ""));
  return ReadOf({b_.At(made), PowerOfTwo(-scale)}, {b_[made].axes});
}

// Decay that is no part of the gradient: W - round(W factor / 2^36).
Status Lowering::PrepareDecay() {
  const Rational decay = OptimiserFraction(p_, "weight_decay");
  if (decay.num == 0) return OkStatus();
  if (decay.num >= decay.den) {
    return Error(ErrorCode::kUnsupported, "optimiser: weight_decay is not below 1");
  }
  made_.decay = static_cast<std::int64_t>((Int128{decay.num} << 62) / decay.den);
  decay_ = AddScalar("decay", PublicInput::Kind::kDecay, 0,
                     DecayFactor(made_, p_.schedule.LargestNumerator()));
  return OkStatus();
}

Result<Expression> Lowering::Decayed(std::uint32_t parameter) {
  const Parameter& p = p_.parameters[parameter];
  Expression e = WeightOf(parameter);
  if (!decay_ || !p.decay) return e;
  const circuit::ValueId w = made_.parameters[parameter];
  const circuit::ValueId exact = b_.AddForm(p.name + ".decay", b_[w].axes,
                                            {.terms = {{.factors = {b_.At(w), b_.At(*decay_)}}}});
  // |W| <= 2^31
  const auto most = static_cast<std::uint64_t>((-(b_[exact].lo + 1) >> kDecayScale) + 2);
  const circuit::ValueId decay =
      b_.Round(p.name + ".decay", exact, kDecayScale,
               circuit::Signed(static_cast<unsigned>(std::bit_width(most)) + 1, LimbBits(), ""));
  AddTo(e, ReadOf({b_.At(decay), Minus(PowerOfTwo(p.scale - 30))}, e.dims));
  return e;
}

}  // namespace flair::program
