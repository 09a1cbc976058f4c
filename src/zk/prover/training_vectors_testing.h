// The vectors of proofs of training, tests/vectors/zk_training.json: circuits with what is public
// of a run, its statement and its proof. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "circuit/circuit_testing.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/byte_changes_testing.h"
#include "zk/prover/circuit_json_testing.h"
#include "zk/prover/proof_vectors_testing.h"
#include "zk/prover/random_circuit_testing.h"
#include "zk/prover/training_prover.h"
#include "zk/verifier/training_verifier.h"

namespace flair::zk {

// --- reading and judging -------------------------------------------------------------------

// Cells of publics, as a vector has them.
class GivenPublics final : public Publics {
 public:
  std::span<const std::int64_t> CellsOf(circuit::ValueId id) const override { return cells.at(id); }
  std::map<circuit::ValueId, circuit::Ints> cells;
};

// "accepted", or what refused it and why: the statement, the circuit, the plan or the verifier.
inline std::string JudgeTraining(const json::value& vector) {
  const auto statement = TrainingStatement::Decode(FromHex(Str(vector.at("statement"))).value());
  if (!statement.ok()) return "statement: " + statement.error().message();
  const auto circuit = CircuitOf(vector.at("circuit"));
  if (!circuit.ok()) return "circuit: " + circuit.error().message();
  GivenPublics publics;
  for (std::size_t i = 0; i < circuit->publics.size(); ++i) {
    const circuit::ValueId id = circuit->publics[i];
    publics.cells[id] = NumbersOf<std::int64_t>(vector.at("publics").at(i));
    if (publics.cells[id].size() != statement->num_steps * circuit->SizeOf((*circuit)[id].axes)) {
      return "plan: a public value of another size";
    }
  }
  std::vector<DataColumn> columns;
  for (const json::value& column : vector.at("columns").as_array()) {
    columns.push_back({.dims = NumbersOf<std::uint64_t>(column.at("dims")),
                       .bits = column.at("bits").to_number<unsigned>(),
                       .bias = column.at("bias").to_number<std::int64_t>()});
  }
  const auto rows = NumbersOf<std::uint32_t>(vector.at("rows"));
  const auto plan = TrainingPlan::Make(
      *statement, {.circuit = &*circuit, .publics = &publics, .rows = rows, .columns = columns},
      PolicyOf(vector));
  if (!plan.ok()) return "plan: " + plan.error().message();
  return VerdictOf(VerifyTraining(*plan, FromHex(Str(vector.at("proof"))).value()));
}

// --- making --------------------------------------------------------------------------------

// A circuit's run on random data from random weights.
class TrainingCase {
 public:
  struct Options {
    std::uint64_t num_steps = 1;
    std::uint64_t num_records = 7;
    bool passes_state = false;     // from a commitment, and on to one
    bool has_narrow_data = false;  // data in matrices of another shape than weights
    std::int64_t least_weight = -500;
    std::int64_t most_weight = 500;
  };

  TrainingCase(std::string name, circuit::Circuit circuit, const Options& options,
               std::uint64_t seed)
      : name_(std::move(name)),
        circuit_(std::move(circuit)),
        options_(options),
        random_(seed),
        columns_(ColumnsOf(circuit_)) {}

  // Errors: a value that does not fit its number.
  Result<json::value> Prove() {
    MakeRecords();
    FLAIR_TRY(const std::vector<circuit::StepValues> steps, Run());
    statement_ = {.program = AnyDigest(),
                  .first_step = random_() % 100,
                  .num_steps = options_.num_steps,
                  .seed = AnyDigest(),
                  .wallet = AnyDigest(),
                  .data_card = AnyDigest(),
                  .slack = AnyDigest(),
                  .num_records = options_.num_records,
                  .matrices = {}};
    if (!circuit_.data.empty()) CommitData();
    Commit(circuit::Carried::Role::kWeight, Role::kWeightsBefore, steps.front().now);
    Commit(circuit::Carried::Role::kWeight, Role::kWeightsAfter, steps.back().next);
    if (options_.passes_state) {
      Commit(circuit::Carried::Role::kState, Role::kStateBefore, steps.front().now);
      Commit(circuit::Carried::Role::kState, Role::kStateAfter, steps.back().next);
    }
    RunValues values(circuit_);
    for (const circuit::StepValues& step : steps) values.Add(step);
    FLAIR_TRY(const TrainingPlan plan,
              TrainingPlan::Make(
                  statement_,
                  {.circuit = &circuit_, .publics = &values, .rows = rows_, .columns = columns_},
                  kPolicy));
    std::vector<const CommittedMatrix*> borrowed;
    for (const auto& matrix : matrices_) borrowed.push_back(matrix.get());
    const auto env = SeededEnv(random_() % 1000);
    FLAIR_TRY(const Bytes proof, ProveTraining(plan, values, borrowed, *env));
    return Vector(values, proof);
  }

