// What the lowerings of optimisers share: how a program's attributes and expressions are written.
//
// Place: program/lower, above expression.h; docs/spec/step.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "program/lower/expression.h"
#include "program/program.h"

namespace flair::program {

inline Rational OptimiserFraction(const Program& program, std::string_view name) {
  return AttributeOf(Optimisers(), program.optimiser, name).rational();
}

// An attribute whose words are its default and another: is it the other?
inline bool OptimiserIs(const Program& program, std::string_view name) {
  return AttributeOf(Optimisers(), program.optimiser, name).integer() != 0;
}

inline bool IsKeras(const Program& program) { return OptimiserIs(program, "rule"); }

inline OptimiserCode CodeOfOptimiser(const Program& program) {
  return static_cast<OptimiserCode>(program.optimiser.code);
}

inline Unit Minus(Unit unit) { return Times(unit, MakeUnit(-1, 1, 0)); }

// e = by factor e, the factor without axes.
// REQUIRES: no constant in e.
inline void Multiply(Expression& e, Unit by, const circuit::Read& factor) {
  Scale(e, by);
  for (Piece& piece : e.pieces) piece.factors.push_back(factor);
}

}  // namespace flair::program
