// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/group_check.h"

#include <string>

#include "base/check.h"
#include "zk/hash/merkle.h"
#include "zk/pcs/code.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

Error Rejected(std::size_t matrix, const std::string& what) {
  return {ErrorCode::kRejected, "matrix " + std::to_string(matrix) + " of the group: " + what};
}

Status CheckSizes(std::span<const GroupMember> members, std::size_t num_queries,
                  std::span<const OpenedMatrix> matrices) {
  if (matrices.size() != members.size()) {
    return Error(ErrorCode::kRejected, "another number of matrices is opened");
  }
  for (std::size_t m = 0; m < members.size(); ++m) {
    const OpenedMatrix& opened = matrices[m];
    if (opened.columns.size() != num_queries || opened.salts.size() != num_queries) {
      return Rejected(m, "another number of columns is opened");
    }
    for (const std::vector<Fp>& column : opened.columns) {
      if (column.size() != members[m].shape.num_rows)
        return Rejected(m, "a column of another height");
    }
  }
  return OkStatus();
}

Status CheckRoot(const GroupMember& member, std::size_t m, std::span<const std::uint64_t> columns,
                 const OpenedMatrix& opened) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    leaves.push_back(ColumnLeaf(columns[i], opened.salts[i], opened.columns[i]));
  }
  const auto root = RootOf(member.shape.log_n, columns, leaves, opened.path);
  if (!root.ok()) return Rejected(m, root.error().message());
  // SOUNDNESS: the columns are the committed ones. Attack: a changed column.
  if (*root != member.root) return Rejected(m, "its columns are not under its root");
  return OkStatus();
}

}  // namespace

Result<std::vector<Fp2>> CombineColumns(std::span<const GroupMember> members,
                                        std::span<const std::uint64_t> columns,
                                        std::span<const OpenedMatrix> matrices) {
  FLAIR_CHECK(!members.empty()) << "a group of nothing";
  FLAIR_DO(CheckSizes(members, columns.size(), matrices));
  std::vector<Fp2> sums(columns.size());
  for (std::size_t m = 0; m < members.size(); ++m) {
    FLAIR_CHECK(SameGroup(members[m].shape, members[0].shape) &&
                members[m].weights.size() == members[m].shape.num_rows)
        << "matrices of several groups, or other weights";
    FLAIR_DO(CheckRoot(members[m], m, columns, matrices[m]));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::vector<Fp>& column = matrices[m].columns[i];
      for (std::size_t r = 0; r < column.size(); ++r) sums[i] += members[m].weights[r] * column[r];
    }
  }
  return sums;
}

Status CheckGroup(std::span<const GroupMember> members, std::span<const std::uint64_t> columns,
                  const GroupOpening& opening) {
  if (opening.combined_row.size() != members[0].shape.row_length()) {
    return Error(ErrorCode::kRejected,
                 "the combined row has " + std::to_string(opening.combined_row.size()) +
                     " coefficients instead of " + std::to_string(members[0].shape.row_length()));
  }
  FLAIR_TRY(const std::vector<Fp2> sums, CombineColumns(members, columns, opening.matrices));
  const std::vector<Fp2> row = EncodeAt(members[0].shape, opening.combined_row, columns);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    // SOUNDNESS: the combined row is the combination of the committed rows. Attack: a row off
    // the code, a combined row of other values.
    if (sums[i] != row[i]) {
      return Error(ErrorCode::kRejected,
                   "column " + std::to_string(columns[i]) + " contradicts the combined row");
    }
  }
  return OkStatus();
}

Fp2 ValueOfRow(std::span<const Fp2> point, std::span<const Fp2> combined_row) {
  const std::vector<Fp2> eq = EqTable(point);
  FLAIR_CHECK(eq.size() <= combined_row.size()) << "a point of too many coordinates";
  Fp2 value;
  for (std::size_t j = 0; j < eq.size(); ++j) value += eq[j] * combined_row[j];
  return value;
}

}  // namespace flair::zk
