// A factor of a product as a table over the axes of its sum.
//
// Place: zk/prover, over relation. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/prover/k_vector.h"
#include "zk/relation/product.h"

namespace flair::zk {

// All of a factor's axes are the sum's, and nothing weighs them: its table is over F.
bool IsPlain(const ProductPlan& plan, const FactorPlan& factor);
// One step's cells of such a factor into the table, its other elements as they are. `sizes` as
// below.
void FillPlain(const ProductPlan& plan, const FactorPlan& factor,
               std::span<const std::uint64_t> sizes, std::span<const std::int64_t> cells,
               std::uint64_t step, std::uint64_t* table);

// Folds one step's cells of a factor and adds them, times `weight`, to the table from `first` on.
class FactorTable {
 public:
  // `sizes`: of the read's axes.
  FactorTable(const ProductPlan& plan, const FactorPlan& factor, std::vector<std::uint64_t> sizes);

  void Add(std::span<const std::int64_t> cells, Fp2 weight, std::uint64_t first, KSpan table) const;

 private:
  std::vector<Fp2> Fold(std::span<const std::int64_t> cells) const;

  const FactorPlan& factor_;
  std::vector<std::uint64_t> sizes_;
  // Cells lie at kept offset + folded offset.
  std::vector<std::uint64_t> kept_offsets_;
  std::vector<std::uint64_t> folded_offsets_;
  std::vector<Fp2> folded_weights_;
  std::vector<Fp2> kept_weights_;  // empty: all 1
  bool innermost_is_kept_ = true;
  // Kept axes, in order, when the couplings have been applied: strides in the table.
  std::vector<std::uint64_t> strides_;
};

}  // namespace flair::zk
