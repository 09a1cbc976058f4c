// Slack of recorded steps: what e is, and that it stays within its bounds. docs/spec/step.md has
// the identities.
// SPDX-License-Identifier: Apache-2.0
#include "program/slack.h"

#include <algorithm>
#include <bit>

#include "circuit/gadgets/bounded_sum.h"
#include "circuit/gadgets/root.h"
#include "circuit/gadgets/terms.h"
#include "program/lower/lowering.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

constexpr unsigned kErrorBits = 46;    // of a tensor's |e|^2
constexpr unsigned kHighBits = 35;     // of the sum of squares of high parts of changes
constexpr unsigned kMixedBits = 46;    // of high parts times low parts, signed
constexpr unsigned kLowBits = 58;      // of the squares of low parts
constexpr unsigned kWeightBits = 60;   // of the squares of weights
constexpr unsigned kChangeShift = 24;  // |W' - W|^2 in units of 2^24
constexpr unsigned kWeightShift = 22;  // |2 W|^2 in high units, in units of 2^22
constexpr unsigned kTotalErrorBits = 54;
constexpr unsigned kTotalChangeBits = 42;
constexpr unsigned kTotalWeightBits = 45;
constexpr unsigned kGapBits = 61;
constexpr unsigned kDriftBits = 44;
constexpr unsigned kCountBits = 40;  // of deviations
constexpr int kMaxScales = 3;        // between the coarsest and the finest tensor
constexpr std::size_t kMaxTensors = 256;
constexpr const char* kTauLine = "the slack's bound tau";
constexpr const char* kRhoLine = "the slack's bound rho";
constexpr const char* kBetaLine = "the slack's bound beta";
constexpr const char* kSigmaLine = "the slack's bound sigma";

std::int64_t Shifted(std::int64_t v, unsigned bits) { return v << bits; }

}  // namespace

// sum of 2^(below - cut) limb over limbs from bit `cut` on, or below it; `next` after the step.
circuit::Form Lowering::PartOf(circuit::ValueId number, unsigned cut, bool high,
                               circuit::Moment moment, std::int64_t sign) const {
  circuit::Form form;
  unsigned below = 0;
  const std::vector<unsigned>& limbs = b_[number].number.limb_bits;
  for (std::size_t limb = 0; limb < limbs.size(); below += limbs[limb++]) {
    if ((below >= cut) != high) continue;
    circuit::Read read = b_.At(number);
    read.limb = static_cast<int>(limb);
    read.moment = moment;
    form.terms.push_back(
        circuit::Times(sign * Shifted(1, high ? below - cut : below), {std::move(read)}));
  }
  return form;
}

circuit::ValueId Lowering::BoundedSum(const std::string& name, circuit::ValueId a,
                                      circuit::ValueId b, unsigned bits, bool is_signed) {
  return circuit::BoundedSum(
      b_, name, a, b,
      {.bits = bits, .is_signed = is_signed, .limb_bits = LimbBits(), .line = kTauLine});
}

// floor(x / 2^shift)
circuit::ValueId Lowering::Floored(const std::string& name, circuit::Form x, unsigned shift,
                                   unsigned bits) {
  x.constant -= Shifted(1, shift) / 2;
  return b_.Divide(name, b_.AddForm(name + ".exact", {}, std::move(x)), Shifted(1, shift),
                   circuit::Unsigned(bits, LimbBits(), kTauLine));
}

void Lowering::FindGauges() {
  if (!slack_) return;
  made_.gauges = GaugeTensorsOf(g_);
  for (const GaugeTensor& gauge : made_.gauges) gauges_.insert(gauge.parameter);
}

bool Lowering::HasOwnBudget(std::uint32_t parameter) const {
  return gauges_.contains(parameter) && HasGaugeBudget(p_);
}

