// TrainingProver: shows that a run's steps are what the statement says. docs/spec/training.md.
//
// Place: zk/prover, over training. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "zk/prover/committed_matrix.h"
#include "zk/prover/run_values.h"
#include "zk/training/training_plan.h"

namespace flair::zk {

// The cells of a carried matrix. `values`: by ValueId, the carried numbers' cells.
std::vector<std::uint64_t> CarriedCells(const LongLived& layout,
                                        const std::vector<circuit::Ints>& values);
// Of a data matrix. `values`: of each column all records' values, record after record.
// Errors: kInvalidArgument for a value out of its column's range, naming column, record and value.
Result<std::vector<std::uint64_t>> DataCells(std::span<const DataColumn> columns,
                                             const LongLived& layout, std::uint64_t num_records,
                                             std::span<const std::span<const std::int64_t>> values);

// Told before each stage; an error ends the proof with it (kCancelled).
using Progress = std::function<Status(std::string_view stage)>;

// Asked before columns of a matrix of the statement are shown; its error ends the proof.
using ReserveColumns = std::function<Status(Role role, std::span<const std::uint64_t> columns)>;

struct ProverHooks {
  Progress progress;
  ReserveColumns reserve;
};

// Proves the run. `matrices`: the statement's, in its order. `env` gives the randomness that hides
// the witness. The proof is verified by whoever wants to be sure of it before it leaves.
// Errors: kInvalidArgument for a run that breaks the circuit's lookups, naming the cell; those of
// the hooks.
Result<Bytes> ProveTraining(const TrainingPlan& plan, RunValues& values,
                            std::vector<const CommittedMatrix*> matrices, Env& env,
                            const ProverHooks& hooks = {});

// The same from the witness's cells as they are, counts of lookups among them, with what `links`
// says of the statement's matrices. What is not so makes a proof that nobody accepts: tests of the
// verifier ask for it.
Result<Bytes> ProveCells(const TrainingPlan& plan, std::vector<std::int32_t> cells,
                         RunValues& values, LinkWitness& links,
                         std::vector<const CommittedMatrix*> matrices, Env& env,
                         const ProverHooks& hooks = {});

// What the matrices hold. `matrices`: the statement's, in its order; borrowed.
std::unique_ptr<LinkWitness> LinksOf(const TrainingPlan& plan,
                                     std::vector<const CommittedMatrix*> matrices);

}  // namespace flair::zk
