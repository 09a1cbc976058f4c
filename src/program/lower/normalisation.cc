// Batch normalisation, and the running statistics. docs/spec/lowering.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "circuit/gadgets/root.h"
#include "program/lower/lowering.h"

namespace flair::program {
namespace {

// A deviation has up to 30 bits; its reciprocal 2^-21 and 2^9 at most: 1/sqrt(1e-5) is 316.
constexpr unsigned kRootBits = 30;
constexpr int kLeastRootScale = 12;
constexpr unsigned kInverseBits = 30;
constexpr int kInverseScale = 21;
// gamma / deviation: 2^9 at 2^-20.
constexpr unsigned kFactorBits = 30;
constexpr int kFactorScale = 20;
constexpr unsigned kProductBits = 32;
constexpr const char* kEpsLine = "the eps of its batch_norm";

// An e with |v| unit <= 2^e for every v of a value, at most one above the least.
int ExponentOf(const circuit::Value& value, Unit unit) {
  const Int128 most = Int128{std::max(value.hi, -value.lo)} * (unit.num < 0 ? -unit.num : unit.num);
  int bits = 0;
  for (Int128 rest = most; rest > 0; rest /= 2) ++bits;  // most < 2^bits
  return bits - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(unit.den))) + 1 +
         unit.exponent;  // den >= 2^(width - 1)
}

}  // namespace

// Means of gradients up to 2^whole: the profile's unit, or one that leaves them 28 bits.
int Lowering::MeanScale(int whole) const {
  return std::min<int>(Line(ProfileLine::kNormGradient).scale, 27 - whole);
}

// 1/sqrt(x + eps) over the axes of x: a deviation first, then its reciprocal. eps is rounded to
// the variance's unit, or its denominator would multiply everything.
Result<Operand> Lowering::InverseRoot(const std::string& name, const Expression& x, Rational eps) {
  const std::string line(InfoOf(ProfileLine::kStatistics).name);
  // The finest unit of a deviation, up to that of the statistics, whose square fits.
  for (int scale = Line(ProfileLine::kStatistics).scale; scale >= kLeastRootScale; --scale) {
    Expression shifted = x;
    const double rounded = std::round(std::ldexp(eps.AsDouble(), 2 * scale));
    if (rounded < 1 || rounded >= std::ldexp(1, 53)) continue;
    shifted.constant = MakeUnit(static_cast<std::int64_t>(rounded), 1, -2 * scale);
    const auto integers = AsIntegers(shifted, 2 * scale);
    if (!integers) continue;
    const auto extent = b_.ExtentOf(Flat(x.dims), integers->form);
    if (!extent.fits || extent.hi >= std::int64_t{1} << (2 * kRootBits)) continue;
    FLAIR_TRY(const Scaled v, AddScaled(name + ".variance", shifted, 2 * scale));
    const auto most = static_cast<std::uint64_t>(extent.hi / v.divisor + 1);
    const auto bits = static_cast<unsigned>(std::bit_width(most));
    const circuit::ValueId variance =
        b_.Divide(name + ".variance", v.form, v.divisor, circuit::Unsigned(bits, LimbBits(), line));
    const circuit::ValueId root = circuit::Root(
        b_, name + ".deviation", variance, circuit::Unsigned((bits + 1) / 2, LimbBits(), line));
    const circuit::ValueId inverse =
        circuit::Reciprocal(b_, name + ".inverse", root, std::int64_t{1} << (scale + kInverseScale),
                            circuit::Unsigned(kInverseBits, LimbBits(), kEpsLine));
    return Operand{b_.At(inverse), PowerOfTwo(-kInverseScale)};
  }
  return Error(
      ErrorCode::kInvalidArgument,
      "'" + name + "': its variance can pass 2^60: use a coarser format or a smaller batch");
}

Status Lowering::LowerInverseRoot(NodeId id) {
  const NodeId x = g_[id].inputs[0];
  const AxesOfDims dims = ValueOf(x).dims;
  FLAIR_TRY(const Operand inverse, InverseRoot(g_[id].name, ValueOf(x), g_[id].alpha));
  ValueOf(id) = ReadOf(inverse, dims);
  return OkStatus();
}

