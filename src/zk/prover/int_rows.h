// IntRows: a witness as the integers that it is, row after row, zeros behind the last.
//
// Place: zk/prover. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "zk/prover/committed_matrix.h"

namespace flair::zk {

class IntRows final : public RowSource {
 public:
  IntRows(std::vector<std::int32_t> cells, std::uint64_t num_columns)
      : cells_(std::move(cells)), num_columns_(num_columns) {}

  const std::vector<std::int32_t>& cells() const { return cells_; }
  void ReadPart(std::uint64_t row, std::uint64_t first,
                std::span<std::uint64_t> out) const override;
  bool ReadTile(std::uint64_t first_row, std::span<std::uint64_t> tile) const override;

 private:
  std::vector<std::int32_t> cells_;
  std::uint64_t num_columns_;
};

}  // namespace flair::zk
