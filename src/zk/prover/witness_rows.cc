// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/witness_rows.h"

#include <utility>

namespace flair::zk {
namespace {

// Part a or b of the coefficients from `first` on, zero behind the last.
void Copy(const std::vector<Fp2>& coefficients, std::uint64_t part, std::size_t first,
          std::span<std::uint64_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Fp2 v = first + i < coefficients.size() ? coefficients[first + i] : Fp2();
    out[i] = (part == 0 ? v.a : v.b).value();
  }
}

}  // namespace

WitnessRows::WitnessRows(const BatchPlan& plan, std::shared_ptr<const RowSource> data,
                         std::vector<Fp2> blinder, std::vector<std::vector<Fp2>> mask_rows)
    : first_mask_row_(plan.first_mask_row()),
      blinder_row_(plan.blinder_row()),
      data_(std::move(data)),
      blinder_(std::move(blinder)),
      mask_rows_(std::move(mask_rows)) {}

void WitnessRows::ReadPart(std::uint64_t row, std::uint64_t first,
                           std::span<std::uint64_t> cells) const {
  if (row < blinder_row_) {
    data_->ReadPart(row, first, cells);
  } else if (row < first_mask_row_) {
    Copy(blinder_, row - blinder_row_, first, cells);
  } else {
    Copy(mask_rows_[(row - first_mask_row_) / 2], (row - first_mask_row_) % 2, first, cells);
  }
}

bool WitnessRows::ReadTile(std::uint64_t first_row, std::span<std::uint64_t> tile) const {
  return first_row + kTileRows <= blinder_row_ && data_->ReadTile(first_row, tile);
}

bool WitnessRows::ReadPads(std::uint64_t row, std::span<std::uint64_t> pads) const {
  if (row < first_mask_row_) return false;
  const std::vector<Fp2>& coefficients = mask_rows_[(row - first_mask_row_) / 2];
  Copy(coefficients, (row - first_mask_row_) % 2, blinder_.size(), pads);
  return true;
}

std::shared_ptr<const RowSource> TwoRows(const std::vector<Fp2>& row) {
  std::vector<std::uint64_t> cells(2 * row.size());
  for (std::size_t j = 0; j < row.size(); ++j) {
    cells[j] = row[j].a.value();
    cells[row.size() + j] = row[j].b.value();
  }
  return std::make_shared<StoredRows>(std::move(cells), row.size());
}

}  // namespace flair::zk