// |X/d - W'| <= 2 a/b in units of 2^(s-30):  2^k a +- 2^-k (X - d W') >= 0 where
// k = 31 - s + log2 d - log2 b, and one of the two powers is 1.
Status Lowering::BoundGauge(std::uint32_t parameter, const Scaled& x) {
  const Parameter& p = p_.parameters[parameter];
  const circuit::ValueId w = made_.parameters[parameter];
  const auto log2 = [](std::int64_t v) {
    // b and Adam's d are powers of two
    return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(v))) - 1;
  };
  // At most 61: d is 2^(scale of adam_update - 30 + s), or 1. At least -40.
  const int k = 31 - p.scale + log2(x.divisor) - log2(p_.schedule.denominator);
  const std::int64_t unit = Shifted(1, static_cast<unsigned>(std::max(k, 0)));
  const std::int64_t share = Shifted(1, static_cast<unsigned>(std::max(-k, 0)));
  circuit::Read next = b_.At(w);
  next.moment = circuit::Moment::kNext;
  const circuit::ValueId error =
      b_.AddForm(p.name + ".slack", b_[w].axes,
                 {.terms = {circuit::Times(1, {b_.At(x.form)}),
                            circuit::Times(-x.divisor, {std::move(next)})}});
  // A term needs a factor that is not public.
  const circuit::ValueId one =
      b_.AddForm(p.name + ".slack.one", b_[w].axes, {.terms = {}, .constant = 1});
  // The largest 2^(k + 1) a, unless that is 0.
  const auto most =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, p_.schedule.LargestNumerator()));
  const auto bits =
      static_cast<unsigned>(static_cast<int>(std::bit_width(most)) + std::max(k, 0) + 1);
  for (const bool is_below : {true, false}) {
    const std::string name =
        p.name + (is_below ? ".slack.two rates below" : ".slack.two rates above");
    circuit::Form form{.terms = {circuit::Times(unit, {b_.At(one), b_.At(*rate_)}),
                                 circuit::Times(is_below ? -share : share, {b_.At(error)})}};
    if (!b_.ExtentOf(b_[w].axes, form).fits) {
      return Error(ErrorCode::kInvalidArgument,
                   "'" + name + "': two rates of this schedule are too fine beside a weight of '" +
                       p.name + "'")
          .WithHint("a smaller denominator in the schedule: rates are over 2^" +
                    std::to_string(log2(p_.schedule.denominator)));
    }
    const circuit::ValueId gap = b_.AddForm(name, b_[w].axes, std::move(form));
    // SOUNDNESS: a number is at least 0. Test: SlackTest.AGaugeTensorMovesByTwoRatesAtMost.
    // No line of the profile raises it.
    b_.Divide(name, gap, 1, circuit::Unsigned(bits, LimbBits(), ""));
  }
  return OkStatus();
}

// W' is given; E = X + floor(d/2) - d W', whose part from bit w on is e in units of a weight.
Status Lowering::SetRecordedWeight(std::uint32_t parameter, const Expression& e) {
  const Parameter& p = p_.parameters[parameter];
  const circuit::ValueId w = made_.parameters[parameter];
  FLAIR_TRY(const Scaled x, AddScaled(p.name + ".next", e, 30 - p.scale));
  b_.SetRule(w, {.kind = circuit::RuleKind::kRecorded, .inputs = {}, .parameters = {}});
  if (HasOwnBudget(parameter)) {
    return BoundGauge(parameter, x);
  }
  FLAIR_TRY(const SlackUnits units, UnitsOf(*slack_, p.scale));
  circuit::Read next = b_.At(w);
  next.moment = circuit::Moment::kNext;
  const circuit::ValueId exact = b_.AddForm(
      p.name + ".slack", b_[w].axes,
      {.terms = {circuit::Times(1, {b_.At(x.form)}), circuit::Times(-x.divisor, {std::move(next)})},
       .constant = x.divisor / 2});
  const auto cut = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(x.divisor))) - 1;
  circuit::Width width = circuit::Signed(units.cell_bits + cut + 1, LimbBits(), kTauLine);
  width.cut = cut;
  const circuit::ValueId number = b_.Divide(p.name + ".slack", exact, 1, width);
  circuit::Form high = PartOf(number, cut, true, circuit::Moment::kNow, 1);
  high.constant = -(b_[number].number.bias >> cut);
  slacks_[parameter] = b_.AddForm(p.name + ".slack.high", b_[w].axes, std::move(high));
  return OkStatus();
}

