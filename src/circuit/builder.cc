// SPDX-License-Identifier: Apache-2.0
#include "circuit/builder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <utility>

#include "base/check.h"

namespace flair::circuit {
namespace {

__extension__ using Int128 = __int128;
constexpr Int128 kMaxSize = Int128{1} << 62;
constexpr unsigned kMaxLimbBits = 24;
constexpr unsigned kMaxNumberBits = 61;

// [lo, hi] of a factor; of a limb alone where one is read.
std::pair<Int128, Int128> RangeOf(const Circuit& circuit, const Read& read) {
  const Value& value = circuit[read.value];
  if (read.limb == Read::kWhole) return {value.lo, value.hi};
  return {0, (Int128{1} << value.number.limb_bits[static_cast<std::size_t>(read.limb)]) - 1};
}

// Of a width that no number has, 1: AddNumber refuses it.
std::int64_t HalfOf(unsigned bits) {
  return bits < 1 || bits > kMaxNumberBits ? 1 : std::int64_t{1} << (bits - 1);
}

}  // namespace

Width Signed(unsigned bits, unsigned limb_bits, std::string line) {
  return {bits, HalfOf(bits), limb_bits, std::move(line), 0};
}

Width Signable(unsigned bits, unsigned limb_bits, std::string line) {
  return {bits, HalfOf(bits) - 1, limb_bits, std::move(line), 0};
}

Width Unsigned(unsigned bits, unsigned limb_bits, std::string line) {
  return {bits, 0, limb_bits, std::move(line), 0};
}

void Builder::Fail(const std::string& name, const std::string& why) {
  if (!error_) error_ = Error(ErrorCode::kInvalidArgument, "'" + name + "': " + why);
}

AxisId Builder::AddAxis(std::string name, std::uint64_t size) {
  if (size == 0) Fail(name, "an axis of size 0");
  circuit_.axes.push_back({std::move(name), size});
  return static_cast<AxisId>(circuit_.axes.size() - 1);
}

ValueId Builder::AddPublic(std::string name, std::vector<AxisId> axes, std::int64_t lo,
                           std::int64_t hi) {
  const auto id = static_cast<ValueId>(circuit_.values.size());
  circuit_.values.push_back({.name = std::move(name),
                             .kind = Value::Kind::kPublic,
                             .axes = std::move(axes),
                             .lo = lo,
                             .hi = hi});
  circuit_.publics.push_back(id);
  return id;
}

// What a proof can take apart: a window ties two axes of hidden factors at most, and no axis is in
// two windows or in a window and a public tensor.
void Builder::CheckWindows(const std::string& name, const Term& term) {
  std::set<AxisId> hidden;
  std::set<AxisId> shared;
  for (const Read& read : term.factors) {
    auto& axes = circuit_[read.value].kind == Value::Kind::kPublic ? shared : hidden;
    axes.insert(read.axes.begin(), read.axes.end());
  }
  std::set<AxisId> seen;
  for (const Window& w : term.windows) {
    std::size_t tied = 0;
    for (const AxisId axis : {w.out, w.kernel, w.in}) {
      if (!seen.insert(axis).second) Fail(name, "an axis in two windows");
      if (shared.contains(axis)) Fail(name, "a public value along a window");
      tied += hidden.contains(axis) ? 1 : 0;
    }
    if (tied > 2) Fail(name, "a window between three axes of factors");
    if (w.stride < 1 || w.dilation < 1) Fail(name, "a window without stride or dilation");
  }
  for (const AxisId axis : shared) {
    if (!hidden.contains(axis)) Fail(name, "a public value along an axis of its own");
  }
}

void Builder::CheckReads(const std::string& name, const Form& form) {
  for (const Term& term : form.terms) {
    std::size_t hidden = 0;
    for (const Read& read : term.factors) {
      if (read.value >= circuit_.values.size()) {
        return Fail(name, "reads a value that comes later");
      }
      const Value& value = circuit_[read.value];
      if (read.axes.size() != value.axes.size()) {
        return Fail(name, "reads '" + value.name + "' with other axes");
      }
      for (std::size_t i = 0; i < read.axes.size(); ++i) {
        if (circuit_.axes[read.axes[i]].size != circuit_.axes[value.axes[i]].size) {
          Fail(name, "reads '" + value.name + "' with axes of other sizes");
        }
      }
      if (std::set<AxisId>(read.axes.begin(), read.axes.end()).size() != read.axes.size()) {
        Fail(name, "reads '" + value.name + "' along a diagonal");
      }
      if (read.moment == Moment::kNext && !value.number.is_state) {
        Fail(name, "no state has a next value");
      }
      hidden += value.kind == Value::Kind::kPublic ? 0 : 1;
    }
    if (hidden < 1 || hidden > 2) Fail(name, "a term has one or two factors that are not public");
    CheckWindows(name, term);
  }
}

Builder::Extent Builder::ExtentOf(const std::vector<AxisId>& axes, const Form& form) const {
  Int128 absolute = form.constant < 0 ? -Int128{form.constant} : Int128{form.constant};
  Int128 lo = form.constant;
  Int128 hi = form.constant;
  for (const Term& term : form.terms) {
    // How many products are added up in one cell: the axes that it has not, once each. Of a
    // window's three axes the third follows from the others.
    std::set<AxisId> summed;
    Int128 low = 1;
    Int128 high = 1;
    Int128 most = term.coefficient < 0 ? -Int128{term.coefficient} : Int128{term.coefficient};
    for (const Read& read : term.factors) {
      summed.insert(read.axes.begin(), read.axes.end());
      const auto [a, b] = RangeOf(circuit_, read);
      const std::array<Int128, 4> corners = {low * a, low * b, high * a, high * b};
      low = *std::min_element(corners.begin(), corners.end());
      high = *std::max_element(corners.begin(), corners.end());
      most *= std::max(a < 0 ? -a : a, b < 0 ? -b : b);
      if (most >= kMaxSize) return {.lo = 0, .hi = 0, .fits = false};
    }
    for (const Window& w : term.windows) {
      summed.insert(w.out);
      summed.insert(w.kernel);
      summed.erase(w.in);
    }
    // The in axis of the form's own leaves its window's out axis to follow.
    for (const Window& w : term.windows) {
      if (std::find(axes.begin(), axes.end(), w.in) != axes.end()) summed.erase(w.out);
    }
    for (const AxisId axis : axes) summed.erase(axis);
    for (const AxisId axis : summed) {
      most *= circuit_.axes[axis].size;
      low *= circuit_.axes[axis].size;
      high *= circuit_.axes[axis].size;
      if (most >= kMaxSize) return {.lo = 0, .hi = 0, .fits = false};
    }
    if (!term.windows.empty()) {  // a window may hold nowhere
      low = std::min<Int128>(low, 0);
      high = std::max<Int128>(high, 0);
    }
    absolute += most;
    if (absolute >= kMaxSize) return {.lo = 0, .hi = 0, .fits = false};
    lo += term.coefficient < 0 ? term.coefficient * high : term.coefficient * low;
    hi += term.coefficient < 0 ? term.coefficient * low : term.coefficient * high;
  }
  return {.lo = static_cast<std::int64_t>(lo), .hi = static_cast<std::int64_t>(hi), .fits = true};
}

ValueId Builder::AddForm(std::string name, std::vector<AxisId> axes, Form form) {
  const auto id = static_cast<ValueId>(circuit_.values.size());
  // SOUNDNESS: Rule Z does not see what is multiplied by 0. Test:
  // CircuitTest.TermsTimesZeroAreLeftOut.
  std::erase_if(form.terms, [](const Term& term) { return term.coefficient == 0; });
  CheckReads(name, form);
  Extent extent;
  if (!error_) {
    extent = ExtentOf(axes, form);
    if (!extent.fits) {
      Fail(name, "the sum of its terms can pass 2^62: use coarser formats or a smaller batch");
    }
  }
  circuit_.values.push_back({.name = std::move(name),
                             .kind = Value::Kind::kForm,
                             .axes = std::move(axes),
                             .lo = extent.lo,
                             .hi = extent.hi,
                             .form = std::move(form)});
  return id;
}

ValueId Builder::AddNumber(std::string name, std::vector<AxisId> axes, const Width& width,
                           Rule rule, bool looked_up) {
  const auto id = static_cast<ValueId>(circuit_.values.size());
  if (width.bits < 1 || width.bits > kMaxNumberBits || width.limb_bits < 1 ||
      width.limb_bits > kMaxLimbBits) {
    Fail(name, "a number has 1 to 61 bits, a limb 1 to 24");
    circuit_.values.push_back({.name = std::move(name), .axes = std::move(axes)});
    return id;
  }
  Number number{.bias = width.bias, .rule = std::move(rule), .line = width.line};
  for (unsigned at = 0; at < width.bits;) {
    const unsigned end = at < width.cut ? std::min(width.cut, width.bits) : width.bits;
    const unsigned bits = std::min(end - at, width.limb_bits);
    number.limb_bits.push_back(bits);
    at += bits;
  }
  circuit_.values.push_back({.name = std::move(name),
                             .kind = Value::Kind::kNumber,
                             .axes = std::move(axes),
                             .lo = width.lo(),
                             .hi = width.hi(),
                             .number = std::move(number)});
  if (looked_up) LookUpLimbs(id);
  return id;
}

void Builder::LookUpLimbs(ValueId number) {
  for (unsigned limb = 0; limb < circuit_[number].number.limb_bits.size(); ++limb) {
    AddLookup({.table = Range(circuit_[number].number.limb_bits[limb]), .v = {number, limb}});
  }
}

ValueId Builder::AddState(std::string name, std::vector<AxisId> axes, const Width& width,
                          Carried::Role role) {
  const ValueId id = AddNumber(std::move(name), std::move(axes), width, Rule{});
  circuit_.values[id].number.is_state = true;
  circuit_.carried.push_back({id, role});
  return id;
}

void Builder::SetRule(ValueId state, Rule rule) {
  circuit_.values[state].number.rule = std::move(rule);
}

ValueId Builder::AddData(std::string name, std::vector<AxisId> axes, const Width& width,
                         std::int64_t column) {
  const ValueId id = AddNumber(std::move(name), std::move(axes), width,
                               {.kind = RuleKind::kData, .inputs = {}, .parameters = {column}});
  circuit_.data.push_back(id);
  return id;
}

TableId Builder::AddTable(Table table) {
  circuit_.tables.push_back(std::move(table));
  return static_cast<TableId>(circuit_.tables.size() - 1);
}

TableId Builder::Range(unsigned bits) {
  ranges_.resize(kMaxLimbBits + 1);
  if (!ranges_[bits]) {
    ranges_[bits] = AddTable({.name = "range " + std::to_string(bits),
                              .segments = {{.log_rows = bits, .first = 0, .c1 = {}, .c2 = {}}}});
  }
  return *ranges_[bits];
}

TableId Builder::Sign(unsigned bits) {
  signs_.resize(kMaxLimbBits + 1);
  if (!signs_[bits]) {
    const std::int32_t half = 1 << (bits - 1);
    signs_[bits] = AddTable({.name = "sign " + std::to_string(bits),
                             .segments = {{.log_rows = bits - 1, .first = 0, .c1 = {}, .c2 = {}},
                                          {.log_rows = bits - 1,
                                           .first = half,
                                           .c1 = {.constant = 1, .values = {}},
                                           .c2 = {}}}});
  }
  return *signs_[bits];
}

TableId Builder::TiedSign(unsigned bits) {
  tied_signs_.resize(kMaxLimbBits + 1);
  if (!tied_signs_[bits]) {
    const std::int32_t half = 1 << (bits - 1);
    const TableColumn one{.constant = 1, .values = {}};
    tied_signs_[bits] =
        AddTable({.name = "tied sign " + std::to_string(bits),
                  .segments = {{.log_rows = bits - 1, .first = 0, .c1 = {}, .c2 = {}},
                               {.log_rows = bits - 1, .first = half, .c1 = one, .c2 = {}},
                               {.log_rows = 0, .first = half, .c1 = {}, .c2 = one},
                               {.log_rows = 0, .first = half - 1, .c1 = one, .c2 = one}}});
  }
  return *tied_signs_[bits];
}

TableId Builder::Chosen(unsigned bits) {
  chosen_.resize(kMaxLimbBits + 1);
  if (!chosen_[bits]) {
    chosen_[bits] = AddTable(
        {.name = "chosen " + std::to_string(bits),
         .segments = {{.log_rows = bits, .first = 0, .c1 = {}, .c2 = {}},
                      {.log_rows = 0, .first = 0, .c1 = {.constant = 1, .values = {}}, .c2 = {}}}});
  }
  return *chosen_[bits];
}

TableId Builder::TiedChoice(unsigned bits) {
  tied_choices_.resize(kMaxLimbBits + 1);
  if (!tied_choices_[bits]) {
    const TableColumn one{.constant = 1, .values = {}};
    Table table{.name = "tied choice " + std::to_string(bits), .segments = {}};
    for (unsigned log = 0; log < bits; ++log) {  // 1, 2 and 3, 4 to 7, ...
      table.segments.push_back({.log_rows = log, .first = 1 << log, .c1 = {}, .c2 = {}});
    }
    table.segments.push_back({.log_rows = 0, .first = 1, .c1 = one, .c2 = {}});
    table.segments.push_back({.log_rows = 0, .first = 0, .c1 = {}, .c2 = one});
    tied_choices_[bits] = AddTable(std::move(table));
  }
  return *tied_choices_[bits];
}

std::optional<ValueId> Builder::Remainder(const std::string& name, ValueId x, std::int64_t divisor,
                                          unsigned limb_bits) {
  if (divisor == 1) return std::nullopt;
  const auto last = static_cast<std::uint64_t>(divisor - 1);
  const auto bits = static_cast<unsigned>(std::bit_width(last));
  const ValueId r = AddNumber(
      name + ".remainder", circuit_[x].axes, Unsigned(bits, limb_bits, ""),
      {.kind = RuleKind::kRemainder, .inputs = {At(x)}, .parameters = {divisor, divisor / 2}});
  if (std::has_single_bit(last + 1)) return r;
  const ValueId rest = AddForm(
      name + ".rest", circuit_[x].axes,
      {.terms = {{.coefficient = -1, .factors = {At(r)}, .windows = {}}}, .constant = divisor - 1});
  Divide(name + ".gap", rest, 1, Unsigned(bits, limb_bits, ""));
  return r;
}

// m quotient + r - x - floor(m/2) = 0
void Builder::TieQuotient(const std::string& name, ValueId x, std::int64_t divisor,
                          const Read& quotient, unsigned limb_bits) {
  Form form{.terms = {{.coefficient = divisor, .factors = {quotient}, .windows = {}},
                      {.coefficient = -1, .factors = {At(x)}, .windows = {}}},
            .constant = -(divisor / 2)};
  if (const auto r = Remainder(name, x, divisor, limb_bits)) {
    form.terms.push_back({.coefficient = 1, .factors = {At(*r)}, .windows = {}});
  }
  AddZero(name, AddForm(name + ".rounding", circuit_[x].axes, std::move(form)));
}

ValueId Builder::Divide(const std::string& name, ValueId x, std::int64_t divisor,
                        const Width& width) {
  const ValueId y = AddNumber(
      name, circuit_[x].axes, width,
      {.kind = RuleKind::kQuotient, .inputs = {At(x)}, .parameters = {divisor, divisor / 2}});
  TieQuotient(name, x, divisor, At(y), width.limb_bits);
  return y;
}

void Builder::DivideInto(ValueId state, ValueId x, std::int64_t divisor) {
  SetRule(state,
          {.kind = RuleKind::kQuotient, .inputs = {At(x)}, .parameters = {divisor, divisor / 2}});
  // Copies: values move when one is added.
  const std::string name = circuit_[state].name;
  const std::vector<unsigned> limbs = circuit_[state].number.limb_bits;
  Read next = At(state);
  next.moment = Moment::kNext;
  TieQuotient(name, x, divisor, next, *std::max_element(limbs.begin(), limbs.end()));
}

Builder::Branch Builder::AddSigned(const std::string& name, std::vector<AxisId> axes, Width width,
                                   Rule rule, unsigned zone) {
  if (zone > 0) width.cut = zone;
  const ValueId y = AddNumber(name, axes, width, std::move(rule), false);
  const std::vector<unsigned> limbs = circuit_[y].number.limb_bits;
  const auto top = static_cast<unsigned>(limbs.size() - 1);
  const Width bit = Unsigned(1, 1, "");
  Branch branch{.value = y, .positive = 0, .deviation = std::nullopt};
  for (unsigned limb = 0; limb < top; ++limb) {
    AddLookup({.table = Range(limbs[limb]), .v = {y, limb}});
  }
  if (zone == 0) {
    branch.positive =
        AddNumber(name + ".positive", std::move(axes), bit,
                  {.kind = RuleKind::kPositive, .inputs = {At(y)}, .parameters = {}}, false);
    AddLookup({.table = Sign(limbs[top]), .v = {y, top}, .c1 = LimbRef{branch.positive, 0}});
    return branch;
  }
  RequireOneLimbAbove(name, y, zone);
  if (error_) return branch;
  branch.positive =
      AddNumber(name + ".positive", axes, bit,
                {.kind = RuleKind::kGivenSign, .inputs = {At(y)}, .parameters = {zone}}, false);
  branch.deviation = AddNumber(
      name + ".deviation", std::move(axes), bit,
      {.kind = RuleKind::kDeviation, .inputs = {At(y), At(branch.positive)}, .parameters = {}},
      false);
  AddLookup({.table = TiedSign(limbs[top]),
             .v = {y, top},
             .c1 = LimbRef{branch.positive, 0},
             .c2 = LimbRef{*branch.deviation, 0}});
  return branch;
}

void Builder::RequireOneLimbAbove(const std::string& name, ValueId number, unsigned zone) {
  unsigned below = 0;
  const std::vector<unsigned>& limbs = circuit_[number].number.limb_bits;
  for (std::size_t limb = 0; limb + 1 < limbs.size(); ++limb) below += limbs[limb];
  if (below == zone) return;
  Fail(name, "a tie zone of " + std::to_string(zone) + " bits leaves more than one limb above it");
}

// SOUNDNESS: a limb that no table bounds is any element of the field. Attack: y - p/2^s in place
// of y.
void Builder::CheckEveryLimbIsLookedUp() {
  std::set<std::pair<ValueId, unsigned>> seen;
  for (const Lookup& lookup : circuit_.lookups) {
    for (const auto& ref : {std::optional(lookup.v), lookup.c1, lookup.c2}) {
      if (ref) seen.emplace(ref->number, ref->limb);
    }
  }
  for (ValueId id = 0; id < circuit_.values.size(); ++id) {
    const Value& value = circuit_[id];
    if (value.kind != Value::Kind::kNumber) continue;
    for (unsigned limb = 0; limb < value.number.limb_bits.size(); ++limb) {
      if (!seen.contains({id, limb})) {
        Fail(value.name, "limb " + std::to_string(limb) + " is in no lookup");
      }
    }
  }
}

// Blocks of v and of its companions are paired one by one: equal axes make them alike.
void Builder::CheckCompanions() {
  for (const Lookup& lookup : circuit_.lookups) {
    const Value& v = circuit_[lookup.v.number];
    for (const auto& ref : {lookup.c1, lookup.c2}) {
      if (!ref) continue;
      const Value& companion = circuit_[ref->number];
      const bool is_alike = companion.number.is_state == v.number.is_state &&
                            std::equal(v.axes.begin(), v.axes.end(), companion.axes.begin(),
                                       companion.axes.end(), [this](AxisId a, AxisId b) {
                                         return circuit_.axes[a].size == circuit_.axes[b].size;
                                       });
      if (!is_alike) Fail(companion.name, "a companion of '" + v.name + "' with other axes");
    }
  }
}

Builder::Branch Builder::DivideSigned(const std::string& name, ValueId x, std::int64_t divisor,
                                      const Width& width, unsigned zone) {
  const Branch branch = AddSigned(
      name, circuit_[x].axes, width,
      {.kind = RuleKind::kQuotient, .inputs = {At(x)}, .parameters = {divisor, divisor / 2}}, zone);
  TieQuotient(name, x, divisor, At(branch.value), width.limb_bits);
  return branch;
}

Result<Circuit> Builder::Finish() && {
  CheckCompanions();
  CheckEveryLimbIsLookedUp();
  if (error_) return *std::move(error_);
  return std::move(circuit_);
}

}  // namespace flair::circuit
