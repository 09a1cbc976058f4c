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
                  const GroupOpening& opening) {
  if (opening.combined_row.size() != members[0].shape.row_length()) {
    return Error(ErrorCode::kRejected,
                 "the combined row has " + std::to_string(opening.combined_row.size()) +
                     " coefficients instead of " + std::to_string(members[0].shape.row_length()));
  }
  if (opening.matrices.size() != members.size()) {
    return Error(ErrorCode::kRejected, "another number of matrices is opened");
  }
  for (std::size_t m = 0; m < members.size(); ++m) {
    const OpenedMatrix& opened = opening.matrices[m];
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

// The combined row at every column, by transforms of its two halves over F.
std::vector<Fp2> EncodeRow(const MatrixShape& shape, std::span<const Fp2> row,
                           std::span<const std::uint64_t> columns) {
  const std::uint64_t num_columns = shape.num_columns();
  std::vector<std::uint64_t> cells(num_columns * kTileRows);
  std::vector<std::uint64_t> pads(shape.num_pads * kTileRows);
  for (std::uint64_t k = 0; k < row.size(); ++k) {
    std::uint64_t* const at =
        k < num_columns ? &cells[k * kTileRows] : &pads[(k - num_columns) * kTileRows];
    at[0] = row[k].a.value();
    at[1] = row[k].b.value();
  }
  const Code code(shape);
  std::vector<Fp2> values(columns.size());
  std::vector<std::uint64_t> codeword(cells.size());
  for (std::uint64_t coset = 0; coset < code.num_cosets(); ++coset) {
    code.EncodeCoset(coset, cells, pads, codeword);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto [at_coset, place] = code.PlaceOf(columns[i]);
      if (at_coset != coset) continue;
      values[i] = Fp2(Fp(codeword[place * kTileRows]), Fp(codeword[place * kTileRows + 1]));
    }
  }
  return values;
}

}  // namespace

Status CheckGroup(std::span<const GroupMember> members, std::span<const std::uint64_t> columns,
                  const GroupOpening& opening) {
  FLAIR_CHECK(!members.empty()) << "a group of nothing";
  FLAIR_DO(CheckSizes(members, columns.size(), opening));
  for (std::size_t m = 0; m < members.size(); ++m) {
    FLAIR_CHECK(SameGroup(members[m].shape, members[0].shape) &&
                members[m].weights.size() == members[m].shape.num_rows)
        << "matrices of several groups, or other weights";
    FLAIR_DO(CheckRoot(members[m], m, columns, opening.matrices[m]));
  }
  const std::vector<Fp2> row = EncodeRow(members[0].shape, opening.combined_row, columns);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Fp2 sum;
    for (std::size_t m = 0; m < members.size(); ++m) {
      const std::vector<Fp>& column = opening.matrices[m].columns[i];
      for (std::size_t r = 0; r < column.size(); ++r) sum += members[m].weights[r] * column[r];
    }
    // SOUNDNESS: the combined row is the combination of the committed rows. Attack: a row off
    // the code, a combined row of other values.
    if (sum != row[i]) {
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
