// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/mask_rows.h"

#include <span>

#include "base/check.h"
#include "zk/poly/kpoly.h"

namespace flair::zk {
namespace {

// polynomial * (X^width - 1)
std::vector<Fp2> TimesVanishing(std::span<const Fp2> polynomial, std::uint64_t width) {
  std::vector<Fp2> out(polynomial.size() + width);
  for (std::size_t i = 0; i < polynomial.size(); ++i) {
    out[i + width] += polynomial[i];
    out[i] -= polynomial[i];
  }
  return out;
}

// The quotient by X^width - 1. REQUIRES: it divides.
std::vector<Fp2> OverVanishing(std::vector<Fp2> polynomial, std::uint64_t width) {
  std::vector<Fp2> quotient(polynomial.size() - width);
  for (std::size_t i = quotient.size(); i-- > 0;) {
    quotient[i] = polynomial[i + width];
    polynomial[i] += quotient[i];
  }
  for (std::size_t i = 0; i < width; ++i) {
    FLAIR_CHECK(polynomial[i].is_zero()) << "a triple whose third is no product";
  }
  return quotient;
}

}  // namespace

MaskRows::MaskRows(const MaskShape& shape, RandomElements& random)
    : shape_(shape), pads_(random.Next(shape.num_places())) {
  for (std::uint64_t t = 0; t < shape.triple_rows() * shape.width(); ++t) {
    pads_[shape.ZOf(t)] = pads_[shape.XOf(t)] * pads_[shape.YOf(t)];
  }
  for (std::uint64_t i = 0; i < shape.pad_rows(); ++i) {
    const std::span values(pads_.data() + i * shape.width(), shape.width());
    std::vector<Fp2> row = TimesVanishing(random.Next(shape.num_random()), shape.width());
    AddScaled(row, InterpolateOnRoots(values), Fp2(1));
    rows_.push_back(std::move(row));
  }
  rows_.push_back(random.Next(shape.low_degree_size()));
  // Its sum over H is width times the sum of the coefficients at multiples of width.
  std::vector<Fp2> zero_sum = random.Next(shape.linear_size());
  zero_sum[0] = Fp2();
  for (std::size_t i = shape.width(); i < zero_sum.size(); i += shape.width()) {
    zero_sum[0] -= zero_sum[i];
  }
  rows_.push_back(std::move(zero_sum));
  rows_.push_back(TimesVanishing(random.Next(shape.quadratic_size()), shape.width()));
}

MaskMessages MaskRows::Prove(const Constraints::Combination& combination,
                             const std::vector<Fp2>& gammas,
                             const std::vector<Fp2>& triple_gammas) const {
  MaskMessages messages;
  messages.low_degree = blinder(0);
  messages.linear = blinder(1);
  for (std::uint64_t i = 0; i < shape_.pad_rows(); ++i) {
    AddScaled(messages.low_degree, rows_[i], gammas[i]);
    const std::span coefficients(combination.coefficients.data() + i * shape_.width(),
                                 shape_.width());
    AddScaled(messages.linear, MultiplyPolynomials(InterpolateOnRoots(coefficients), rows_[i]),
              Fp2(1));
  }
  std::vector<Fp2> products = blinder(2);
  for (std::uint64_t l = 0; l < shape_.triple_rows(); ++l) {
    const std::vector<Fp2>& x = rows_[shape_.linear_rows() + l];
    const std::vector<Fp2>& y = rows_[shape_.linear_rows() + shape_.triple_rows() + l];
    const std::vector<Fp2>& z = rows_[shape_.linear_rows() + 2 * shape_.triple_rows() + l];
    AddScaled(products, z, triple_gammas[l]);
    AddScaled(products, MultiplyPolynomials(x, y), -triple_gammas[l]);
  }
  messages.quadratic = OverVanishing(std::move(products), shape_.width());
  return messages;
}

}  // namespace flair::zk
