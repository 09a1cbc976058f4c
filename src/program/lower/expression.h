// Expression: a tensor of the graph on its way into the circuit, as a sum of products of what is
// there already. It becomes a form (nobody commits to it) or is rounded into a number.
//
// Place: program/lower, above unit.h and circuit/builder.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "circuit/builder.h"
#include "program/lower/unit.h"

namespace flair::program {

using circuit::AxisId;
using Axes = std::vector<AxisId>;
using AxesOfDims = std::vector<Axes>;  // by dim, outermost first

// unit * the product of factors, summed over the axes that the expression has not.
struct Piece {
  Unit unit;
  std::vector<circuit::Read> factors;
  std::vector<circuit::Window> windows;
};

struct Expression {
  AxesOfDims dims;
  std::vector<Piece> pieces;
  Unit constant{.num = 0, .den = 1, .exponent = 0};

  bool is_constant() const { return pieces.empty(); }
};

Axes Flat(const AxesOfDims& dims);
std::set<AxisId> AxesOf(const Piece& piece);

void Scale(Expression& e, Unit by);
// e += other, which has the same axes.
void AddTo(Expression& e, const Expression& other);

// Axes are names: an axis serves wherever its size fits and its name is free.
class AxisPool {
 public:
  explicit AxisPool(circuit::Builder& builder) : builder_(builder) {}

  AxisId Make(const std::string& name, std::uint64_t size);
  // One of this size that is not in `used`.
  AxisId OfSize(std::uint64_t size, const std::set<AxisId>& used);
  // `e` with the axes `to`, as many and of the same sizes as its own; `taken`: axes that its sums
  // must not use, besides `to`.
  Expression Renamed(Expression e, const AxesOfDims& to, const std::set<AxisId>& taken = {});
  // Both with the axes of their broadcast to `rank` dims.
  void Align(Expression& a, Expression& b, std::size_t rank);
  // Sums over `axes`, which go from its dims.
  void SumOver(Expression& e, const Axes& axes);

 private:
  circuit::Builder& builder_;
  std::vector<AxisId> all_;
};

// The expression as integers: X / divisor = e * 2^scale, X a form over `axes`.
struct IntegerForm {
  circuit::Form form;
  std::int64_t divisor = 1;
};
// Nothing when a coefficient passes 62 bits.
std::optional<IntegerForm> AsIntegers(const Expression& e, int scale);

// The expression as integers of a unit of their own: e = unit * X, exactly.
struct UnitForm {
  circuit::Form form;
  Unit unit;
};
std::optional<UnitForm> AsUnits(const Expression& e);

}  // namespace flair::program
