// SPDX-License-Identifier: Apache-2.0
#include "program/lower/expression.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace flair::program {
namespace {

using circuit::Form;
using circuit::Read;

Form FormWith(const Expression& e, const std::vector<std::int64_t>& coefficients,
              std::int64_t constant) {
  Form form{.terms = {}, .constant = constant};
  for (std::size_t i = 0; i < e.pieces.size(); ++i) {
    form.terms.push_back({.coefficient = coefficients[i],
                          .factors = e.pieces[i].factors,
                          .windows = e.pieces[i].windows});
  }
  return form;
}

// Units of the pieces and, where there is one, of the constant.
std::vector<Unit> UnitsOf(const Expression& e) {
  std::vector<Unit> units;
  for (const Piece& piece : e.pieces) units.push_back(piece.unit);
  if (!e.constant.is_zero()) units.push_back(e.constant);
  return units;
}

// The least common multiple of the odd denominators.
std::optional<Unit> CommonDivisor(const std::vector<Unit>& units) {
  std::int64_t common = 1;
  for (const Unit& unit : units) {
    if (!unit.is_valid()) return std::nullopt;
    const Int128 next = Int128{common} / std::gcd(common, unit.den) * unit.den;
    if (next > kMaxRationalTerm) return std::nullopt;
    common = static_cast<std::int64_t>(next);
  }
  return MakeUnit(common, 1, 0);
}

std::optional<Form> Multiplied(const Expression& e, Unit by) {
  std::vector<std::int64_t> coefficients;
  for (const Piece& piece : e.pieces) {
    std::int64_t c = 0;
    if (!IsInteger(Times(piece.unit, by), c)) return std::nullopt;
    coefficients.push_back(c);
  }
  std::int64_t constant = 0;
  if (!IsInteger(Times(e.constant, by), constant)) return std::nullopt;
  return FormWith(e, coefficients, constant);
}

}  // namespace

Axes Flat(const AxesOfDims& dims) {
  Axes all;
  for (const Axes& axes : dims) all.insert(all.end(), axes.begin(), axes.end());
  return all;
}

std::set<AxisId> AxesOf(const Piece& piece) {
  std::set<AxisId> axes;
  for (const Read& read : piece.factors) axes.insert(read.axes.begin(), read.axes.end());
  for (const circuit::Window& w : piece.windows) axes.insert({w.out, w.kernel, w.in});
  return axes;
}

void Scale(Expression& e, Unit by) {
  for (Piece& piece : e.pieces) piece.unit = Times(piece.unit, by);
  e.constant = Times(e.constant, by);
  if (by.is_zero()) e.pieces.clear();
}

void AddTo(Expression& e, const Expression& other) {
  e.pieces.insert(e.pieces.end(), other.pieces.begin(), other.pieces.end());
  e.constant = Plus(e.constant, other.constant);
}

AxisId AxisPool::Make(const std::string& name, std::uint64_t size) {
  all_.push_back(builder_.AddAxis(name, size));
  return all_.back();
}

AxisId AxisPool::OfSize(std::uint64_t size, const std::set<AxisId>& used) {
  for (const AxisId axis : all_) {
    if (builder_.axis(axis).size == size && !used.contains(axis)) return axis;
  }
  return Make("of " + std::to_string(size), size);
}

