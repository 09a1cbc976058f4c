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
#include <span>
#include <vector>

#include "zk/prover/k_kernels.h"
#include "zk/relation/relations.h"

namespace flair::zk {

// prod eq(tau_i, x_i), variable 0 first, in two factors: of the lowest variables, those that
// `low_size` values have, zero up to whole lanes; and of the others. A variable without tau is
// summed over: 1 at both ends.
struct EqInTwo {
  EqInTwo(std::span<const std::optional<Fp2>> tau, std::uint64_t low_size);

  bool low_is_one;  // no low variable has a tau
  KVector low;
  std::vector<Fp2> high;
};

class TableSum final : public RelationWitness::Product {
 public:
  // `tables`: of 2^|tau| elements each, in the order of the term's factors.
  TableSum(std::vector<std::optional<Fp2>> tau, std::vector<KVector> tables);
  // Factor f is table factors[f]: some may share one.
  TableSum(std::vector<std::optional<Fp2>> tau, std::vector<KVector> tables,
           std::vector<std::size_t> factors);

  Fp2 Value() const override;
  std::vector<Fp2> Round(Fp2 claim) override;
  void Fold(Fp2 r) override;
  Fp2 Last(std::size_t table) const override { return tables_[factors_[table]].at(0); }

 private:
  // Over the variables that are left, without the first `skip` of them.
  EqInTwo EqWithout(std::size_t skip) const;
  // A part of a round's sums at 0, 1, ..., without those of eq's high factor.
  void AddPairs(std::uint64_t begin, std::uint64_t n, const EqInTwo& eq, bool implied,
                std::vector<Fp2>& at) const;

  std::vector<std::optional<Fp2>> tau_;
  std::vector<KVector> tables_;
  std::vector<std::size_t> factors_;
  std::size_t round_ = 0;
  std::uint64_t size_;  // of what is left
  const KKernels& kernels_;
};

}  // namespace flair::zk