// A product of two operands over axes, rounded.
Result<circuit::ValueId> Lowering::RoundedProduct(const std::string& name, const Operand& a,
                                                  const Operand& b, const Axes& axes, int scale,
                                                  const circuit::Width& width) {
  const Expression e{.dims = {axes},
                     .pieces = {{.unit = Times(a.unit, b.unit), .factors = {a.read, b.read}}}};
  FLAIR_TRY(const Scaled x, AddScaled(name, e, scale));
  return b_.Divide(name, x.form, x.divisor, width);
}

// n mean = sum x, d = x - mean, q = 1/sqrt(sum d^2 / n + eps), g = gamma q, y = g d + beta
Status Lowering::LowerBatchNorm(NodeId id) {
  const GraphNode& node = g_[id];
  const NodeId x = node.inputs[0];
  const std::string& name = node.name;
  FLAIR_TRY(const Operand read, FactorAlongAll(x));
  const AxesOfDims dims = ValueOf(x).dims;
  const Axes& channels = dims[1];
  Norm norm{.channels = channels, .dims = dims};
  for (std::size_t dim = 0; dim < node.dims.size(); ++dim) {
    if (dim != 1) norm.count *= static_cast<std::int64_t>(node.dims[dim]);
  }
  const auto over = [&](std::string part, const Axes& axes, std::vector<circuit::Term> terms) {
    return b_.AddForm(name + part, axes, {.terms = std::move(terms)});
  };
  const auto term = [](std::int64_t c, std::vector<circuit::Read> factors) -> circuit::Term {
    return {.coefficient = c, .factors = std::move(factors), .windows = {}};
  };
  norm.sum = over(".sum", channels, {term(1, {read.read})});
  const circuit::Value& values = b_[read.read.value];
  const auto most = static_cast<std::uint64_t>(std::max<std::int64_t>({values.hi, -values.lo, 2}));
  const auto bits = 1 + static_cast<unsigned>(std::bit_width(most));
  const circuit::ValueId mean =
      b_.Divide(name + ".mean", norm.sum, norm.count, circuit::Signed(bits, LimbBits(), ""));
  norm.centred = {
      b_.At(over(".centred", Flat(dims), {term(1, {read.read}), term(-1, {b_.At(mean)})})),
      read.unit};
  norm.squares = over(".squares", channels, {term(1, {norm.centred.read, norm.centred.read})});

  const Unit each = MakeUnit(1, norm.count, 0);
  norm.sum_unit = Times(read.unit, each);
  norm.squares_unit = Times(Times(read.unit, read.unit), each);
  const Expression variance = ReadOf({b_.At(norm.squares), norm.squares_unit}, {channels});
  FLAIR_TRY(norm.inverse, InverseRoot(name, variance, node.alpha));
  FLAIR_TRY(Operand gamma, Factor(node.inputs[1]));
  gamma.read =
      axes_.Renamed(ReadOf(gamma, ValueOf(node.inputs[1]).dims), {channels}).pieces[0].factors[0];
  FLAIR_TRY(const circuit::ValueId factor,
            RoundedProduct(name + ".factor", gamma, norm.inverse, channels, kFactorScale,
                           circuit::Signed(kFactorBits, LimbBits(), kEpsLine)));
  norm.factor = {b_.At(factor), PowerOfTwo(-kFactorScale)};

  Expression y{.dims = dims,
               .pieces = {{.unit = Times(norm.factor.unit, norm.centred.unit),
                           .factors = {norm.factor.read, norm.centred.read}}}};
  Expression beta = axes_.Renamed(ValueOf(node.inputs[2]), {channels}, AxesIn(dims));
  beta.dims = dims;
  AddTo(y, beta);
  ValueOf(id) = std::move(y);
  norms_[id] = std::move(norm);
  return OkStatus();
}

std::set<AxisId> Lowering::AxesIn(const AxesOfDims& dims) {
  const Axes all = Flat(dims);
  return {all.begin(), all.end()};
}

// The gradient along the axes of what was normalised.
Result<Operand> Lowering::GradientAlong(const Norm& norm, NodeId dy) {
  FLAIR_TRY(Operand dv, Factor(dy));
  if (dv.unit.num != 1 || dv.unit.den != 1) {
    // Another factor than a power of two would multiply all that it is added to.
    FLAIR_DO(Round(dy));
    dv = *AsOneRead(ValueOf(dy));
  }
  dv.read = axes_.Renamed(ReadOf(dv, ValueOf(dy).dims), norm.dims).pieces[0].factors[0];
  return dv;
}