// |e|^2, |W' - W|^2 and |W|^2 of a tensor.
Lowering::Norms Lowering::NormsOf(std::uint32_t parameter, circuit::ValueId e) {
  const std::string name = p_.parameters[parameter].name + ".slack.";
  const circuit::ValueId w = made_.parameters[parameter];
  const auto change = [&](bool high) {
    circuit::Form form = PartOf(w, kLowWeightBits, high, circuit::Moment::kNext, 1);
    for (auto& term : PartOf(w, kLowWeightBits, high, circuit::Moment::kNow, -1).terms) {
      form.terms.push_back(std::move(term));
    }
    return b_.AddForm(name + (high ? "change.high" : "change.low"), b_[w].axes, std::move(form));
  };
  const circuit::ValueId high = change(true), low = change(false), middle = MiddleOf(parameter);
  Norms norms;
  norms.error = BoundedSum(name + "error", e, e, kErrorBits, false);
  const circuit::ValueId hh = BoundedSum(name + "high", high, high, kHighBits, false);
  const circuit::ValueId hl = BoundedSum(name + "mixed", high, low, kMixedBits, true);
  const circuit::ValueId ll = BoundedSum(name + "low", low, low, kLowBits, false);
  norms.change = Floored(name + "change",
                         {.terms = {circuit::Times(Shifted(1, 2 * kLowWeightBits), {b_.At(hh)}),
                                    circuit::Times(Shifted(2, kLowWeightBits), {b_.At(hl)}),
                                    circuit::Times(1, {b_.At(ll)})}},
                         kChangeShift, kWeightBits + 1 - kChangeShift);
  const circuit::ValueId ww = BoundedSum(name + "weight", middle, middle, kWeightBits, false);
  norms.weight = Floored(name + "weight", {.terms = {circuit::Times(1, {b_.At(ww)})}}, kWeightShift,
                         kWeightBits + 1 - kWeightShift);
  return norms;
}

// factor share change + kappa^2 weight + grid - 16 error >= 0
void Lowering::BoundError(const std::string& name, const Norms& norms, std::int64_t factor,
                          std::int64_t kappa2, std::int64_t grid) {
  circuit::Form gap{
      .terms = {circuit::Times(factor, {b_.At(norms.change), b_.At(*share_of_change_)}),
                circuit::Times(-16, {b_.At(norms.error)})},
      .constant = grid};
  if (kappa2 > 0) gap.terms.push_back(circuit::Times(kappa2, {b_.At(norms.weight)}));
  // SOUNDNESS: a number is at least 0. Test: SlackTest.AStepBeyondItsSlackHasNoProof.
  b_.Divide(name, b_.AddForm(name, {}, std::move(gap)), 1,
            circuit::Unsigned(kGapBits, LimbBits(), kRhoLine));
}

void Lowering::NoteSign(NodeId id, circuit::ValueId positive,
                        std::optional<circuit::ValueId> deviation) {
  nodes_[id].positive = positive;
  if (!deviation) return;
  deviations_.push_back(*deviation);
  made_.ties.push_back({.positive = positive, .node = id});
}

