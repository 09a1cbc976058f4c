// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/mask_check.h"

#include <bit>
#include <string>

#include "zk/poly/kpoly.h"

namespace flair::zk {
namespace {

Error Rejected(const std::string& what) { return {ErrorCode::kRejected, "masks: " + what}; }

// L_p(x), p < width: values on H to the value at x. With w_p the p-th root,
//   L_p(x) = (x^width - 1)/width * w_p/(x - w_p).
std::vector<Fp> LagrangeAt(std::uint64_t width, Fp x) {
  const auto log_width = static_cast<unsigned>(std::countr_zero(width));
  const Fp root = RootOfUnity(log_width);
  // One inversion for all: of the product, then backwards.
  std::vector<Fp> roots(width);
  std::vector<Fp> before(width);
  Fp power(1);
  Fp product(1);
  for (std::uint64_t p = 0; p < width; ++p, power *= root) {
    roots[p] = power;
    before[p] = product;
    product *= x - power;
  }
  const Fp scale = (x.Pow(width) - Fp(1)) * Fp(width).Inverse();
  std::vector<Fp> lagrange(width);
  Fp inverse = product.Inverse();
  for (std::uint64_t p = width; p-- > 0;) {
    lagrange[p] = scale * roots[p] * (inverse * before[p]);
    inverse *= x - roots[p];
  }
  return lagrange;
}

}  // namespace

Status CheckMaskMessages(const MaskShape& shape, const MaskChallenges& challenges,
                         const MaskMessages& messages) {
  if (messages.low_degree.size() != shape.low_degree_size() ||
      messages.linear.size() != shape.linear_size() ||
      messages.quadratic.size() != shape.quadratic_size()) {
    return Rejected("a message of another length");
  }
  Fp2 sum;
  for (std::size_t i = 0; i < messages.linear.size(); i += shape.width()) {
    sum += messages.linear[i];
  }
  // SOUNDNESS: the combined constraint holds for the pads. Attack: a false constraint.
  if (sum * Fp(shape.width()) != challenges.combination.target) {
    return Rejected("a constraint between pads does not hold");
  }
  return OkStatus();
}

Status CheckMaskColumn(const MaskShape& shape, const MaskChallenges& challenges,
                       const MaskMessages& messages, Fp x, std::span<const Fp2> rows) {
  const std::uint64_t width = shape.width();
  const std::span blinders = rows.subspan(shape.pad_rows(), 3);
  Fp2 low_degree = blinders[0];
  for (std::uint64_t i = 0; i < shape.pad_rows(); ++i) {
    low_degree += challenges.gammas[i] * rows[i];
  }
  // SOUNDNESS: mask rows have low degree. Attack: a mask row of high degree.
  if (low_degree != EvaluateAt(messages.low_degree, x)) {
    return Rejected("a row is of too high a degree");
  }

  const std::vector<Fp> lagrange = LagrangeAt(width, x);
  Fp2 linear = blinders[1];
  for (std::uint64_t i = 0; i < shape.pad_rows(); ++i) {
    Fp2 coefficient;
    for (std::uint64_t p = 0; p < width; ++p) {
      coefficient += challenges.combination.coefficients[i * width + p] * lagrange[p];
    }
    linear += coefficient * rows[i];
  }
  // SOUNDNESS: q_d is what the pads make it. Attack: a q_d of the right sum alone.
  if (linear != EvaluateAt(messages.linear, x)) {
    return Rejected("the linear message contradicts the pads");
  }

  Fp2 quadratic = blinders[2];
  for (std::uint64_t l = 0; l < shape.triple_rows(); ++l) {
    const Fp2 x_row = rows[shape.linear_rows() + l];
    const Fp2 y_row = rows[shape.linear_rows() + shape.triple_rows() + l];
    const Fp2 z_row = rows[shape.linear_rows() + 2 * shape.triple_rows() + l];
    quadratic += challenges.triple_gammas[l] * (z_row - x_row * y_row);
  }
  const Fp vanishing = x.Pow(width) - Fp(1);
  // SOUNDNESS: Z = X Y on H. Attack: a false triple.
  if (quadratic != EvaluateAt(messages.quadratic, x) * vanishing) {
    return Rejected("a triple is no product");
  }
  return OkStatus();
}

}  // namespace flair::zk