// The mean over the batch of dy (x - mean) / deviation.
Result<Operand> Lowering::MeanAlong(NodeId dy, NodeId bn) {
  const Norm& norm = norms_.at(bn);
  const auto key = std::make_pair(dy, bn);
  if (const auto made = means_.find(key); made != means_.end()) return made->second;
  FLAIR_TRY(const Operand dv, GradientAlong(norm, dy));
  const std::string& name = g_[dy].name;
  const NodeFormat format = FormatOf(dy);
  const int whole = ExponentOf(b_[dv.read.value], dv.unit);
  const Unit each = MakeUnit(1, norm.count, 0);
  // Its range is that of dy.
  const int dot_scale = static_cast<int>(kProductBits) - 1 - whole;
  Expression products{.dims = {norm.channels},
                      .pieces = {{.unit = Times(Times(dv.unit, norm.centred.unit), each),
                                  .factors = {dv.read, norm.centred.read}}}};
  FLAIR_TRY(const Scaled dot, AddScaled(name + ".dot", products, dot_scale));
  const circuit::ValueId mean_dot = b_.Divide(
      name + ".dot", dot.form, dot.divisor, circuit::Signed(kProductBits, LimbBits(), format.line));
  // |mean of dy v| <= the largest |dy|, for v has variance 1.
  const int scale = MeanScale(whole);
  const auto bits = static_cast<unsigned>(std::max(whole + scale + 2, 2));
  FLAIR_TRY(
      const circuit::ValueId u,
      RoundedProduct(name + ".along", {b_.At(mean_dot), PowerOfTwo(-dot_scale)}, norm.inverse,
                     norm.channels, scale, circuit::Signed(bits, LimbBits(), "norm_gradient")));
  return means_[key] = Operand{b_.At(u), PowerOfTwo(-scale)};
}

// dgamma = sum of dy v
Status Lowering::LowerBatchNormScaleGrad(NodeId id) {
  const NodeId dy = g_[id].inputs[0], bn = g_[id].inputs[1];
  FLAIR_TRY(const Operand u, MeanAlong(dy, bn));
  const Norm& norm = norms_.at(bn);
  ValueOf(id) = ReadOf({u.read, Times(u.unit, MakeUnit(norm.count, 1, 0))}, {norm.channels});
  return OkStatus();
}

// dx = g (dy - mean dy) - K d, K = g q (mean of dy v)
Status Lowering::LowerBatchNormGrad(NodeId id) {
  const NodeId dy = g_[id].inputs[0], bn = g_[id].inputs[1];
  FLAIR_TRY(const Operand u, MeanAlong(dy, bn));
  const Norm& norm = norms_.at(bn);
  FLAIR_TRY(const Operand dv, GradientAlong(norm, dy));
  const std::string& name = g_[id].name;
  const Format format = Line(ProfileLine::kNormGradient);
  const int whole = ExponentOf(b_[dv.read.value], dv.unit);
  const int scale = MeanScale(whole);
  Expression sum = ReadOf(dv, norm.dims);
  for (std::size_t dim = 0; dim < norm.dims.size(); ++dim) {
    if (dim != 1) axes_.SumOver(sum, Axes(sum.dims[dim]));
  }
  Scale(sum, MakeUnit(1, norm.count, 0));
  FLAIR_TRY(const Scaled mean, AddScaled(name + ".mean", sum, scale));
  const auto bits = static_cast<unsigned>(std::max(whole + scale + 1, 2));
  const circuit::ValueId m = b_.Divide(name + ".mean", mean.form, mean.divisor,
                                       circuit::Signed(bits, LimbBits(), "norm_gradient"));
  const unsigned slope_bits = std::min<unsigned>(format.bits, 63 - kFactorBits);
  FLAIR_TRY(const circuit::ValueId slope,
            RoundedProduct(name + ".slope", u, norm.inverse, norm.channels, scale,
                           circuit::Signed(slope_bits, LimbBits(), "norm_gradient")));
  FLAIR_TRY(const circuit::ValueId k,
            RoundedProduct(name + ".steepness", {b_.At(slope), PowerOfTwo(-scale)}, norm.factor,
                           norm.channels, scale,
                           circuit::Signed(format.bits, LimbBits(), "norm_gradient")));
  const Unit fine = PowerOfTwo(-scale), minus = MakeUnit(-1, 1, 0);
  const Operand &g = norm.factor, &d = norm.centred;
  ValueOf(id) = {
      .dims = norm.dims,
      .pieces = {{.unit = Times(g.unit, dv.unit), .factors = {g.read, dv.read}},
                 {.unit = Times(minus, Times(g.unit, fine)), .factors = {g.read, b_.At(m)}},
                 {.unit = Times(minus, Times(d.unit, fine)), .factors = {b_.At(k), d.read}}}};
  return OkStatus();
}

