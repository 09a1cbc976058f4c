// TrainingPlan: everything about a proof of training that follows from circuit and statement.
//
// Both ends make it by themselves: layouts, the witness's shape, how many values and products
// will be passed, and from these every length of the proof. docs/spec/training.md.
//
// Place: zk/training; used by both sides. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/relation/layout.h"
#include "zk/training/links.h"
#include "zk/training/long_lived.h"
#include "zk/training/statement.h"

namespace flair::zk {

inline constexpr std::string_view kTrainingProtocol = "flair training v1";

// What a proof is about, beside the statement: derived from the program that it names. Borrowed.
struct TrainingInputs {
  const circuit::Circuit* circuit = nullptr;
  const Publics* publics = nullptr;     // of the statement's steps
  std::span<const std::uint32_t> rows;  // records of every step's batch, step after step
  std::span<const DataColumn> columns;  // of the data set
};

class TrainingPlan {
 public:
  // Errors: kInvalidArgument: the statement's matrices are not the circuit's, rows that there are
  // not, a circuit that does not fit, or less than kSoundnessBits unless the queries are fixed.
  static Result<TrainingPlan> Make(const TrainingStatement& statement, const TrainingInputs& inputs,
                                   QueryPolicy policy = {});

  const TrainingStatement& statement() const { return statement_; }
  const TrainingInputs& inputs() const { return inputs_; }
  const Layout& layout() const { return *layout_; }
  const BatchPlan& batch() const { return *batch_; }
  // The statement's matrices with their layouts, in its order.
  std::span<const LinkedMatrix> matrices() const { return matrices_; }

  // The script after the lookups, at either end. Returns its claims.
  std::vector<Claim> RunScript(Transcript& transcript, Channel& channel, LinkWitness* links,
                               RelationWitness* relations) const;

 private:
  TrainingPlan() = default;
  Status LinkMatrices();

  TrainingStatement statement_;
  TrainingInputs inputs_;
  std::unique_ptr<LongLived> data_;
  std::unique_ptr<LongLived> weights_;
  std::unique_ptr<LongLived> state_;
  std::vector<LinkedMatrix> matrices_;
  std::unique_ptr<Layout> layout_;
  std::unique_ptr<BatchPlan> batch_;
};

}  // namespace flair::zk
