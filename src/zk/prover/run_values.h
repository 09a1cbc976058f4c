// RunValues: the integers of all steps of a proof, and the tables that its sums are about.
//
// Numbers are kept, forms are computed again from them when a sum is about one.
//
// Place: zk/prover, over circuit and relation. Thread safety: const methods from any thread;
// they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "circuit/run.h"
#include "zk/prover/k_vector.h"
#include "zk/relation/layout.h"
#include "zk/relation/relations.h"

namespace flair::zk {

class RunValues final : public Publics, public RelationWitness {
 public:
  // Borrows the circuit.
  explicit RunValues(const circuit::Circuit& circuit);

  // The next step. REQUIRES: state begins where the step before ended.
  void Add(circuit::StepValues step) { Take(step); }
  // The same, leaving the step nothing but what its state became.
  void Take(circuit::StepValues& step);
  std::uint64_t num_steps() const { return num_steps_; }

  // The witness's cells: limbs where the layout has them, multiplicities 0.
  // REQUIRES: a layout of as many steps.
  std::vector<std::int32_t> Cells(const Layout& layout) const;

  std::span<const std::int64_t> CellsOf(circuit::ValueId id) const override { return values_[id]; }
  std::unique_ptr<Product> Tables(const ProductPlan& plan) override;

 private:
  // What a read sees in a step.
  std::span<const std::int64_t> Read(const circuit::Read& read, std::uint64_t step,
                                     circuit::Ints& scratch) const;
  KVector TableOf(const ProductPlan& plan, const FactorPlan& factor) const;
  Words PlainTableOf(const ProductPlan& plan, const FactorPlan& factor, std::uint64_t size) const;
  // Two plain factors and nothing public; null where they are something else.
  std::unique_ptr<Product> PlainTables(const ProductPlan& plan) const;

  const circuit::Circuit& circuit_;
  std::uint64_t num_steps_ = 0;
  std::vector<circuit::Ints> values_;  // by ValueId: numbers and publics, step after step
};

}  // namespace flair::zk
