// All columns of a matrix, to be lied about and committed to by a tree of the lies.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "zk/prover/committed_matrix.h"

namespace flair::zk {

class ColumnTable {
 public:
  using Columns = std::vector<std::vector<Fp>>;

  explicit ColumnTable(const CommittedMatrix& matrix) {
    std::vector<std::uint64_t> all(matrix.shape().n());
    for (std::size_t j = 0; j < all.size(); ++j) all[j] = j;
    table_ = matrix.Open(all);
    Change([](Columns&) {});
  }

  const Digest& root() const { return tree_->root(); }
  void Change(const std::function<void(Columns&)>& change) {
    change(table_.columns);
    std::vector<Digest> leaves;
    for (std::size_t j = 0; j < table_.columns.size(); ++j) {
      leaves.push_back(ColumnLeaf(j, table_.salts[j], table_.columns[j]));
    }
    tree_.emplace(std::move(leaves));
  }
  OpenedMatrix Open(std::span<const std::uint64_t> columns) const {
    OpenedMatrix opened;
    for (const std::uint64_t j : columns) {
      opened.columns.push_back(table_.columns[j]);
      opened.salts.push_back(table_.salts[j]);
    }
    opened.path = tree_->Path(columns);
    return opened;
  }

 private:
  OpenedMatrix table_;
  std::optional<MerkleTree> tree_;
};

}  // namespace flair::zk