Expression AxisPool::Renamed(Expression e, const AxesOfDims& to, const std::set<AxisId>& taken) {
  const Axes own = Flat(e.dims), target = Flat(to);
  FLAIR_CHECK(own.size() == target.size()) << "axes of other dims";
  std::set<AxisId> used = taken;
  used.insert(target.begin(), target.end());
  for (Piece& piece : e.pieces) {
    std::map<AxisId, AxisId> names;
    for (std::size_t i = 0; i < own.size(); ++i) names[own[i]] = target[i];
    std::set<AxisId> busy = used;
    const std::set<AxisId> axes = AxesOf(piece);
    busy.insert(axes.begin(), axes.end());
    for (const AxisId axis : axes) {
      if (names.contains(axis)) continue;
      names[axis] = used.contains(axis) ? OfSize(builder_.axis(axis).size, busy) : axis;
      busy.insert(names[axis]);
    }
    for (Read& read : piece.factors) {
      for (AxisId& axis : read.axes) axis = names[axis];
    }
    for (circuit::Window& w : piece.windows) {
      w.out = names[w.out];
      w.kernel = names[w.kernel];
      w.in = names[w.in];
    }
  }
  e.dims = to;
  return e;
}

void AxisPool::Align(Expression& a, Expression& b, std::size_t rank) {
  a.dims.insert(a.dims.begin(), rank - a.dims.size(), Axes{});
  b.dims.insert(b.dims.begin(), rank - b.dims.size(), Axes{});
  const Axes of_a = Flat(a.dims);
  std::set<AxisId> used(of_a.begin(), of_a.end());
  AxesOfDims all = a.dims, to_b = b.dims;
  for (std::size_t dim = 0; dim < rank; ++dim) {
    if (b.dims[dim].empty()) continue;
    if (!a.dims[dim].empty()) {
      FLAIR_CHECK(a.dims[dim].size() == b.dims[dim].size()) << "dims cut otherwise";
      to_b[dim] = a.dims[dim];
      continue;
    }
    for (AxisId& axis : to_b[dim]) {
      if (used.contains(axis)) axis = OfSize(builder_.axis(axis).size, used);
      used.insert(axis);
    }
    all[dim] = to_b[dim];
  }
  b = Renamed(std::move(b), to_b, used);
  const AxesOfDims to_a = a.dims;
  a = Renamed(std::move(a), to_a, used);
  a.dims = all;
  b.dims = all;
}

void AxisPool::SumOver(Expression& e, const Axes& axes) {
  for (const AxisId axis : axes) {
    const Unit size = MakeUnit(builder_.axis(axis).size, 1, 0);
    e.constant = Times(e.constant, size);
    for (Piece& piece : e.pieces) {
      if (!AxesOf(piece).contains(axis)) piece.unit = Times(piece.unit, size);
    }
    for (Axes& dim : e.dims) std::erase(dim, axis);
  }
}

std::optional<IntegerForm> AsIntegers(const Expression& e, int scale) {
  std::vector<Unit> units = UnitsOf(e);
  for (Unit& unit : units) unit = Times(unit, PowerOfTwo(scale));
  auto divisor = CommonDivisor(units);
  if (!divisor) return std::nullopt;
  for (const Unit& unit : units) divisor->exponent = std::max(divisor->exponent, -unit.exponent);
  IntegerForm made;
  if (!IsInteger(*divisor, made.divisor)) return std::nullopt;
  auto form = Multiplied(e, Times(*divisor, PowerOfTwo(scale)));
  if (!form) return std::nullopt;
  made.form = *std::move(form);
  return made;
}

std::optional<UnitForm> AsUnits(const Expression& e) {
  const std::vector<Unit> units = UnitsOf(e);
  const auto divisor = CommonDivisor(units);
  if (!divisor) return std::nullopt;
  Unit unit = MakeUnit(1, divisor->num, 0);
  std::int64_t common = 0;
  for (std::size_t i = 0; i < units.size(); ++i) {
    common = std::gcd(common, Times(units[i], *divisor).num);
    unit.exponent = i == 0 ? units[i].exponent : std::min(unit.exponent, units[i].exponent);
  }
  if (common != 0) unit = Times(unit, MakeUnit(common, 1, 0));
  const Unit inverse = MakeUnit(unit.den, unit.num, -unit.exponent);
  auto form = Multiplied(e, inverse);
  if (!form) return std::nullopt;
  return UnitForm{.form = *std::move(form), .unit = unit};
}

}  // namespace flair::program
