// Adam and AdamW. docs/spec/step.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "circuit/gadgets/ratio.h"
#include "circuit/gadgets/root.h"
#include "circuit/gadgets/terms.h"
#include "program/lower/adam_factors.h"
#include "program/lower/lowering.h"
#include "program/lower/optimiser.h"

namespace flair::program {

Status Lowering::PrepareAdam() {
  FLAIR_TRY(made_.adam, AdamFactors::Make(p_));
  // |F m'| < 3/4 2^60, or the quotient's identity could pass Rule Z, in terms of nobody's making.
  if (made_.adam->LargestFactor() >= std::int64_t{3} << (59 - Line(ProfileLine::kAdamMean).bits)) {
    return Error(
        ErrorCode::kUnsupported,
        "optimiser: its learning rates need fewer bits in the profile's line adam_mean, or "
        "a smaller scale in adam_update");
  }
  factor_ =
      AddScalar("adam's factor", PublicInput::Kind::kAdamFactor, 0, made_.adam->LargestFactor());
  epsilon_ =
      AddScalar("adam's epsilon", PublicInput::Kind::kAdamEpsilon, 1, made_.adam->LargestEpsilon());
  const bool decoupled = IsKeras(p_) || CodeOfOptimiser(p_) == OptimiserCode::kAdamW;
  return decoupled ? PrepareDecay() : OkStatus();
}

// g rounded, m' = round(beta1 m + (1 - beta1) g), u = round(F m' / D), W' = W - u - decayed, or the
// decay is part of g.
Status Lowering::LowerAdam(std::uint32_t parameter) {
  const std::string& name = p_.parameters[parameter].name;
  const Format gradient = Line(ProfileLine::kAdamGradient), mean = Line(ProfileLine::kAdamMean);
  const Format update = Line(ProfileLine::kAdamUpdate);
  const Axes axes = b_[made_.parameters[parameter]].axes;
  const bool decoupled = IsKeras(p_) || CodeOfOptimiser(p_) == OptimiserCode::kAdamW;
  FLAIR_TRY(const Expression g, decoupled ? GradientOf(parameter) : DecayedGradient(parameter));
  FLAIR_TRY(const Scaled exact, AddScaled(name + ".gradient", g, gradient.scale));
  const circuit::ValueId rounded =
      b_.Divide(name + ".gradient", exact.form, exact.divisor,
                circuit::Signed(gradient.bits, LimbBits(), "adam_gradient"));

  const circuit::ValueId m =
      AddOptimiserState(parameter, ".mean", circuit::Signed(mean.bits, LimbBits(), "adam_mean"));
  const Unit beta1 = UnitOf(OptimiserFraction(p_, "beta1"));
  const Unit share = Plus(Unit{}, Minus(beta1));
  Expression next = ReadOf({b_.At(rounded), Times(PowerOfTwo(-gradient.scale), share)}, {axes});
  if (!beta1.is_zero()) {
    AddTo(next, ReadOf({b_.At(m), Times(PowerOfTwo(-mean.scale), beta1)}, {axes}));
  }
  FLAIR_DO(SetNext(m, next, mean.scale));

  const circuit::ValueId root = RootOfSquares(parameter, rounded);
  const circuit::ValueId divisor = DivisorOf(parameter, root);
  circuit::Term dividend = circuit::Times(1, NextOf(m, Unit{}).pieces[0].factors);
  dividend.factors.push_back(b_.At(*factor_));
  const circuit::ValueId u = circuit::Ratio(
      b_, name + ".update", b_.AddForm(name + ".dividend", axes, {.terms = {std::move(dividend)}}),
      divisor, circuit::Signed(update.bits, LimbBits(), "adam_update"));

  FLAIR_TRY(Expression e, Decayed(parameter));
  AddTo(e, ReadOf({b_.At(u), Minus(PowerOfTwo(-update.scale))}, {axes}));
  return SetNextWeight(parameter, e);
}

// The state v' = v + g^2 - round(forget v / 2^forget_scale), and floor(sqrt(v')). v = 2^40 h + l:
// of h the division leaves no remainder, and forget l has less than 62 bits.
circuit::ValueId Lowering::RootOfSquares(std::uint32_t parameter, circuit::ValueId g) {
  const std::string name = p_.parameters[parameter].name + ".squares";
  const std::int64_t forget = made_.adam->forget();
  const unsigned scale = made_.adam->forget_scale();
  circuit::Width width =
      circuit::Unsigned(kSquareBits, LimbBits(), "the unit of the profile's line 'adam_gradient'");
  width.cut = kSquareCut;
  const circuit::ValueId v = AddOptimiserState(parameter, ".squares", width);
  const Axes axes = b_[v].axes;
  circuit::Form low, next;
  unsigned below = 0;
  const std::vector<unsigned> limbs = b_[v].number.limb_bits;
  for (std::size_t i = 0; i < limbs.size(); below += limbs[i++]) {
    circuit::Read part = b_.At(v);
    part.limb = static_cast<int>(i);
    if (below < kSquareCut) {
      low.terms.push_back(circuit::Times(forget << below, {part}));
    } else {
      next.terms.push_back(circuit::Times(-(forget << (below - scale)), {part}));
    }
  }
  const circuit::ValueId exact = b_.AddForm(name + ".low", axes, std::move(low));
  const auto most =
      static_cast<std::uint64_t>((b_[exact].hi + (std::int64_t{1} << (scale - 1))) >> scale);
  const circuit::ValueId forgotten =
      b_.Round(name + ".forgotten", exact, scale,
               circuit::Unsigned(static_cast<unsigned>(std::bit_width(most)), LimbBits(), ""));
  next.terms.push_back(circuit::Times(1, {b_.At(v)}));
  next.terms.push_back(circuit::Times(1, {b_.At(g), b_.At(g)}));
  next.terms.push_back(circuit::Times(-1, {b_.At(forgotten)}));
  b_.DivideInto(v, b_.AddForm(name + ".next", axes, std::move(next)), 1);
  const circuit::ValueId after = b_.AddForm(
      name + ".after", axes, {.terms = {circuit::Times(1, NextOf(v, Unit{}).pieces[0].factors)}});
  return circuit::Root(b_, p_.parameters[parameter].name + ".root", after,
                       circuit::Unsigned(kSquareBits / 2, LimbBits(), ""));
}

// D = 2^3 q + E >= 1. E is public, and a term needs a factor that is none: a form of ones.
circuit::ValueId Lowering::DivisorOf(std::uint32_t parameter, circuit::ValueId root) {
  const std::string& name = p_.parameters[parameter].name;
  const Axes axes = b_[root].axes;
  const circuit::ValueId one = b_.AddForm(name + ".one", axes, {.terms = {}, .constant = 1});
  return b_.AddForm(name + ".divisor", axes,
                    {.terms = {circuit::Times(std::int64_t{1} << kRootShift, {b_.At(root)}),
                               circuit::Times(1, {b_.At(one), b_.At(*epsilon_)})}});
}

}  // namespace flair::program