Status Lowering::LowerSlack() {
  if (!slack_) return OkStatus();
  // SOUNDNESS: what counts the given signs would be missing. Test:
  // SlackTest.ARecordedRunTrainsSomething.
  if (slacks_.empty()) {
    return Error(ErrorCode::kUnsupported,
                 "slack: the program trains nothing, or gauge tensors alone");
  }
  if (slacks_.size() > kMaxTensors) {
    return Error(ErrorCode::kUnsupported, "slack: more than 256 trained tensors");
  }
  int least = 127, most = -128;
  for (const auto& [parameter, e] : slacks_) {
    least = std::min<int>(least, p_.parameters[parameter].scale);
    most = std::max<int>(most, p_.parameters[parameter].scale);
  }
  if (most - least > kMaxScales) {
    return Error(ErrorCode::kUnsupported, "slack: the parameters' scales lie too far apart");
  }
  FLAIR_TRY(const SlackUnits units, UnitsOf(*slack_, least));
  made_.slack = units;
  made_.slack_scale = least;
  share_of_change_ = AddScalar("slack's share", PublicInput::Kind::kSlackShare, 0,
                               std::max(units.share, units.share_first));
  circuit::Form error, change, weight;
  std::int64_t grid = 0;
  for (const auto& [parameter, e] : slacks_) {
    const Parameter& p = p_.parameters[parameter];
    const Norms norms = NormsOf(parameter, e);
    const std::int64_t own = 64 * static_cast<std::int64_t>(NumElements(p.dims));
    // A gauge tensor's change is noise: no error is small beside it.
    if (!gauges_.contains(parameter)) {
      BoundError(p.name + ".slack.gap", norms, 100, units.kappa2, own);
    }
    const std::int64_t unit = Shifted(1, static_cast<unsigned>(2 * (p.scale - least)));
    error.terms.push_back(circuit::Times(unit, {b_.At(norms.error)}));
    change.terms.push_back(circuit::Times(unit, {b_.At(norms.change)}));
    weight.terms.push_back(circuit::Times(unit, {b_.At(norms.weight)}));
    grid += unit * own;
  }
  const auto total = [&](const char* name, circuit::Form form, unsigned bits) {
    return b_.Divide(name, b_.AddForm(name, {}, std::move(form)), 1,
                     circuit::Unsigned(bits, LimbBits(), kTauLine));
  };
  const Norms all{.error = total("slack.error", std::move(error), kTotalErrorBits),
                  .change = total("slack.change", std::move(change), kTotalChangeBits),
                  .weight = total("slack.weight", std::move(weight), kTotalWeightBits)};
  made_.error_square = all.error;
  made_.change_square = all.change;
  BoundError("slack.gap", all, 1, units.kappa2, grid);
  BoundDrift(all.error, units.drift);
  BoundDeviations();
  return OkStatus();
}

// The deviations of all steps together, at most beta.
void Lowering::BoundDeviations() {
  if (deviations_.empty()) return;
  const circuit::ValueId count =
      b_.AddState("slack.deviations", {}, circuit::Unsigned(kCountBits, LimbBits(), kBetaLine),
                  circuit::Carried::Role::kState);
  made_.deviations = count;
  circuit::Form next{.terms = {circuit::Times(1, {b_.At(count)})}};
  for (const circuit::ValueId deviation : deviations_) {
    next.terms.push_back(circuit::Times(1, {b_.At(deviation)}));
  }
  b_.DivideInto(count, b_.AddForm("slack.deviations.next", {}, std::move(next)), 1);
  circuit::Read after = b_.At(count);
  after.moment = circuit::Moment::kNext;
  b_.Divide("slack.deviations.left",
            b_.AddForm("slack.deviations.left", {},
                       {.terms = {circuit::Times(-1, {std::move(after)})},
                        .constant = static_cast<std::int64_t>(slack_->beta)}),
            1, circuit::Unsigned(kCountBits, LimbBits(), kBetaLine));
}

// The sum of floor(|e|) + 1 over the steps, at most sigma.
void Lowering::BoundDrift(circuit::ValueId error, std::int64_t most) {
  const circuit::ValueId norm = circuit::Root(
      b_, "slack.norm", error, circuit::Unsigned(kTotalErrorBits / 2, LimbBits(), kTauLine));
  const circuit::ValueId drift =
      b_.AddState("slack.drift", {}, circuit::Unsigned(kDriftBits, LimbBits(), kSigmaLine),
                  circuit::Carried::Role::kState);
  made_.drift = drift;
  b_.DivideInto(
      drift,
      b_.AddForm("slack.drift.next", {},
                 {.terms = {circuit::Times(1, {b_.At(drift)}), circuit::Times(1, {b_.At(norm)})},
                  .constant = 1}),
      1);
  circuit::Read next = b_.At(drift);
  next.moment = circuit::Moment::kNext;
  b_.Divide("slack.left",
            b_.AddForm("slack.left", {},
                       {.terms = {circuit::Times(-1, {std::move(next)})}, .constant = most}),
            1, circuit::Unsigned(kDriftBits, LimbBits(), kSigmaLine));
}

}  // namespace flair::program
