// SPDX-License-Identifier: Apache-2.0
#include "zk/tail/tail_claims.h"

#include "zk/pcs/code.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

// prod_i (p_i r_i + (1 - p_i)(1 - r_i))
Fp2 EqOf(std::span<const Fp2> p, std::span<const Fp2> r) {
  Fp2 product(1);
  for (std::size_t i = 0; i < p.size(); ++i) {
    product *= p[i] * r[i] + (Fp2(1) - p[i]) * (Fp2(1) - r[i]);
  }
  return product;
}

// The multilinear extension at r of x^i, i < 2^|r|.
Fp2 PowersAt(Fp x, std::span<const Fp2> r) {
  Fp2 product(1);
  for (const Fp2& coordinate : r) {
    product *= Fp2(1) - coordinate + coordinate * x;
    x *= x;
  }
  return product;
}

}  // namespace

TailClaims ClaimsOfRow(const MatrixShape& shape, std::span<const Fp2> point, Fp2 value,
                       std::span<const std::uint64_t> columns) {
  const auto own = point.first(shape.log_columns);
  TailClaims claims{.point = {own.begin(), own.end()}, .value = value, .columns = {}, .sums = {}};
  for (const std::uint64_t column : columns) claims.columns.push_back(PointAt(shape, column));
  return claims;
}

Fp2 SumOf(std::span<const TailClaims> groups, Fp2 eta) {
  Fp2 sum;
  Fp2 power(1);
  const auto add = [&](Fp2 claim) {
    sum += power * claim;
    power *= eta;
  };
  for (const TailClaims& group : groups) {
    add(group.value);
    for (const Fp2& at : group.sums) add(at);
  }
  return sum;
}

Fp2 TailWeightAt(const TailPlan& plan, std::span<const TailClaims> groups, Fp2 eta,
                 std::span<const Fp2> point) {
  std::vector<Fp2> first;  // eta^k of each group's value
  Fp2 power(1);
  for (const TailClaims& group : groups) {
    first.push_back(power);
    power *= eta.Pow(1 + group.columns.size());
  }
  Fp2 sum;
  for (const TailPiece& piece : plan.pieces) {
    const TailClaims& group = groups[piece.group];
    const auto low = point.first(piece.log_size);
    Fp2 weight;
    Fp2 factor = first[piece.group];
    if (piece.begin == 0) weight = factor * EqOf(group.point, low);
    for (const Fp x : group.columns) {
      factor *= eta;
      weight += factor * x.Pow(piece.begin) * PowersAt(x, low);
    }
    sum += weight * EqAt(point.subspan(piece.log_size), piece.offset >> piece.log_size);
  }
  return sum;
}

}  // namespace flair::zk
