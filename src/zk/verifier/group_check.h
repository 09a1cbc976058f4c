// GroupCheck: do the opened columns of a group agree with its combined row?
//
// Everything that was shown is hostile: every length is computed from the shapes and compared
// before anything is read. Together with the unique-decoding radius (pcs/shape.h) a group that
// passes is close to codewords, and the combined row is the combination of their rows.
// docs/spec/commitment.md.
//
// Place: zk/verifier, over pcs and hash. Knows no prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/pcs/opening.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

// A matrix as the verifier knows it, with the weights of its rows in the combined row.
struct GroupMember {
  MatrixShape shape;
  Digest root;
  std::vector<Fp2> weights;  // R
};

// At every column the members' entries by their weights, where sizes and roots are right.
// REQUIRES and errors: as below.
Result<std::vector<Fp2>> CombineColumns(std::span<const GroupMember> members,
                                        std::span<const std::uint64_t> columns,
                                        std::span<const OpenedMatrix> matrices);

// REQUIRES: members of one group, their shapes checked, `columns` ascending, distinct, below n.
// Errors: kRejected names the check that failed, and the matrix.
Status CheckGroup(std::span<const GroupMember> members, std::span<const std::uint64_t> columns,
                  const GroupOpening& opening);

// <eq(point, .), cells of the combined row>: what the claimed values of the group must add up to.
// REQUIRES: |point| = kappa and CheckGroup's length of the row.
Fp2 ValueOfRow(std::span<const Fp2> point, std::span<const Fp2> combined_row);

}  // namespace flair::zk
