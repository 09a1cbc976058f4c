// Functional: what a claim weighs the cells of a tensor with, axis by axis.
//
//   <F, v> = sum_x prod_a F_a(x_a) v(x),     F_a(x) = eq(point, x) or a list of weights
//
// Every claim that the relations make about a tensor is one of these, for it and for the axis of
// steps: a contraction's claim splits into claims about its factors of the same kind.
// docs/spec/relations.md.
//
// Place: zk/relation, over poly; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/field/fp2.h"

namespace flair::zk {

// ceil(log2 size): variables of an axis.
unsigned VariablesOf(std::uint64_t size);

class AxisFunctional {
 public:
  AxisFunctional() = default;
  // eq(point, x), x < size. REQUIRES: |point| = VariablesOf(size).
  static AxisFunctional Eq(std::uint64_t size, std::vector<Fp2> point);
  static AxisFunctional Weights(std::vector<Fp2> weights);
  static AxisFunctional Scaled(Fp2 factor, AxisFunctional functional);
  // 1 everywhere.
  static AxisFunctional Ones(std::uint64_t size);

  std::uint64_t size() const { return size_; }
  bool is_eq() const { return weights_.empty(); }
  // REQUIRES: is_eq(). The functional is factor() times eq(point(), x).
  const std::vector<Fp2>& point() const { return point_; }
  Fp2 factor() const { return factor_; }

  std::vector<Fp2> ToWeights() const;
  Fp2 Sum() const;
  // Times a function of x. REQUIRES: as many values as the size.
  AxisFunctional Times(std::span<const Fp2> values) const;

 private:
  std::uint64_t size_ = 1;
  Fp2 factor_{1};
  std::vector<Fp2> point_;
  std::vector<Fp2> weights_;  // empty: eq
};

// Of a tensor that every step has: steps, then the axes.
struct Functional {
  AxisFunctional steps;
  std::vector<AxisFunctional> axes;

  Fp2 Sum() const;
};

}  // namespace flair::zk
