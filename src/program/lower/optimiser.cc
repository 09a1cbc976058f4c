// From gradients to the next weights: what all optimisers need. docs/spec/step.md has the
// identities.
// SPDX-License-Identifier: Apache-2.0
#include "program/lower/optimiser.h"

#include "program/lower/lowering.h"

namespace flair::program {

// The gradient over the parameter's axes; once there is one, what clipping left of it.
Result<Expression> Lowering::GradientOf(std::uint32_t parameter) {
  if (const auto made = clipped_.find(parameter); made != clipped_.end()) {
    const Unit unit = PowerOfTwo(-Line(ProfileLine::kUpdateGradient).scale);
    return ReadOf({b_.At(made->second), unit}, {b_[made->second].axes});
  }
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
  Expression g = axes_.Renamed(ValueOf(id), dims);
  g.dims = {b_[w].axes};
  return g;
}

Expression Lowering::WeightOf(std::uint32_t parameter) const {
  const circuit::ValueId w = made_.parameters[parameter];
  return ReadOf({b_.At(w), PowerOfTwo(p_.parameters[parameter].scale - 30)}, {b_[w].axes});
}

Expression Lowering::DecayOf(std::uint32_t parameter) const {
  Expression decay = WeightOf(parameter);
  const bool decays = p_.parameters[parameter].decay;
  Scale(decay, UnitOf(decays ? OptimiserFraction(p_, "weight_decay") : Rational{}));
  return decay;
}

Status Lowering::SetNext(circuit::ValueId state, const Expression& e, int scale) {
  FLAIR_TRY(const Scaled x, AddScaled(b_[state].name + ".next", e, scale));
  b_.DivideInto(state, x.form, x.divisor);
  return OkStatus();
}

Status Lowering::SetNextWeight(std::uint32_t parameter, const Expression& e) {
  if (slack_ && g_.gradients[parameter]) return SetRecordedWeight(parameter, e);
  return SetNext(made_.parameters[parameter], e, 30 - p_.parameters[parameter].scale);
}

Expression Lowering::NextOf(circuit::ValueId state, Unit unit) const {
  circuit::Read next = b_.At(state);
  next.moment = circuit::Moment::kNext;
  return ReadOf({next, unit}, {b_[state].axes});
}

circuit::ValueId Lowering::AddOptimiserState(std::uint32_t parameter, const char* part,
                                             const circuit::Width& width) {
  const circuit::ValueId w = made_.parameters[parameter];
  const circuit::ValueId state = b_.AddState(p_.parameters[parameter].name + part, b_[w].axes,
                                             width, circuit::Carried::Role::kState);
  made_.states.push_back({state, parameter});
  return state;
}

circuit::ValueId Lowering::AddScalar(const char* name, PublicInput::Kind kind, std::int64_t lo,
                                     std::int64_t hi) {
  const circuit::ValueId value = b_.AddPublic(name, {}, lo, hi);
  made_.publics.push_back({.value = value, .kind = kind});
  return value;
}

Status Lowering::LowerOptimiser() {
  FLAIR_DO(LowerClip());
  const bool is_sgd = CodeOfOptimiser(p_) == OptimiserCode::kSgd;
  FLAIR_DO(is_sgd ? PrepareSgd() : PrepareAdam());
  for (std::uint32_t i = 0; i < p_.parameters.size(); ++i) {
    if (!g_.gradients[i]) {
      FLAIR_DO(SetNextWeight(i, WeightOf(i)));
    } else {
      FLAIR_DO(is_sgd ? LowerSgd(i) : LowerAdam(i));
    }
  }
  return OkStatus();
}

}  // namespace flair::program
