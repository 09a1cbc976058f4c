// Gradient descent, with momentum or without. docs/spec/step.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "program/lower/lowering.h"
#include "program/lower/optimiser.h"

namespace flair::program {

Status Lowering::PrepareSgd() {
  if (OptimiserFraction(p_, "momentum").num != 0 && IsKeras(p_)) FLAIR_DO(PrepareDecay());
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

// torch: g = round(G + decay W); b' = mu b + share g; W' = W - rate (b', or g + mu b' by Nesterov)
// keras: h = round(rate G); m' = mu m - h; W' = W - decayed + (m', or mu m' - h by Nesterov)
// Without momentum both are W' = W - rate (G + decay W).
Status Lowering::LowerSgd(std::uint32_t parameter) {
  const Rational mu = OptimiserFraction(p_, "momentum");
  const bool nesterov = OptimiserIs(p_, "nesterov"), keras = IsKeras(p_);
  const std::string& name = p_.parameters[parameter].name;
  if (mu.num == 0) {
    FLAIR_TRY(Expression x, DecayedGradient(parameter));
    return Descend(parameter, std::move(x));
  }
  const Format format = Line(ProfileLine::kMomentum);
  FLAIR_TRY(Expression g, keras ? GradientOf(parameter) : DecayedGradient(parameter));
  FLAIR_TRY(g, keras ? RateTimes(name + ".step", g)
                     : Rounded(name + ".gradient", g, ProfileLine::kUpdateGradient));
  const circuit::ValueId b = AddOptimiserState(
      parameter, ".momentum", circuit::Signed(format.bits, LimbBits(), "momentum"));
  const Unit unit = PowerOfTwo(-format.scale), by_mu = Times(unit, UnitOf(mu));
  Expression next = ReadOf({b_.At(b), by_mu}, {b_[b].axes});
  Expression shared = g;
  if (keras) Scale(shared, Minus(Unit{}));
  if (share_) Multiply(shared, MakeUnit(1, made_.dampening.den, 0), b_.At(*share_));
  AddTo(next, shared);
  FLAIR_DO(SetNext(b, next, format.scale));

  Expression move = NextOf(b, nesterov ? by_mu : unit);
  if (nesterov) AddTo(move, keras ? shared : g);
  if (!keras) return Descend(parameter, std::move(move));
  FLAIR_TRY(Expression e, Decayed(parameter));
  AddTo(e, move);
  return SetNextWeight(parameter, e);
}

}  // namespace flair::program
