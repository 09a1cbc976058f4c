// Softmax with cross-entropy. The loss itself is no part of a step: its gradient is.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "circuit/gadgets/exponential.h"
#include "circuit/gadgets/softmax.h"
#include "program/lower/lowering.h"

namespace flair::program {

circuit::ValueId Lowering::OneHotOf(NodeId label, Axes classes) {
  Dims sizes;
  std::set<AxisId> used(classes.begin(), classes.end());
  for (AxisId& axis : classes) {
    sizes.push_back(b_.axis(axis).size);
    // Logits may have the batch's axis for their classes.
    if (axis == *batch_) axis = axes_.OfSize(sizes.back(), used);
    used.insert(axis);
  }
  const auto key = std::make_pair(label, std::move(sizes));
  if (const auto made = onehots_.find(key); made != onehots_.end()) return made->second;
  const Column& column = p_.columns[g_[label].index];
  auto& number = made_.columns[g_[label].index];
  if (!number) {
    number = b_.AddData(column.name, {*batch_},
                        circuit::Unsigned(static_cast<unsigned>(std::bit_width(column.classes - 1)),
                                          LimbBits(), ""),
                        g_[label].index);
  }
  const circuit::ValueId places =
      b_.AddPublic(column.name + ".places", classes, 0, std::int64_t{column.classes} - 1);
  made_.publics.push_back({.value = places, .kind = PublicInput::Kind::kPlaces});
  return onehots_[key] = circuit::OneHot(b_, column.name + ".onehot", *number, classes, places);
}

// alpha (softmax(z) - onehot)
Status Lowering::LowerCrossEntropyGrad(NodeId id) {
  const NodeId logits = g_[id].inputs[0];
  const Expression& z = ValueOf(logits);
  const Format logit = Line(ProfileLine::kLogit);
  const unsigned bits = Line(ProfileLine::kProbability).bits;
  const NodeFormat activation = FormatOf(logits);
  if (z.is_constant()) return Unsupported(id, "cross_entropy of a constant");
  if (z.dims[1].empty()) return Unsupported(id, "cross_entropy of one class");
  const std::string& name = g_[logits].name;
  if (!exponentials_) {
    exponentials_ = circuit::AddExponentials(b_, logit.bits, logit.scale, bits);
  }
  made_.logits.push_back(logits);
  FLAIR_TRY(const Scaled x, AddScaled(name + ".logits", z, logit.scale));
  const int whole = activation.format.bits - activation.format.scale;  // bits above the point
  const auto maximum_bits = static_cast<unsigned>(std::max(2, whole + logit.scale));
  const circuit::ValueId p = circuit::Softmax(
      b_, name + ".softmax", x.form, x.divisor, z.dims[0], z.dims[1], *exponentials_,
      {.distance = circuit::Unsigned(logit.bits, logit.bits, "logit"),
       .maximum = circuit::Signed(maximum_bits, LimbBits(), activation.line),
       .probability_bits = bits,
       .limb_bits = LimbBits()});
  const circuit::ValueId onehot = OneHotOf(g_[id].inputs[1], z.dims[1]);
  const Unit alpha = UnitOf(g_[id].alpha);
  const Axes axes = Flat(z.dims);
  Axes of_onehot = axes;
  if (z.dims[0].empty()) of_onehot.insert(of_onehot.begin(), *batch_);
  Expression e =
      ReadOf({b_.As(p, axes), Times(alpha, PowerOfTwo(-static_cast<int>(bits)))}, z.dims);
  e.pieces.push_back(
      {.unit = Times(alpha, MakeUnit(-1, 1, 0)), .factors = {b_.As(onehot, of_onehot)}});
  ValueOf(id) = std::move(e);
  return OkStatus();
}

}  // namespace flair::program
