// Whole proofs of training: a run on committed data, from committed weights to committed weights.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "circuit/circuit_testing.h"
#include "zk/batch/soundness.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/lookup_prover.h"
#include "zk/prover/training_prover.h"
#include "zk/training/training_proof.h"
#include "zk/verifier/training_verifier.h"

namespace flair::zk {
namespace {

using circuit::Ints;
using circuit::MakePerceptron;
using circuit::Perceptron;
using circuit::StepInputs;
using circuit::StepValues;
using testing::HasSubstr;

constexpr QueryPolicy kFewQueries{.work_bits = 3, .fixed_queries = 12};
constexpr std::uint64_t kRecords = 11;

Digest DigestOf(std::uint64_t number) {
  Digest digest;
  for (std::size_t i = 0; i < 8; ++i) digest.bytes[i] = static_cast<std::byte>(number >> (8 * i));
  return digest;
}

// A run of a perceptron, its commitments and its statement; members may be changed before
// Prove() and Verify().
struct TrainedRun {
  Perceptron model;
  std::vector<std::int64_t> data;
  std::vector<std::uint32_t> rows;
  std::vector<DataColumn> columns;
  std::vector<StepValues> steps;
  std::vector<std::unique_ptr<CommittedMatrix>> matrices;
  TrainingStatement statement;

  TrainedRun(std::uint64_t num_steps, circuit::PerceptronSizes sizes, std::uint64_t seed)
      : model(MakePerceptron(sizes)) {
    std::mt19937_64 random(seed);
    data.resize(kRecords * sizes.in);
    for (auto& v : data) v = static_cast<std::int64_t>(random() % 256) - 128;
    for (std::uint64_t i = 0; i < num_steps * sizes.batch; ++i) {
      rows.push_back(static_cast<std::uint32_t>(random() % kRecords));
    }
    StepInputs inputs = RandomInputs(model, seed);
    for (std::uint64_t t = 0; t < num_steps; ++t) {
      for (std::size_t b = 0; b < sizes.batch; ++b) {
        std::copy_n(
            data.begin() + static_cast<std::ptrdiff_t>(rows[t * sizes.batch + b] * sizes.in),
            sizes.in, inputs.cells[model.x].begin() + static_cast<std::ptrdiff_t>(b * sizes.in));
      }
      steps.push_back(circuit::RunStep(model.circuit, inputs).value());
      inputs.cells[model.w1] = steps.back().next[model.w1];
      inputs.cells[model.w2] = steps.back().next[model.w2];
    }
    statement = {.program = DigestOf(1),
                 .first_step = 0,
                 .num_steps = num_steps,
                 .seed = DigestOf(2),
                 .wallet = DigestOf(3),
                 .data_card = DigestOf(4),
                 .slack = DigestOf(5),
                 .num_records = kRecords,
                 .matrices = {}};
    columns = ColumnsOf(model.circuit);
    const LongLived records = DataLayout(columns, kRecords).value();
    const std::vector<std::span<const std::int64_t>> cells = {data};
    Add(Role::kData, MatrixKind::kData, DataCells(columns, records, kRecords, cells).value());
    AddWeights(Role::kWeightsBefore, steps.front().now);
    AddWeights(Role::kWeightsAfter, steps.back().next);
  }

  void AddWeights(Role role, const std::vector<Ints>& values) {
    const LongLived layout = CarriedLayout(model.circuit, circuit::Carried::Role::kWeight).value();
    Add(role, MatrixKind::kWeights, CarriedCells(layout, values));
  }

  void Add(Role role, MatrixKind kind, std::vector<std::uint64_t> cells) {
    MatrixShape shape{.log_columns = 5,
                      .log_n = 7,
                      .num_rows = (cells.size() + 31) / 32,
                      .num_pads = 12,
                      .kind = kind};
    cells.resize(shape.num_rows * 32);
    auto rows_of = std::make_shared<StoredRows>(std::move(cells), 32);
    matrices.push_back(std::make_unique<CommittedMatrix>(
        CommittedMatrix::Commit(shape, rows_of, DigestOf(9)).value()));
    statement.matrices.push_back({role, shape, matrices.back()->root()});
  }

