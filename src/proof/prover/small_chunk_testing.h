// A chunk of a program's run, proven with matrices and queries of the smallest sizes: for tests
// that make proofs by the hundred. Its verifier is the real one; only its soundness is small.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mem_env.h"
#include "base/sanitizers_testing.h"
#include "program/lower_testing.h"
#include "proof/program_steps.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/lookup_prover.h"
#include "zk/prover/training_prover.h"
#include "zk/verifier/training_verifier.h"

namespace flair::proof {

struct SmallChunkOptions {
  std::uint64_t steps = 2;
  std::uint64_t first_step = 0;
  std::optional<program::Slack> slack;  // the run is recorded, a unit beside the exact one
  std::uint64_t seed = 1;               // of the commitments' pads
  std::optional<bool> has_tail;         // of the proof; none: where it is shorter
};

class SmallChunk {
 public:
  // Errors: a value that leaves its range in the run; those of the plan.
  static Result<SmallChunk> Make(const program::Training& training,
                                 const SmallChunkOptions& options) {
    SmallChunk chunk;
    chunk.lowered_ = std::make_unique<program::Lowered>();
    FLAIR_TRY(*chunk.lowered_, program::Lower(training.program, options.slack));
    chunk.columns_ = zk::ColumnsOf(chunk.lowered_->circuit);
    FLAIR_DO(chunk.Train(training, options));
    chunk.Commit(training, options);
    FLAIR_TRY(ProgramSteps steps,
              ProgramSteps::Make(*chunk.lowered_, {.seed = training.run.seed,
                                                   .first_step = options.first_step,
                                                   .num_steps = options.steps,
                                                   .num_records = training.data.rows}));
    chunk.publics_ = std::make_unique<ProgramSteps>(std::move(steps));
    FLAIR_TRY(zk::TrainingPlan plan,
              zk::TrainingPlan::Make(
                  chunk.statement_,
                  {.circuit = &chunk.circuit(),
                   .publics = chunk.publics_.get(),
                   .rows = chunk.publics_->rows(),
                   .columns = chunk.columns_},
                  {.work_bits = 1, .fixed_queries = 12, .has_tail = options.has_tail}));
    chunk.plan_ = std::make_unique<zk::TrainingPlan>(std::move(plan));
    return chunk;
  }

  const circuit::Circuit& circuit() const { return lowered_->circuit; }
  const zk::TrainingPlan& plan() const { return *plan_; }
  const std::vector<circuit::StepValues>& steps() const { return steps_; }

  zk::RunValues ValuesOf(const std::vector<circuit::StepValues>& steps) const {
    zk::RunValues values(circuit());
    for (const circuit::StepValues& step : steps) values.Add(step);
    return values;
  }
  // The honest witness, lookups counted.
  Result<std::vector<std::int32_t>> Cells(const zk::RunValues& values) const {
    std::vector<std::int32_t> cells = values.Cells(plan_->layout());
    FLAIR_DO(zk::CountLookups(plan_->layout().lookups(), cells));
    return cells;
  }
  Result<Bytes> Prove(std::vector<std::int32_t> cells, zk::RunValues& values, Env& env) const {
    std::vector<const zk::CommittedMatrix*> borrowed;
    for (const auto& m : matrices_) borrowed.push_back(m.get());
    const auto links = zk::LinksOf(*plan_, borrowed);
    return zk::ProveCells(*plan_, std::move(cells), values, *links, std::move(borrowed), env);
  }
  Result<Bytes> Prove(Env& env) const {
    zk::RunValues values = ValuesOf(steps_);
    FLAIR_TRY(std::vector<std::int32_t> cells, Cells(values));
    return Prove(std::move(cells), values, env);
  }
  // "accepted", or why not.
  std::string Judge(ByteView proof) const {
    const Status verdict = zk::VerifyTraining(*plan_, proof);
    return verdict.ok() ? "accepted" : verdict.error().message();
  }

 private:
  static Digest Filled(int byte) {
    Digest digest;
    digest.bytes.fill(static_cast<std::byte>(byte));
    return digest;
  }

