// TailClaims: what a tail shows of the combined rows, as one sum over its vector.
//
// Of a group's row u: <eq(point, .), cells> = value, and u(x_j) = sum_j at every opened column.
// Claim k counts eta^k, by group its value first, then its columns in order:
//   sum_o U[o] Omega[o] = sum_k eta^k claim_k
// docs/spec/tail.md.
//
// Place: zk/tail; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "zk/tail/tail_plan.h"

namespace flair::zk {

struct TailClaims {
  std::vector<Fp2> point;  // kappa coordinates
  Fp2 value;
  std::vector<Fp> columns;  // x_j of the opened columns
  std::vector<Fp2> sums;    // u(x_j)
};

// All but the sums, of the row of a group of matrices of this shape; the point is the common one.
TailClaims ClaimsOfRow(const MatrixShape& shape, std::span<const Fp2> point, Fp2 value,
                       std::span<const std::uint64_t> columns);

// sum_k eta^k claim_k.
Fp2 SumOf(std::span<const TailClaims> groups, Fp2 eta);

// The multilinear extension of Omega. REQUIRES: as many coordinates as the plan has variables.
Fp2 TailWeightAt(const TailPlan& plan, std::span<const TailClaims> groups, Fp2 eta,
                 std::span<const Fp2> point);

}  // namespace flair::zk
