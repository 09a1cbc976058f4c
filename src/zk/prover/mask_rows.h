// MaskRows: a proof's pads, the rows that commit to them, and the messages that prove what
// holds between them. mask/mask_shape.h says what they are.
//
// Place: zk/prover, over mask and poly. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/mask/mask_shape.h"
#include "zk/mask/masked.h"
#include "zk/prover/random_elements.h"

namespace flair::zk {

class MaskRows {
 public:
  MaskRows(const MaskShape& shape, RandomElements& random);

  Fp2 pad(std::uint64_t place) const { return pads_[place]; }
  // Coefficients of K-row i, lowest first; at most C + h of them.
  const std::vector<Fp2>& row(std::uint64_t i) const { return rows_[i]; }

  // REQUIRES: the combination's coefficients for every place; a gamma for each pad row, a
  // gamma' for each triple row; the combined constraint holds.
  MaskMessages Prove(const Constraints::Combination& combination, const std::vector<Fp2>& gammas,
                     const std::vector<Fp2>& triple_gammas) const;

 private:
  const std::vector<Fp2>& blinder(std::size_t which) const {
    return rows_[shape_.pad_rows() + which];
  }

  MaskShape shape_;
  std::vector<Fp2> pads_;
  std::vector<std::vector<Fp2>> rows_;
};

}  // namespace flair::zk
