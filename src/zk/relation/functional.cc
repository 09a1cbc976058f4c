// SPDX-License-Identifier: Apache-2.0
#include "zk/relation/functional.h"

#include <bit>

#include "base/check.h"
#include "zk/poly/eq.h"

namespace flair::zk {

unsigned VariablesOf(std::uint64_t size) {
  return size <= 1 ? 0U : static_cast<unsigned>(std::bit_width(size - 1));
}

AxisFunctional AxisFunctional::Eq(std::uint64_t size, std::vector<Fp2> point) {
  FLAIR_CHECK(point.size() == VariablesOf(size)) << "a point of another axis";
  AxisFunctional f;
  f.size_ = size;
  f.point_ = std::move(point);
  return f;
}

AxisFunctional AxisFunctional::Weights(std::vector<Fp2> weights) {
  FLAIR_CHECK(!weights.empty()) << "an axis of size 0";
  AxisFunctional f;
  f.size_ = weights.size();
  f.weights_ = std::move(weights);
  return f;
}

AxisFunctional AxisFunctional::Scaled(Fp2 factor, AxisFunctional functional) {
  functional.factor_ *= factor;
  for (Fp2& w : functional.weights_) w *= factor;
  return functional;
}

// 2^n eq((1/2, ..., 1/2), x) = 1
AxisFunctional AxisFunctional::Ones(std::uint64_t size) {
  const unsigned n = VariablesOf(size);
  AxisFunctional f = Eq(size, std::vector<Fp2>(n, Fp2(2).Inverse()));
  f.factor_ = Fp2(2).Pow(n);
  return f;
}

std::vector<Fp2> AxisFunctional::ToWeights() const {
  if (!is_eq()) return weights_;
  std::vector<Fp2> weights = EqTable(point_);
  weights.resize(size_);
  for (Fp2& w : weights) w *= factor_;
  return weights;
}

Fp2 AxisFunctional::Sum() const {
  if (is_eq()) return factor_ * EqPrefixSum(point_, size_);
  Fp2 sum;
  for (const Fp2& w : weights_) sum += w;
  return sum;
}

AxisFunctional AxisFunctional::Times(std::span<const Fp2> values) const {
  std::vector<Fp2> weights = ToWeights();
  FLAIR_CHECK(values.size() == weights.size()) << "values of another axis";
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= values[i];
  return Weights(std::move(weights));
}

Fp2 Functional::Sum() const {
  Fp2 sum = steps.Sum();
  for (const AxisFunctional& axis : axes) sum *= axis.Sum();
  return sum;
}

}  // namespace flair::zk