 private:
  static constexpr QueryPolicy kPolicy{.work_bits = 3, .fixed_queries = 12};

  Digest AnyDigest() {
    Digest digest;
    for (std::byte& b : digest.bytes) b = static_cast<std::byte>(random_());
    return digest;
  }
  std::int64_t Between(std::int64_t lo, std::int64_t hi) {
    return lo + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(hi - lo + 1));
  }

  void MakeRecords() {
    for (const DataColumn& column : columns_) {
      std::uint64_t size = options_.num_records;
      for (const std::uint64_t dim : column.dims) size *= dim;
      circuit::Ints& values = records_.emplace_back(size);
      for (std::int64_t& v : values) {
        v = Between(-column.bias, (std::int64_t{1} << column.bits) - 1 - column.bias);
      }
    }
  }

  Result<std::vector<circuit::StepValues>> Run() {
    circuit::StepInputs inputs;
    inputs.cells.resize(circuit_.values.size());
    for (const circuit::Carried& carried : circuit_.carried) {
      const circuit::Value& value = circuit_[carried.number];
      const bool is_zero = carried.role == circuit::Carried::Role::kState && !options_.passes_state;
      circuit::Ints& cells = inputs.cells[carried.number];
      cells.resize(circuit_.SizeOf(value.axes));
      for (std::int64_t& v : cells) {
        v = is_zero ? 0
                    : Between(std::max(options_.least_weight, value.lo),
                              std::min(options_.most_weight, value.hi));
      }
    }
    std::vector<circuit::StepValues> steps;
    for (std::uint64_t t = 0; t < options_.num_steps; ++t) {
      for (const circuit::ValueId id : circuit_.publics) {
        inputs.cells[id].resize(circuit_.SizeOf(circuit_[id].axes));
        for (std::int64_t& v : inputs.cells[id]) v = Between(circuit_[id].lo, circuit_[id].hi);
      }
      ReadBatch(inputs);
      FLAIR_TRY(circuit::StepValues step, circuit::RunStep(circuit_, inputs));
      steps.push_back(std::move(step));
      for (const circuit::Carried& carried : circuit_.carried) {
        inputs.cells[carried.number] = steps.back().next[carried.number];
      }
    }
    return steps;
  }

  void ReadBatch(circuit::StepInputs& inputs) {
    if (circuit_.data.empty()) return;
    const std::uint64_t batch = circuit_.axes[circuit_[circuit_.data[0]].axes[0]].size;
    const std::size_t first = rows_.size();
    for (std::uint64_t b = 0; b < batch; ++b) {
      rows_.push_back(static_cast<std::uint32_t>(random_() % options_.num_records));
    }
    for (std::size_t i = 0; i < circuit_.data.size(); ++i) {
      const circuit::Ints& records = records_[i];
      const std::uint64_t size = records.size() / options_.num_records;
      circuit::Ints& cells = inputs.cells[circuit_.data[i]];
      cells.clear();
      for (std::uint64_t b = 0; b < batch; ++b) {
        const auto at = records.begin() + static_cast<std::ptrdiff_t>(rows_[first + b] * size);
        cells.insert(cells.end(), at, at + static_cast<std::ptrdiff_t>(size));
      }
    }
  }

  void CommitData() {
    const LongLived layout = DataLayout(columns_, options_.num_records).value();
    const std::vector<std::span<const std::int64_t>> records(records_.begin(), records_.end());
    Add(Role::kData, MatrixKind::kData,
        DataCells(columns_, layout, options_.num_records, records).value());
  }
  void Commit(circuit::Carried::Role carried, Role role, const std::vector<circuit::Ints>& values) {
    const LongLived layout = CarriedLayout(circuit_, carried).value();
    if (layout.tensors.empty()) return;
    const bool is_weight = carried == circuit::Carried::Role::kWeight;
    Add(role, is_weight ? MatrixKind::kWeights : MatrixKind::kState, CarriedCells(layout, values));
  }
  void Add(Role role, MatrixKind kind, std::vector<std::uint64_t> cells) {
    const unsigned log_columns = role == Role::kData && options_.has_narrow_data ? 4 : 5;
    const std::uint64_t columns = std::uint64_t{1} << log_columns;
    const MatrixShape shape{.log_columns = log_columns,
                            .log_n = 7,
                            .num_rows = (cells.size() + columns - 1) / columns,
                            .num_pads = 12,
                            .kind = kind};
    cells.resize(shape.num_rows * columns);
    matrices_.push_back(std::make_unique<CommittedMatrix>(
        CommittedMatrix::Commit(shape, std::make_shared<StoredRows>(std::move(cells), columns),
                                AnyDigest())
            .value()));
    statement_.matrices.push_back({role, shape, matrices_.back()->root()});
  }