// A recorded bias that the norm takes away moves its running mean along, so that nothing of it is
// left in inference.
void Lowering::FollowGauge(NodeId norm, const AxesOfDims& own, Expression& mean) {
  for (const GaugeTensor& gauge : made_.gauges) {
    if (gauge.norm != norm || !HasOwnBudget(gauge.parameter)) continue;
    const circuit::ValueId w = made_.parameters[gauge.parameter];
    const Unit unit = PowerOfTwo(p_.parameters[gauge.parameter].scale - 30);
    circuit::Read after = b_.At(w);
    after.moment = circuit::Moment::kNext;
    AddTo(mean, axes_.Renamed(ReadOf({after, unit}, {b_[w].axes}), own));
    AddTo(mean,
          axes_.Renamed(ReadOf({b_.At(w), Times(unit, MakeUnit(-1, 1, 0))}, {b_[w].axes}), own));
  }
}

// buffer' = round((1 - m) buffer + m statistic), the statistic rounded first.
Status Lowering::LowerBuffers() {
  const Format format = Line(ProfileLine::kStatistics);
  const std::string line(InfoOf(ProfileLine::kStatistics).name);
  std::vector<bool> moved(made_.buffers.size());
  for (const RunningUpdate& update : g_.running) {
    const circuit::ValueId buffer = made_.buffers[update.buffer];
    const std::string name = b_[buffer].name;
    const Norm& norm = norms_.at(update.node);
    if (moved[update.buffer]) {
      return Error(ErrorCode::kUnsupported,
                   "buffer '" + name + "': more than one batch_norm moves it");
    }
    moved[update.buffer] = true;
    const bool is_mean = update.statistic == RunningUpdate::Statistic::kMean;
    Expression statistic = is_mean
                               ? ReadOf({b_.At(norm.sum), norm.sum_unit}, {norm.channels})
                               : ReadOf({b_.At(norm.squares), norm.squares_unit}, {norm.channels});
    Scale(statistic, UnitOf(update.factor));
    const AxesOfDims own = {b_[buffer].axes};
    FLAIR_TRY(const Scaled exact,
              AddScaled(name + ".batch", axes_.Renamed(std::move(statistic), own), format.scale));
    const circuit::ValueId batch = b_.Divide(name + ".batch", exact.form, exact.divisor,
                                             circuit::Signed(format.bits, LimbBits(), line));
    const Unit unit = PowerOfTwo(-format.scale), m = UnitOf(update.momentum);
    Expression next = ReadOf({b_.At(batch), Times(unit, m)}, own);
    const Unit rest = Plus(Unit{}, Times(m, MakeUnit(-1, 1, 0)));
    AddTo(next, ReadOf({b_.At(buffer), Times(unit, rest)}, own));
    if (is_mean) FollowGauge(update.node, own, next);
    std::erase_if(next.pieces, [](const Piece& piece) { return piece.unit.is_zero(); });
    FLAIR_TRY(const Scaled x, AddScaled(name + ".next", next, format.scale));
    b_.DivideInto(buffer, x.form, x.divisor);
  }
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (moved[i]) continue;
    const circuit::ValueId buffer = made_.buffers[i];
    FLAIR_TRY(const Scaled x, AddScaled(b_[buffer].name + ".next",
                                        ReadOf({b_.At(buffer), Unit{}}, {b_[buffer].axes}), 0));
    b_.DivideInto(buffer, x.form, x.divisor);
  }
  return OkStatus();
}

}  // namespace flair::program
