// From gradients to the next weights.
// SPDX-License-Identifier: Apache-2.0
#include "program/lower/lowering.h"

namespace flair::program {
namespace {

Rational AttributeNamed(const Program& program, std::string_view name) {
  return AttributeOf(Optimisers(), program.optimiser, name).rational();
}

}  // namespace

// The gradient over the parameter's axes.
Result<Expression> Lowering::GradientOf(std::uint32_t parameter) {
  const NodeId id = *g_.gradients[parameter];
  const circuit::ValueId w = made_.parameters[parameter];
  if (!ValueOf(id).constant.is_zero()) {
    return Unsupported(id, "a gradient with a constant part");
  }
  AxesOfDims dims;
  std::size_t next = 0;
  for (const Axes& axes : ValueOf(id).dims) {
    dims.emplace_back();
    for (std::size_t i = 0; i < axes.size(); ++i) dims.back().push_back(b_[w].axes[next++]);
  }
  return axes_.Renamed(ValueOf(id), dims);
}

Status Lowering::LowerOptimiser() {
  if (static_cast<OptimiserCode>(p_.optimiser.code) != OptimiserCode::kSgd) {
    return Error(ErrorCode::kUnsupported, "this build lowers no optimiser but sgd");
  }
  if (AttributeNamed(p_, "momentum").num != 0) {
    return Error(ErrorCode::kUnsupported, "this build lowers no momentum");
  }
  if (static_cast<ClipCode>(p_.clip.code) != ClipCode::kNone) {
    return Error(ErrorCode::kUnsupported, "this build lowers no clipping");
  }
  for (std::uint32_t i = 0; i < p_.parameters.size(); ++i) FLAIR_DO(LowerSgd(i));
  return OkStatus();
}

// W' = round(W - a/b (G + decay W)), a the rate's numerator in this step.
Status Lowering::LowerSgd(std::uint32_t parameter) {
  const Parameter& p = p_.parameters[parameter];
  const circuit::ValueId w = made_.parameters[parameter];
  const Unit unit = PowerOfTwo(p.scale - 30);
  Expression e = ReadOf({b_.At(w), unit}, {b_[w].axes});
  if (g_.gradients[parameter]) {
    FLAIR_TRY(Expression g, GradientOf(parameter));
    const Rational decay = AttributeNamed(p_, "weight_decay");
    if (p.decay && decay.num != 0) {
      g.pieces.push_back({.unit = Times(unit, UnitOf(decay)), .factors = {b_.At(w)}});
    }
    Scale(g, MakeUnit(-1, p_.schedule.denominator, 0));
    for (Piece& piece : g.pieces) piece.factors.push_back(b_.At(*rate_));
    AddTo(e, g);
  }
  FLAIR_TRY(const Scaled x, AddScaled(p.name + ".next", e, 30 - p.scale));
  b_.DivideInto(w, x.form, x.divisor);
  return OkStatus();
}

}  // namespace flair::program
