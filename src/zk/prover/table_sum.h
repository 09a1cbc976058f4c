// TableSum: a sum of one product, from tables in memory.
//
//   S = sum_x prod_i eq(tau_i, x_i) prod_j f_j(x)
//
// Place: zk/prover, over sumcheck. Thread safety: one thread at a time; it uses the machine's
// threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "zk/prover/k_kernels.h"
#include "zk/relation/relations.h"

namespace flair::zk {

class TableSum final : public RelationWitness::Product {
 public:
  // `tables`: of 2^|tau| elements each, in the order of the term's factors.
  TableSum(std::vector<std::optional<Fp2>> tau, std::vector<KVector> tables);

  Fp2 Value() const override;
  std::vector<Fp2> Round(Fp2 claim) override;
  void Fold(Fp2 r) override;
  Fp2 Last(std::size_t table) const override { return tables_[table].at(0); }

 private:
  // prod eq(tau_i, x_i) over the variables that are left, without the first `skip` of them, in two
  // factors: within a chunk, zero up to whole lanes, and of each chunk.
  struct EqOfRest {
    KVector low;
    std::vector<Fp2> high;
  };
  EqOfRest EqWithout(std::size_t skip) const;

  std::vector<std::optional<Fp2>> tau_;
  std::vector<KVector> tables_;
  std::size_t round_ = 0;
  std::uint64_t size_;  // of what is left
  const KKernels& kernels_;
};

}  // namespace flair::zk
