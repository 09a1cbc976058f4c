// WeightsPlan: everything about a proof over commitments to weights that follows from its
// statement and circuit, and the script that both ends run.
//
// The circuit has one step and numbers that the matrices hold, tensor by tensor; its zeros and
// tables say what holds between them.
//
// Place: zk/weights, over relation, lookup and batch; used by both sides.
// Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/relation/layout.h"
#include "zk/relation/relations.h"
#include "zk/training/long_lived.h"
#include "zk/weights/weights_statement.h"

namespace flair::zk {

// Numbers of a circuit, in the order in which a matrix holds them, as carried ones lie.
// Errors: kInvalidArgument for more than 2^32 cells.
Result<LongLived> NumbersLayout(const circuit::Circuit& circuit,
                                std::span<const circuit::ValueId> numbers);

struct WeightsInputs {
  const circuit::Circuit* circuit = nullptr;           // borrowed; without publics
  std::vector<std::vector<circuit::ValueId>> numbers;  // by matrix: what it holds
};

// What only the prover has.
class WeightsWitness {
 public:
  virtual ~WeightsWitness() = default;
  // The number's value at a point on its axes.
  virtual Fp2 ValueAt(circuit::ValueId number, const std::vector<AxisFunctional>& axes) = 0;
};

class WeightsPlan {
 public:
  // Errors: kInvalidArgument for matrices that cannot hold the numbers, a circuit with publics, and
  // what BatchPlan refuses.
  static Result<WeightsPlan> Make(const WeightsStatement& statement, WeightsInputs inputs,
                                  QueryPolicy policy = {});

  const WeightsStatement& statement() const { return statement_; }
  const circuit::Circuit& circuit() const { return *inputs_.circuit; }
  const Layout& layout() const { return *layout_; }
  const BatchPlan& batch() const { return *batch_; }
  // The script after the lookups, at either end. Returns its claims.
  std::vector<Claim> RunScript(Transcript& transcript, Channel& channel, WeightsWitness* weights,
                               RelationWitness* relations) const;

 private:
  WeightsPlan() = default;
  Status CheckMatrices();

  WeightsStatement statement_;
  WeightsInputs inputs_;
  std::vector<LongLived> held_;  // by matrix
  std::shared_ptr<const Layout> layout_;
  std::shared_ptr<const BatchPlan> batch_;
};

}  // namespace flair::zk
