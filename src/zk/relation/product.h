// ProductPlan: how a claim about one term of a form becomes a sum over a hypercube and, at its
// end, a claim about each of the term's factors.
//
//   <F, c A B> = sum over S of A^(x) B^(x) [w(x)]
//
// S are the axes that both factors have (and one of each window that ties two of them). Axes of
// one factor alone are folded by the functional, or summed. A window leaves between the axes
// that the factors have
//   one     weights of that axis:       sum over the others of F F [window]
//   two     of two factors: a matrix M[p, q], p in S; the factor that has q is folded by it
//           of one factor: a public table over both
// Axes of S with eq(r, x) put eq into the sum (tau); weights are folded into the first factor
// that has the axis. docs/spec/relations.md.
//
// Place: zk/relation, over circuit; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "circuit/circuit.h"
#include "zk/relation/functional.h"
#include "zk/sumcheck/sum.h"

namespace flair::zk {

// An axis of the sum, its variables after those of the axes before it. The last one is the steps.
struct SumAxis {
  std::uint64_t size = 1;
  std::optional<std::vector<Fp2>> tau;  // as many as the axis has variables

  unsigned variables() const { return VariablesOf(size); }
};

// What becomes of one axis of a factor.
struct FactorAxis {
  enum class Fate : std::uint8_t {
    kFolded,   // by `functional`
    kSummed,   // is axis `sum_axis`; `functional` weighs it besides, where there is one
    kCoupled,  // by `matrix`: out[p] = sum_q matrix[p][q] in[q], p on axis `sum_axis`
  };
  Fate fate = Fate::kFolded;
  std::optional<AxisFunctional> functional;
  std::size_t sum_axis = 0;
  std::vector<std::vector<Fp2>> matrix;
};

struct FactorPlan {
  circuit::Read read;
  FactorAxis steps;
  std::vector<FactorAxis> axes;  // of the read
};

// A table that both ends know, over some axes of the sum: a public value, a window.
struct PublicPlan {
  std::vector<std::size_t> sum_axes;  // the first is the highest of `values`
  std::vector<Fp2> values;            // row-major over these axes' sizes
};

struct ProductPlan {
  Fp2 coefficient{1};  // of the product in the claim
  std::vector<SumAxis> axes;
  std::vector<FactorPlan> factors;  // hidden ones: one or two
  std::vector<PublicPlan> publics;

  // Tables: the hidden factors, then the publics; one term.
  SumShape Shape() const;
  // The part of a sum's point that belongs to an axis.
  std::vector<Fp2> PointOf(std::size_t axis, std::span<const Fp2> point) const;
  // A public table's multilinear extension.
  Fp2 PublicAt(std::size_t which, std::span<const Fp2> point) const;
  // Of one factor and nothing public: the claim is linear in it, and this is its functional.
  bool is_linear() const { return factors.size() == 1 && publics.empty(); }
  Functional Linear() const;
  // What the sum's end says of factor f, read at `point`.
  Functional EndOf(std::size_t f, std::span<const Fp2> point) const;
};

// What both ends know of publics: cells by step, of the value with this id.
class Publics {
 public:
  virtual ~Publics() = default;
  // The cells of all steps, step after step.
  virtual std::span<const std::int64_t> CellsOf(circuit::ValueId id) const = 0;
};

// The plan of a term under a functional on the form's axes `axes`.
// REQUIRES: a circuit whose windows have two axes or fewer in one factor's company (Builder).
ProductPlan PlanProduct(const circuit::Circuit& circuit, const Publics& publics,
                        const std::vector<circuit::AxisId>& axes, const circuit::Term& term,
                        const Functional& functional);

// The plan that brings weights on axes other than the steps' down to a point.
ProductPlan PlanPoint(const circuit::Circuit& circuit, const circuit::Read& read,
                      const Functional& functional);

}  // namespace flair::zk
