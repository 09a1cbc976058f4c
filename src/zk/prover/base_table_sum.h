// BaseTableSum: a sum of a product of two tables over F, as of two numbers cell by cell.
//
//   S = sum_x prod_i eq(tau_i, x_i) f(x) g(x)
//
// The first round is summed over F, and the first fold brings the tables to K, half as long: it is
// a TableSum from then on. A square has one table.
//
// Place: zk/prover, over sumcheck. Thread safety: one thread at a time; it uses the machine's
// threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "zk/prover/table_sum.h"

namespace flair::zk {

class BaseTableSum final : public RelationWitness::Product {
 public:
  // Canonical tables of 2^|tau| elements; `g` is null where it is f.
  // REQUIRES: at least kMinVariables of them.
  static constexpr std::size_t kMinVariables = 5;
  BaseTableSum(std::vector<std::optional<Fp2>> tau, Words f, Words g);

  Fp2 Value() const override;
  std::vector<Fp2> Round(Fp2 claim) override;
  void Fold(Fp2 r) override;
  // REQUIRES: a fold.
  Fp2 Last(std::size_t table) const override { return rest_->Last(table); }

 private:
  std::array<Fp2, 3> FirstSums() const;

  std::vector<std::optional<Fp2>> tau_;
  Words f_;
  Words g_;
  std::array<Fp2, 3> first_;  // h of the first round at 0, 1 and 2
  std::optional<TableSum> rest_;
};

}  // namespace flair::zk
