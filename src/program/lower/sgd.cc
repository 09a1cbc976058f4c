// Gradient descent, with momentum or without. docs/spec/step.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#include "program/lower/lowering.h"
#include "program/lower/optimiser.h"

namespace flair::program {

Status Lowering::PrepareSgd() {
  const Rational dampening = OptimiserFraction(p_, "dampening");
  if (dampening.num == 0) return OkStatus();
  if (IsKeras(p_)) {
    return Error(ErrorCode::kUnsupported, "optimiser: keras' sgd has no dampening");
  }
  if (OptimiserFraction(p_, "momentum").num == 0) return OkStatus();  // it dampens nothing
  made_.dampening = dampening;
  share_ = AddScalar("gradient's share", PublicInput::Kind::kGradientShare, 0, dampening.den);
  return OkStatus();
}

// torch: g = G + decay W; b' = mu b + share g; W' = W - rate (b', or g + mu b' by Nesterov)
// keras: m' = mu m - rate G; W' = W - rate decay W + (m', or mu m' - rate G by Nesterov)
// Without momentum both are W' = W - rate (G + decay W).
Status Lowering::LowerSgd(std::uint32_t parameter) {
  const Rational mu = OptimiserFraction(p_, "momentum");
  const bool nesterov = OptimiserIs(p_, "nesterov");
  FLAIR_TRY(Expression g, GradientOf(parameter));
  Expression e = WeightOf(parameter);
  if (mu.num == 0) {
    AddTo(g, DecayOf(parameter));
    AddTo(e, Descent(std::move(g)));
    return SetNextWeight(parameter, e);
  }
  const Format format = Line(ProfileLine::kMomentum);
  const circuit::ValueId b = AddOptimiserState(
      parameter, ".momentum", circuit::Signed(format.bits, LimbBits(), "momentum"));
  const Unit unit = PowerOfTwo(-format.scale), by_mu = Times(unit, UnitOf(mu));
  const Expression after = NextOf(b, nesterov ? by_mu : unit);
  Expression next = ReadOf({b_.At(b), by_mu}, {b_[b].axes});
  if (IsKeras(p_)) {
    g = Descent(std::move(g));
    AddTo(next, g);
    AddTo(e, Descent(DecayOf(parameter)));
    AddTo(e, after);
    if (nesterov) AddTo(e, g);
  } else {
    AddTo(g, DecayOf(parameter));
    Expression shared = g;
    if (share_) Multiply(shared, MakeUnit(1, made_.dampening.den, 0), b_.At(*share_));
    AddTo(next, shared);
    AddTo(e, Descent(after));
    if (nesterov) AddTo(e, Descent(g));
  }
  FLAIR_DO(SetNext(b, next, format.scale));
  return SetNextWeight(parameter, e);
}

}  // namespace flair::program