  RunValues Values() const {
    RunValues values(model.circuit);
    for (const StepValues& step : steps) values.Add(step);
    return values;
  }
  TrainingPlan Plan(const RunValues& publics) const {
    auto plan = TrainingPlan::Make(
        statement,
        {.circuit = &model.circuit, .publics = &publics, .rows = rows, .columns = columns},
        kFewQueries);
    EXPECT_TRUE(plan.ok()) << (plan.ok() ? "" : plan.error().message());
    return std::move(*plan);
  }
  Bytes Prove() const {
    RunValues values = Values();
    const TrainingPlan plan = Plan(values);
    std::vector<const CommittedMatrix*> borrowed;
    for (const auto& m : matrices) borrowed.push_back(m.get());
    auto proof = ProveTraining(plan, values, borrowed, *SeededEnv(77));
    EXPECT_TRUE(proof.ok()) << (proof.ok() ? "" : proof.error().message());
    return std::move(*proof);
  }
  std::string Verify(ByteView proof) const {
    const RunValues values = Values();
    const Status verdict = VerifyTraining(Plan(values), proof);
    return verdict.ok() ? "" : verdict.error().message();
  }
};

TEST(TrainingTest, ARunIsProvenFromDataAndWeights) {
  for (const std::uint64_t steps : {1, 2, 3, 5}) {
    for (const std::size_t in : {1, 2, 3, 5, 9}) {
      const TrainedRun run(steps, {.in = in}, 10 * steps + in);
      EXPECT_EQ(run.Verify(run.Prove()), "") << steps << " steps, " << in << " inputs";
    }
  }
}

TEST(TrainingTest, AStatementIsReadBackAndRefusedWhenCut) {
  const TrainedRun run(2, {}, 1);
  const Bytes bytes = run.statement.Encode();
  EXPECT_EQ(TrainingStatement::Decode(bytes).value().Encode(), bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(TrainingStatement::Decode(ByteView(bytes).first(n)).ok()) << n;
  }
}

TEST(TrainingTest, AProofIsAboutItsStatementAlone) {
  const TrainedRun honest(2, {}, 1);
  const Bytes proof = honest.Prove();
  const auto refuses = [&](const char* what, const std::function<void(TrainedRun&)>& change) {
    TrainedRun other(2, {}, 1);
    change(other);
    EXPECT_NE(other.Verify(proof), "") << what;
    // Nor when the proof says that it is about the other statement.
    TrainingProof claimed = DecodeProof(honest.Plan(honest.Values()).batch(), proof).value();
    claimed.statement = other.statement.Hash();
    EXPECT_NE(other.Verify(EncodeProof(claimed)), "") << what;
  };
  refuses("program", [](TrainedRun& r) { r.statement.program = DigestOf(8); });
  refuses("seed", [](TrainedRun& r) { r.statement.seed = DigestOf(8); });
  refuses("data card", [](TrainedRun& r) { r.statement.data_card = DigestOf(8); });
  refuses("slack", [](TrainedRun& r) { r.statement.slack = DigestOf(8); });
  refuses("wallet", [](TrainedRun& r) { r.statement.wallet = DigestOf(8); });
  refuses("first step", [](TrainedRun& r) { r.statement.first_step = 1; });
  refuses("data of somebody else",
          [](TrainedRun& r) { r.statement.matrices[0].root = DigestOf(8); });
  refuses("roles swapped", [](TrainedRun& r) {
    std::swap(r.statement.matrices[1].root, r.statement.matrices[2].root);
  });
  // What a verifier derives from the statement: another batch is another statement.
  TrainedRun other(2, {}, 1);
  other.rows[3] = (other.rows[3] + 1) % kRecords;
  EXPECT_NE(other.Verify(proof), "");
}

// F7: columns are reserved before they are shown, and none is shown that a ledger refuses.
TEST(TrainingTest, ColumnsAreReservedBeforeTheyAreShown) {
  const TrainedRun run(2, {}, 1);
  RunValues values = run.Values();
  const TrainingPlan plan = run.Plan(values);
  std::vector<const CommittedMatrix*> borrowed;
  for (const auto& m : run.matrices) borrowed.push_back(m.get());
  std::map<Role, std::vector<std::uint64_t>> reserved;
  const auto remember = [&](Role role, std::span<const std::uint64_t> columns) {
    reserved[role].assign(columns.begin(), columns.end());
    return OkStatus();
  };
  const Bytes proof =
      ProveTraining(plan, values, borrowed, *SeededEnv(77), {.progress = {}, .reserve = remember})
          .value();
  ASSERT_EQ(reserved.size(), 3U);
  const TrainingProof read = DecodeProof(plan.batch(), proof).value();
  std::size_t shown = 0;
  for (const GroupOpening& group : read.opening.groups) {
    for (const OpenedMatrix& matrix : group.matrices) shown = matrix.columns.size();
  }
  for (const auto& [role, columns] : reserved) EXPECT_EQ(columns.size(), shown) << RoleName(role);

  const auto refuse = [](Role role, std::span<const std::uint64_t>) {
    return role == Role::kWeightsAfter ? Status(Error(ErrorCode::kConflict, "spent")) : OkStatus();
  };
  const auto refused =
      ProveTraining(plan, values, borrowed, *SeededEnv(77), {.progress = {}, .reserve = refuse});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "spent");
}

// A prover that trains on what it likes, and proves it with the batches that it should have used.
TEST(TrainingTest, FalseRunsAreRejected) {
  const auto rejects = [&](const char* what, const std::function<void(TrainedRun&)>& change) {
    TrainedRun run(2, {}, 1);
    change(run);
    EXPECT_NE(run.Verify(run.Prove()), "") << what;
  };
  rejects("another batch", [](TrainedRun& r) { r.rows[0] = (r.rows[0] + 1) % kRecords; });
  rejects("a permuted batch", [](TrainedRun& r) {
    r.rows[0] = 0;
    r.rows[1] = 1;
    std::swap(r.rows[0], r.rows[1]);
  });
  rejects("a replayed step", [](TrainedRun& r) { r.steps[1] = r.steps[0]; });
  rejects("steps in another order", [](TrainedRun& r) { std::swap(r.steps[0], r.steps[1]); });
  rejects("weights that nobody published", [](TrainedRun& r) {
    TrainedRun other(2, {}, 5);
    r.matrices[1] = std::move(other.matrices[1]);
    r.statement.matrices[1] = other.statement.matrices[1];
  });
  rejects("a result that was not reached", [](TrainedRun& r) {
    TrainedRun other(2, {}, 5);
    r.matrices[2] = std::move(other.matrices[2]);
    r.statement.matrices[2] = other.statement.matrices[2];
  });
}

TEST(TrainingTest, WhatIsNotTheCircuitsHasNoPlan) {
  const auto says = [](const std::function<void(TrainedRun&)>& change) {
    TrainedRun run(2, {}, 1);
    change(run);
    const RunValues values = run.Values();
    const auto plan = TrainingPlan::Make(run.statement,
                                         {.circuit = &run.model.circuit,
                                          .publics = &values,
                                          .rows = run.rows,
                                          .columns = run.columns},
                                         kFewQueries);
    return plan.ok() ? "accepted" : plan.error().message();
  };
  EXPECT_EQ(says([](TrainedRun&) {}), "accepted");
  EXPECT_THAT(says([](TrainedRun& r) { ++r.statement.matrices[1].shape.num_rows; }),
              HasSubstr("rows, the program's"));
  EXPECT_THAT(says([](TrainedRun& r) { r.statement.matrices.pop_back(); }),
              HasSubstr("names no weights after"));
  EXPECT_THAT(says([](TrainedRun& r) {
                MatrixShape shape = r.statement.matrices[0].shape;
                shape.kind = MatrixKind::kState;
                r.statement.matrices.push_back({Role::kStateAfter, shape, {}});
              }),
              HasSubstr("the program has no state after"));
  EXPECT_THAT(says([](TrainedRun& r) { r.rows.push_back(0); }), HasSubstr("records in all"));
  EXPECT_THAT(says([](TrainedRun& r) { r.rows[0] = kRecords; }), HasSubstr("record 11 is none"));
  EXPECT_THAT(says([](TrainedRun& r) { ++r.columns[0].bias; }), HasSubstr("the data have"));
  // A second column, of batches of another size.
  EXPECT_THAT(says([](TrainedRun& r) {
                circuit::Builder b;
                r.model.circuit = {};
                for (const std::int64_t column : {0, 1}) {
                  const auto n = b.AddAxis("n", 5 + static_cast<std::uint64_t>(column));
                  b.AddData("x", {n}, circuit::Signed(8, 8, "data"), column);
                }
                r.model.circuit = std::move(b).Finish().value();
                r.steps.clear();
                r.columns = ColumnsOf(r.model.circuit);
                r.statement.matrices.resize(1);
                r.statement.matrices[0].shape.num_rows = 1;
                r.rows.resize(12);
              }),
              HasSubstr("batches of two sizes"));
}

// A prover that opens other matrices than those that its run was trained from, and says of them
// what the true ones hold.
TEST(TrainingTest, MatricesThatHoldSomethingElseAreRejected) {
  for (std::size_t i = 0; i < 3; ++i) {
    const TrainedRun honest(2, {}, 1);
    TrainedRun liar(2, {}, 1), other(2, {}, 5);
    liar.matrices[i] = std::move(other.matrices[i]);
    liar.statement.matrices[i] = other.statement.matrices[i];
    const auto borrow = [](const TrainedRun& run) {
      std::vector<const CommittedMatrix*> borrowed;
      for (const auto& m : run.matrices) borrowed.push_back(m.get());
      return borrowed;
    };
    RunValues values = liar.Values();
    const TrainingPlan plan = liar.Plan(values);
    std::vector<std::int32_t> cells = values.Cells(plan.layout());
    ASSERT_TRUE(CountLookups(plan.layout().lookups(), cells).ok());
    const auto links = LinksOf(plan, borrow(honest));
    const Bytes proof =
        ProveCells(plan, cells, values, *links, borrow(liar), *SeededEnv(77)).value();
    EXPECT_NE(liar.Verify(proof), "") << RoleName(liar.statement.matrices[i].role);
  }
}

// The perceptron, with a rate that nothing reads.
TEST(TrainingTest, APublicBeyondItsRangeIsRefused) {
  class Rate final : public Publics {
   public:
    std::span<const std::int64_t> CellsOf(circuit::ValueId) const override { return cells; }
    Ints cells;
  };
  TrainedRun run(2, {}, 1);
  circuit::Circuit& circuit = run.model.circuit;
  circuit.publics = {static_cast<circuit::ValueId>(circuit.values.size())};
  circuit.values.push_back(
      {.name = "rate", .kind = circuit::Value::Kind::kPublic, .axes = {}, .lo = -3, .hi = 5});
  for (const std::int64_t v : {-4, -3, 5, 6}) {
    Rate rate;
    rate.cells = {0, v};
    const auto plan = TrainingPlan::Make(
        run.statement,
        {.circuit = &circuit, .publics = &rate, .rows = run.rows, .columns = run.columns},
        kFewQueries);
    EXPECT_EQ(plan.ok(), v >= -3 && v <= 5) << v;
    if (!plan.ok()) {
      EXPECT_THAT(plan.error().message(), HasSubstr("'rate' is"));
    }
  }
}

// A transcript's draws and messages, seen from below: what the plan counts at its channel.
class WatchedTranscript final : public Transcript {
 public:
  WatchedTranscript() : Transcript("watched") {}
  std::uint64_t degrees() const { return points_ / 2 + round_degrees_; }  // an element is two words