  json::value Vector(const RunValues& values, const Bytes& proof) const {
    json::array columns;
    for (const DataColumn& column : columns_) {
      columns.push_back({{"dims", json::array(column.dims.begin(), column.dims.end())},
                         {"bits", column.bits},
                         {"bias", column.bias}});
    }
    json::array publics;
    for (const circuit::ValueId id : circuit_.publics) {
      const auto cells = values.CellsOf(id);
      publics.push_back(json::array(cells.begin(), cells.end()));
    }
    return {{"name", name_},
            {"circuit", CircuitJson(circuit_)},
            {"columns", columns},
            {"publics", publics},
            {"rows", json::array(rows_.begin(), rows_.end())},
            {"statement", ToHex(statement_.Encode())},
            {"queries", QueriesJson(kPolicy)},
            {"work_bits", kPolicy.work_bits},
            {"proof", ToHex(proof)}};
  }

  std::string name_;
  circuit::Circuit circuit_;
  Options options_;
  std::mt19937_64 random_;
  std::vector<DataColumn> columns_;
  std::vector<circuit::Ints> records_;  // by column
  std::vector<std::uint32_t> rows_;
  std::vector<std::unique_ptr<CommittedMatrix>> matrices_;
  TrainingStatement statement_;
};

inline constexpr std::uint64_t kStepCounts[] = {1, 2, 3, 5};

// The first random circuit from this seed on that can be built and run.
inline json::value RandomTraining(std::uint64_t seed) {
  for (std::uint64_t attempt = seed;; attempt += 1'000'000) {
    auto circuit = RandomCircuit(attempt).Make();
    if (!circuit.ok()) continue;
    TrainingCase made("random " + std::to_string(seed), std::move(*circuit),
                      {.num_steps = kStepCounts[seed % 4],
                       .num_records = 1 + seed % 7,
                       .passes_state = seed % 3 == 0,
                       .has_narrow_data = seed % 2 == 0},
                      attempt);
    auto vector = made.Prove();
    if (vector.ok()) return std::move(*vector);
  }
}

// Weights on an axis of `length` cells and on the steps, of data in two limbs and of state: as many
// blocks as cells and steps, of which a claim lists 2,048 at most.
inline circuit::Circuit LongAxis(std::uint64_t length) {
  circuit::Builder b;
  const circuit::AxisId batch = b.AddAxis("batch", 1);
  const circuit::AxisId out = b.AddAxis("out", 2);
  const circuit::AxisId kernel = b.AddAxis("kernel", 3);
  const circuit::AxisId in = b.AddAxis("in", length);
  const circuit::ValueId rate = b.AddPublic("rate", {}, -2, 2);
  const circuit::ValueId x = b.AddData("x", {batch, in}, circuit::Signed(6, 3, "data"), 0);
  const circuit::ValueId w =
      b.AddState("w", {in}, circuit::Signed(6, 3, "weight"), circuit::Carried::Role::kWeight);
  circuit::Term same{.coefficient = 1, .factors = {b.At(w)}, .windows = {}};
  b.RoundInto(w, b.AddForm("same", {in}, {.terms = {std::move(same)}}), 0);
  for (const circuit::ValueId of : {x, w}) {
    circuit::Term term{.coefficient = 3, .factors = {b.At(of), b.At(rate)}, .windows = {}};
    term.windows.push_back({.out = out, .kernel = kernel, .in = in, .stride = 300});
    b.Round(b[of].name + " cut", b.AddForm("cut", {out}, {.terms = {std::move(term)}}), 0,
            circuit::Signed(20, 5, "cut"));
  }
  return std::move(b).Finish().value();
}

inline json::array MakeTrainingVectors() {
  json::array vectors;
  for (const std::uint64_t steps : kStepCounts) {
    const std::size_t in = 2 * steps - 1;
    TrainingCase made("perceptron, " + std::to_string(steps) + " steps",
                      circuit::MakePerceptron({.batch = steps, .in = in, .hidden = 2}).circuit,
                      {.num_steps = steps, .least_weight = -8'000, .most_weight = 8'000}, steps);
    vectors.push_back(made.Prove().value());
  }
  for (const auto& [steps, length] : {std::pair{2, 1024}, {2, 1025}}) {
    TrainingCase made(std::to_string(steps) + " steps of " + std::to_string(length) + " cells",
                      LongAxis(static_cast<std::uint64_t>(length)),
                      {.num_steps = static_cast<std::uint64_t>(steps), .num_records = 2}, 1);
    vectors.push_back(made.Prove().value());
  }
  // A few that use every rule: a reference that leaves one out, or takes another axis, order or
  // weight, refuses one of them.
  for (const std::uint64_t seed : {9, 31, 63, 64, 74, 170}) vectors.push_back(RandomTraining(seed));
  return vectors;
}

}  // namespace flair::zk
