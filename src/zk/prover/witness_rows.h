// WitnessRows: the rows of a proof's witness matrix: data, the blinding row, the mask rows.
//
// Place: zk/prover, over batch. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "zk/batch/batch_plan.h"
#include "zk/prover/committed_matrix.h"

namespace flair::zk {

class WitnessRows final : public RowSource {
 public:
  // `blinder`: C cells, whose pads come from the seed. `mask_rows`: coefficients of the K-rows.
  WitnessRows(const BatchPlan& plan, std::shared_ptr<const RowSource> data,
              std::vector<Fp2> blinder, std::vector<std::vector<Fp2>> mask_rows);

  void ReadPart(std::uint64_t row, std::uint64_t first,
                std::span<std::uint64_t> cells) const override;
  bool ReadTile(std::uint64_t first_row, std::span<std::uint64_t> tile) const override;
  bool ReadPads(std::uint64_t row, std::span<std::uint64_t> pads) const override;

 private:
  std::uint64_t first_mask_row_;
  std::uint64_t blinder_row_;
  std::shared_ptr<const RowSource> data_;
  std::vector<Fp2> blinder_;
  std::vector<std::vector<Fp2>> mask_rows_;
};

// A row over K as two rows over F: a companion's cells.
std::shared_ptr<const RowSource> TwoRows(const std::vector<Fp2>& row);

}  // namespace flair::zk
