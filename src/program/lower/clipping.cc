// Clipping by the norm of all gradients together. docs/spec/step.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>

#include "circuit/gadgets/root.h"
#include "circuit/gadgets/terms.h"
#include "program/lower/lowering.h"
#include "program/lower/optimiser.h"

namespace flair::program {
namespace {

constexpr unsigned kNormBits = 30;  // of a norm
constexpr unsigned kSumBits = 60;   // of its square: sums of squares stay below
constexpr unsigned kCoefficientBits = 28;
constexpr std::int64_t kMillion = 1'000'000;

// round(value 2^scale), half up
Int128 InUnits(Rational value, int scale) {
  return ((Int128{value.num} << (scale + 1)) + value.den) / (2 * Int128{value.den});
}

}  // namespace

// g of every parameter, rounded: what lies above its low bits is squared, by the middle of the
// cell, c = 2 floor(g / 2^cut) + 1 in halves of the norm's unit.
Status Lowering::LowerClip() {
  if (static_cast<ClipCode>(p_.clip.code) == ClipCode::kNone) return OkStatus();
  const Format format = Line(ProfileLine::kUpdateGradient), norm = Line(ProfileLine::kClipNorm);
  const int cut = format.scale - norm.scale;
  if (cut < 1 || cut >= format.bits || norm.scale < 0) {
    return Error(ErrorCode::kUnsupported,
                 "profile: the scale of clip_norm is 0 or more, and below that of update_gradient");
  }
  circuit::Width width = circuit::Signed(format.bits, LimbBits(), "update_gradient");
  width.cut = static_cast<unsigned>(cut);
  for (std::uint32_t i = 0; i < p_.parameters.size(); ++i) {
    if (!g_.gradients[i]) continue;
    FLAIR_TRY(const Expression g, GradientOf(i));
    const std::string name = p_.parameters[i].name + ".unclipped";
    FLAIR_TRY(const Scaled exact, AddScaled(name, g, format.scale));
    clipped_[i] = b_.Divide(name, exact.form, exact.divisor, width);
  }
  if (clipped_.empty()) return OkStatus();
  FLAIR_TRY(const Operand coefficient, ClipCoefficient(SumOfSquares(cut)));
  for (auto& [parameter, g] : clipped_) {
    const Expression e{.dims = {b_[g].axes},
                       .pieces = {{.unit = Times(coefficient.unit, PowerOfTwo(-format.scale)),
                                   .factors = {b_.At(g), coefficient.read}}}};
    const std::string name = p_.parameters[parameter].name + ".clipped";
    FLAIR_TRY(const Scaled x, AddScaled(name, e, format.scale));
    g = b_.Divide(name, x.form, x.divisor,
                  circuit::Signed(format.bits, LimbBits(), "update_gradient"));
  }
  return OkStatus();
}

// The sum of all c^2, below 2^60. Ranges alone would let it pass any integer: as many cells as
// cannot are added up into a number, and the numbers have the bits that their count leaves them.
circuit::ValueId Lowering::SumOfSquares(int cut) {
  const auto of_c = static_cast<unsigned>(Line(ProfileLine::kUpdateGradient).bits - cut);
  const std::uint64_t together = std::uint64_t{1} << (kSumBits - std::min(2 * of_c, kSumBits));
  std::vector<circuit::ValueId> parts;
  std::uint64_t count = 0;
  for (const auto& [parameter, g] : clipped_) {
    const std::string name = p_.parameters[parameter].name + ".squares";
    const circuit::ValueId c = MiddleOfCell(g, static_cast<unsigned>(cut));
    Axes kept;
    std::uint64_t summed = 1;
    for (std::size_t i = b_[g].axes.size(); i-- > 0;) {
      const AxisId axis = b_[g].axes[i];
      if (summed * b_.axis(axis).size <= together) {
        summed *= b_.axis(axis).size;
      } else {
        kept.insert(kept.begin(), axis);
      }
    }
    parts.push_back(b_.AddForm(name, kept, {.terms = {circuit::Times(1, {b_.At(c), b_.At(c)})}}));
    std::uint64_t cells = 1;
    for (const AxisId axis : kept) cells *= b_.axis(axis).size;
    count += cells;
  }
  const auto taken = static_cast<unsigned>(std::bit_width(count));
  circuit::Form sum;
  for (const circuit::ValueId part : parts) {
    const std::string name = b_[part].name;  // values move when one is added
    const circuit::ValueId bounded = b_.Divide(
        name, part, 1,
        circuit::Unsigned(kSumBits - std::min(taken, kSumBits - 1), LimbBits(), "clip_norm"));
    sum.terms.push_back(circuit::Times(1, {b_.At(bounded)}));
  }
  return b_.AddForm("gradient norm.square", {}, std::move(sum));
}

// min(1, limit / (norm + 10^-6)), Keras without the millionth: floor(2^f L / max(L, N + e)).
Result<Operand> Lowering::ClipCoefficient(circuit::ValueId square) {
  const Format norm = Line(ProfileLine::kClipNorm);
  const std::string line(InfoOf(ProfileLine::kClipNorm).name);
  const Rational limit = AttributeOf(Clips(), p_.clip, "limit").rational();
  const int scale = norm.scale + 1;  // of c and of the norm
  const Int128 units = InUnits(limit, scale);
  if (units < 1 || units >= Int128{1} << kNormBits) {
    return Error(ErrorCode::kUnsupported, "clip: the limit " + ToText(limit) +
                                              " is no norm in the profile's line clip_norm");
  }
  const auto least = static_cast<std::int64_t>(units);
  const auto extra =
      IsKeras(p_) ? 0 : static_cast<std::int64_t>(InUnits({.num = 1, .den = kMillion}, scale));
  const circuit::ValueId n = circuit::Root(
      b_, "gradient norm", square,
      circuit::Unsigned(std::min<unsigned>(norm.bits - 1U, kNormBits), LimbBits(), line));
  const circuit::ValueId above =
      b_.AddForm("gradient norm.above", {},
                 {.terms = {circuit::Times(1, {b_.At(n)})}, .constant = extra - least});
  const auto most = static_cast<std::uint64_t>(std::max(b_[above].hi, -b_[above].lo) + 1);
  const auto excess = b_.DivideSigned(
      "gradient norm.excess", above, 1,
      circuit::Signable(static_cast<unsigned>(std::bit_width(most)) + 1, LimbBits(), line));
  const circuit::ValueId divisor =
      b_.AddForm("gradient norm.divisor", {},
                 {.terms = {circuit::Times(1, {b_.At(excess.positive), b_.At(excess.value)})},
                  .constant = least});
  // The gradient times the coefficient is below 2^61.
  const unsigned f = std::min(
      kCoefficientBits, 61U - std::min<unsigned>(Line(ProfileLine::kUpdateGradient).bits, 60));
  const circuit::ValueId q = circuit::Reciprocal(b_, "clip coefficient", divisor, least << f,
                                                 circuit::Unsigned(f + 1, LimbBits(), line));
  return Operand{b_.At(q), PowerOfTwo(-static_cast<int>(f))};
}

}  // namespace flair::program