  // Weights of a recorded step: every third a unit above, every third a unit below.
  Status Train(const program::Training& training, const SmallChunkOptions& options) {
    program::TrainingRun run = training.run;
    run.first_step = options.first_step;
    run.steps = options.steps;
    std::vector<std::vector<circuit::Ints>> recorded;
    program::TrainingState start = training.state;
    if (options.slack) {
      program::TrainingState state = training.state;
      for (std::uint64_t t = 0; t < options.steps; ++t) {
        FLAIR_TRY(state, program::Train(training.lowered, training.data, std::move(state),
                                        {.seed = run.seed, .first_step = run.first_step + t},
                                        [](const program::TrainingStep&) { return OkStatus(); }));
        std::vector<circuit::Ints>& weights = recorded.emplace_back();
        for (std::size_t i = 0; i < lowered_->parameters.size(); ++i) {
          for (std::size_t cell = 0; cell < state.carried[i].size(); ++cell) {
            state.carried[i][cell] += static_cast<std::int64_t>(cell % 3) - 1;
          }
          weights.push_back(state.carried[i]);
        }
      }
      run.recorded = [&](std::uint64_t step) -> Result<std::vector<circuit::Ints>> {
        return recorded[step - options.first_step];
      };
      start.carried.resize(circuit().carried.size(), {0});
    }
    FLAIR_DO(program::Train(*lowered_, training.data, std::move(start), run,
                            [&](const program::TrainingStep& step) {
                              steps_.push_back(step.values);
                              return OkStatus();
                            }));
    return OkStatus();
  }

  void Commit(const program::Training& training, const SmallChunkOptions& options) {
    statement_ = {.program = Filled(1),
                  .first_step = options.first_step,
                  .num_steps = options.steps,
                  .seed = training.run.seed,
                  .wallet = Filled(3),
                  .data_card = Filled(4),
                  .slack = options.slack ? program::SlackDigest(*options.slack) : Digest{},
                  .num_records = training.data.rows,
                  .matrices = {}};
    if (!circuit().data.empty()) {
      const zk::LongLived layout = zk::DataLayout(columns_, training.data.rows).value();
      const std::vector<std::span<const std::int64_t>> values(training.data.columns.begin(),
                                                              training.data.columns.end());
      Add(zk::Role::kData, zk::MatrixKind::kData,
          zk::DataCells(columns_, layout, training.data.rows, values).value(), options.seed);
    }
    using Carried = circuit::Carried::Role;
    const auto add = [&](Carried carried, zk::Role role, zk::MatrixKind kind,
                         const std::vector<circuit::Ints>& values) {
      const zk::LongLived layout = zk::CarriedLayout(circuit(), carried).value();
      if (layout.tensors.empty()) return;
      Add(role, kind, zk::CarriedCells(layout, values),
          options.seed + 1 + statement_.matrices.size());
    };
    add(Carried::kWeight, zk::Role::kWeightsBefore, zk::MatrixKind::kWeights, steps_.front().now);
    add(Carried::kWeight, zk::Role::kWeightsAfter, zk::MatrixKind::kWeights, steps_.back().next);
    if (options.first_step > 0) {
      add(Carried::kState, zk::Role::kStateBefore, zk::MatrixKind::kState, steps_.front().now);
    }
    add(Carried::kState, zk::Role::kStateAfter, zk::MatrixKind::kState, steps_.back().next);
  }

  void Add(zk::Role role, zk::MatrixKind kind, std::vector<std::uint64_t> cells,
           std::uint64_t seed) {
    constexpr unsigned kLogColumns = 5;
    constexpr std::uint64_t kColumns = std::uint64_t{1} << kLogColumns;
    const zk::MatrixShape shape{.log_columns = kLogColumns,
                                .log_n = kLogColumns + 2,
                                .num_rows = (cells.size() + kColumns - 1) / kColumns,
                                .num_pads = 12,
                                .kind = kind};
    cells.resize(shape.num_rows * kColumns);
    matrices_.push_back(std::make_unique<zk::CommittedMatrix>(
        zk::CommittedMatrix::Commit(
            shape, std::make_shared<zk::StoredRows>(std::move(cells), kColumns), zk::SeedOf(seed))
            .value()));
    statement_.matrices.push_back({role, shape, matrices_.back()->root()});
  }

  std::unique_ptr<program::Lowered> lowered_;  // the plan borrows it
  std::vector<zk::DataColumn> columns_;
  std::vector<circuit::StepValues> steps_;
  std::vector<std::unique_ptr<zk::CommittedMatrix>> matrices_;
  zk::TrainingStatement statement_;
  std::unique_ptr<ProgramSteps> publics_;
  std::unique_ptr<zk::TrainingPlan> plan_;
};

}  // namespace flair::proof