 protected:
  Digest Step(std::uint8_t tag, Label label, ByteView message) const override {
    if (tag == 1 && label == Label::kSumcheckMessage) degree_ = message.size() / Fp2::kBytes - 1;
    if (tag == 2 && label == Label::kPoint) ++points_;
    if (tag == 2 && label == Label::kSumcheckChallenge) {
      round_degrees_ += std::exchange(degree_, 0);  // at the first of its words
    }
    return Transcript::Step(tag, label, message);
  }

 private:
  mutable std::uint64_t degree_ = 0;
  mutable std::uint64_t round_degrees_ = 0;
  mutable std::uint64_t points_ = 0;
};

class AbsorbingChannel final : public Channel {
 public:
  std::vector<Secret> Pass(Transcript& transcript, Label label,
                           const std::vector<Fp2>& values) override {
    transcript.Absorb(label, values);
    return std::vector<Secret>(values.size());
  }
  Product PassProduct(Transcript&, Label, Fp2, Fp2) override { return {}; }
  void RequireZero(const Masked&) override {}
};

TEST(TrainingTest, APlanCountsEveryDraw) {
  const TrainedRun run(3, {}, 1);
  const RunValues values = run.Values();
  const TrainingPlan plan = run.Plan(values);
  WatchedTranscript transcript;
  AbsorbingChannel channel;
  plan.RunScript(transcript, channel, nullptr, nullptr);
  EXPECT_GT(transcript.degrees(), 100U);

  const std::vector<SoundnessTerm> terms = SoundnessTerms(plan.batch());
  const auto parts = [&](std::string_view name) {
    const auto at = std::find_if(terms.begin(), terms.end(),
                                 [&](const SoundnessTerm& term) { return term.name == name; });
    return at == terms.end() ? 0 : static_cast<std::uint64_t>(at->parts);
  };
  EXPECT_EQ(parts("script"), transcript.degrees() + 1);
  const LookupPlan& lookups = plan.layout().lookups();
  EXPECT_EQ(parts("lookups"), (lookups.num_leaves() >> lookups.work_bits()) + 1);
  const std::uint64_t layers = lookups.num_layers();
  EXPECT_EQ(parts("lookup layers"), layers * (layers + 1) + 1);
}

TEST(TrainingTest, ChangedBytesAreRejected) {
  const TrainedRun run(1, {.batch = 2, .in = 2, .hidden = 2, .out = 1}, 4);
  const Bytes proof = run.Prove();
  ASSERT_EQ(run.Verify(proof), "");
  std::mt19937_64 random(3);
  Bytes of_another = proof;
  of_another[8] ^= std::byte{1};  // the statement's hash, which no challenge depends on
  EXPECT_THAT(run.Verify(of_another), HasSubstr("about another statement"));
  for (int i = 0; i < 300; ++i) {
    Bytes changed = proof;
    changed[random() % changed.size()] ^= static_cast<std::byte>(1 + random() % 255);
    EXPECT_NE(run.Verify(changed), "");
  }
  for (std::size_t n = 0; n < proof.size(); n += 1 + proof.size() / 200) {
    EXPECT_NE(run.Verify(ByteView(proof).first(n)), "");
  }
  Bytes longer = proof;
  longer.push_back(std::byte{0});
  EXPECT_THAT(run.Verify(longer), HasSubstr("behind its end"));
}

}  // namespace
}  // namespace flair::zk
