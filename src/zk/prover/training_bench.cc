// What a proof of training costs, by part: a perceptron 784-256-10 on batches of 64.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <random>
#include <string>

#include "circuit/circuit_testing.h"
#include "zk/prover/training_prover.h"
#include "zk/verifier/training_verifier.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kRecords = 6'000;

std::unique_ptr<CommittedMatrix> CommitLongLived(std::vector<std::uint64_t> cells,
                                                 MatrixKind kind) {
  const MatrixShape shape = LongLivedShape(cells.size(), kind, 8).value();
  cells.resize(shape.num_rows * shape.num_columns());
  return std::make_unique<CommittedMatrix>(
      CommittedMatrix::Commit(
          shape, std::make_shared<StoredRows>(std::move(cells), shape.num_columns()), Digest{})
          .value());
}

void Train(benchmark::State& state) {
  const auto num_steps = static_cast<std::uint64_t>(state.range(0));
  const auto model = circuit::MakePerceptron(
      {.batch = 64, .in = 784, .hidden = 256, .out = 10, .activation_bits = 24, .limb_bits = 16});
  std::mt19937_64 random(1);
  std::vector<std::int64_t> data(kRecords * 784);
  for (auto& v : data) v = static_cast<std::int64_t>(random() % 16) - 8;
  std::vector<std::uint32_t> rows(num_steps * 64);
  for (auto& row : rows) row = static_cast<std::uint32_t>(random() % kRecords);
  circuit::StepInputs inputs = RandomInputs(model, 1);
  for (const circuit::ValueId w : {model.w1, model.w2}) {
    for (auto& v : inputs.cells[w]) v /= 64;  // so that every step stays in range
  }
  RunValues values(model.circuit);
  std::vector<circuit::Ints> before;
  std::vector<circuit::Ints> after;
  for (std::uint64_t t = 0; t < num_steps; ++t) {
    for (std::size_t b = 0; b < 64; ++b) {
      std::copy_n(data.begin() + rows[t * 64 + b] * 784, 784,
                  inputs.cells[model.x].begin() + static_cast<std::ptrdiff_t>(b * 784));
    }
    const circuit::StepValues step = circuit::RunStep(model.circuit, inputs).value();
    values.Add(step);
    if (t == 0) before = step.now;
    after = step.next;
    inputs.cells[model.w1] = step.next[model.w1];
    inputs.cells[model.w2] = step.next[model.w2];
  }
  TrainingStatement statement{.num_steps = num_steps, .num_records = kRecords, .matrices = {}};
  std::vector<std::unique_ptr<CommittedMatrix>> matrices;
  const auto add = [&](Role role, std::unique_ptr<CommittedMatrix> matrix) {
    statement.matrices.push_back({role, matrix->shape(), matrix->root()});
    matrices.push_back(std::move(matrix));
  };
  const std::vector<DataColumn> columns = ColumnsOf(model.circuit);
  const std::vector<std::span<const std::int64_t>> columns_values = {data};
  const LongLived records = DataLayout(columns, kRecords).value();
  add(Role::kData, CommitLongLived(DataCells(columns, records, kRecords, columns_values).value(),
                                   MatrixKind::kData));
  const LongLived weights = CarriedLayout(model.circuit, circuit::Carried::Role::kWeight).value();
  add(Role::kWeightsBefore, CommitLongLived(CarriedCells(weights, before), MatrixKind::kWeights));
  add(Role::kWeightsAfter, CommitLongLived(CarriedCells(weights, after), MatrixKind::kWeights));
  std::vector<const CommittedMatrix*> borrowed;
  for (const auto& m : matrices) borrowed.push_back(m.get());

  using Clock = std::chrono::steady_clock;
  std::map<std::string, double> seconds;
  std::string current;
  Clock::time_point since;
  const auto enter = [&](std::string_view stage) {
    const auto now = Clock::now();
    if (!current.empty()) seconds[current] += std::chrono::duration<double>(now - since).count();
    current = stage;
    since = now;
    return OkStatus();
  };
  std::uint64_t cells = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    (void)enter("plan");
    const TrainingPlan plan =
        TrainingPlan::Make(
            statement,
            {.circuit = &model.circuit, .publics = &values, .rows = rows, .columns = columns})
            .value();
    cells = plan.layout().num_cells();
    const Bytes proof =
        ProveTraining(plan, values, borrowed, PosixEnv(), {.progress = enter, .reserve = {}})
            .value();
    bytes = proof.size();
    (void)enter("verify");
    const Status verdict = VerifyTraining(plan, proof);
    if (!verdict.ok()) state.SkipWithError(verdict.error().message().c_str());
    (void)enter("");
    current.clear();
  }
  for (const auto& [stage, total] : seconds) {
    state.counters[stage] = benchmark::Counter(total, benchmark::Counter::kAvgIterations);
  }
  state.counters["cells"] = static_cast<double>(cells);
  state.counters["bytes"] = static_cast<double>(bytes);
}

BENCHMARK(Train)->Arg(1)->Arg(4)->Arg(16)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flair::zk
