// What several commitments to weights hold, and a circuit about it: proven, and what is none.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mem_env.h"
#include "circuit/builder.h"
#include "circuit/gadgets/terms.h"
#include "circuit/run.h"
#include "zk/batch/soundness.h"
#include "zk/prover/int_rows.h"
#include "zk/prover/lookup_prover.h"
#include "zk/prover/training_prover.h"
#include "zk/prover/weights_prover.h"
#include "zk/verifier/weights_verifier.h"

namespace flair::zk {
namespace {

using circuit::Ints;
using circuit::ValueId;
using testing::HasSubstr;

// Two models, each a matrix of 2 by 3 and a scalar, and one unit between them.
struct Models {
  circuit::Circuit circuit;
  std::vector<std::vector<ValueId>> numbers;  // by model
};

Models OneUnitApart() {
  circuit::Builder b;
  const std::vector<circuit::AxisId> axes = {b.AddAxis("row", 2), b.AddAxis("column", 3)};
  Models made;
  for (const std::string model : {"first", "second"}) {
    made.numbers.push_back(
        {b.AddData(model + " matrix", axes, circuit::Signed(14, 8, "weights"), 0),
         b.AddData(model + " scalar", {}, circuit::Signed(14, 8, "weights"), 1)});
  }
  for (const std::size_t tensor : {0, 1}) {
    const ValueId first = made.numbers[0][tensor], second = made.numbers[1][tensor];
    b.AddZero(
        "difference",
        b.AddForm("difference", b[first].axes,
                  {.terms = {circuit::Times(1, {b.At(second)}), circuit::Times(-1, {b.At(first)})},
                   .constant = -1}));
  }
  made.circuit = std::move(b).Finish().value();
  return made;
}

CommittedMatrix Committed(const std::vector<std::uint64_t>& cells, int seed) {
  const MatrixShape shape = LongLivedShape(cells.size(), MatrixKind::kWeights, 2).value();
  std::vector<std::uint64_t> all = cells;
  all.resize(shape.num_rows * shape.num_columns());
  Digest own;
  own.bytes.fill(static_cast<std::byte>(seed));
  return CommittedMatrix::Commit(
             shape, std::make_shared<StoredRows>(std::move(all), shape.num_columns()), own)
      .value();
}

// Says of every number what another value at a point is: by how much, at one of them.
class Liar final : public WeightsWitness {
 public:
  explicit Liar(std::function<Fp2(ValueId, const std::vector<AxisFunctional>&)> says)
      : says_(std::move(says)) {}
  Fp2 ValueAt(ValueId number, const std::vector<AxisFunctional>& axes) override {
    return says_(number, axes);
  }

 private:
  std::function<Fp2(ValueId, const std::vector<AxisFunctional>&)> says_;
};

class WeightsTest : public testing::Test {
 protected:
  static constexpr std::size_t kModels = 2;

  WeightsTest() {
    values_.resize(made_.circuit.values.size());
    for (std::size_t m = 0; m < kModels; ++m) {
      const auto own = static_cast<std::int64_t>(m);
      values_[made_.numbers[m][0]] = {5 + own, -7 + own, 8'000 + own, 0 + own, -8'192 + own, own};
      values_[made_.numbers[m][1]] = {-3 + own};
    }
    for (std::size_t m = 0; m < kModels; ++m) {
      matrices_.push_back(std::make_unique<CommittedMatrix>(Holding(m, values_, 1)));
    }
  }

  CommittedMatrix Holding(std::size_t model, const std::vector<Ints>& values, int seed) const {
    const LongLived layout = NumbersLayout(made_.circuit, made_.numbers[model]).value();
    return Committed(CarriedCells(layout, values), seed + static_cast<int>(model));
  }
  std::vector<const CommittedMatrix*> matrices() const {
    return {matrices_[0].get(), matrices_[1].get()};
  }
  WeightsInputs Inputs() const { return {.circuit = &made_.circuit, .numbers = made_.numbers}; }
  static WeightsStatement About(const std::vector<const CommittedMatrix*>& matrices) {
    WeightsStatement statement;
    statement.relation.bytes.fill(std::byte{3});
    statement.wallet.bytes.fill(std::byte{4});
    for (const CommittedMatrix* m : matrices) statement.matrices.push_back({m->shape(), m->root()});
    return statement;
  }
  RunValues Witness() const {
    circuit::StepInputs inputs{.cells = values_};
    RunValues values(made_.circuit);
    values.Add(circuit::RunStep(made_.circuit, inputs).value());
    return values;
  }
  Bytes Prove(const std::vector<const CommittedMatrix*>& matrices) const {
    const WeightsPlan plan = WeightsPlan::Make(About(matrices), Inputs()).value();
    RunValues values = Witness();
    MemEnv env;
    return ProveWeights(plan, values, matrices, env).value();
  }
  // As the prover, but the values at points are the liar's.
  Bytes Prove(const std::vector<const CommittedMatrix*>& matrices, Liar& liar) const {
    const WeightsPlan plan = WeightsPlan::Make(About(matrices), Inputs()).value();
    RunValues values = Witness();
    std::vector<std::int32_t> cells = values.Cells(plan.layout());
    EXPECT_TRUE(CountLookups(plan.layout().lookups(), cells).ok());
    const auto rows =
        std::make_shared<IntRows>(std::move(cells), plan.batch().matrices()[0].num_columns());
    MemEnv env;
    BatchProver prover = BatchProver::Commit(plan.batch(), rows, matrices, env).value();
    Transcript transcript(kWeightsProtocol);
    plan.statement().Absorb(transcript);
    prover.AbsorbRoots(transcript);
    ProvenLookups proven = ProveLookups(plan.layout().lookups(), rows->cells(), transcript, prover);
    std::vector<Claim> claims = std::move(proven.claims);
    for (Claim& claim : plan.RunScript(transcript, prover, &liar, &values)) {
      claims.push_back(std::move(claim));
    }
    return FinishProof(prover, transcript, claims, plan.statement().Hash(), proven.nonce, {})
        .value();
  }
  std::string Judge(const WeightsStatement& statement, ByteView proof) const {
    const auto plan = WeightsPlan::Make(statement, Inputs());
    if (!plan.ok()) return plan.error().message();
    const Status verified = VerifyWeights(*plan, proof);
    return verified.ok() ? "" : verified.error().message();
  }
  static std::string Refused(const WeightsStatement& statement, WeightsInputs inputs) {
    const auto plan = WeightsPlan::Make(statement, std::move(inputs));
    return plan.ok() ? "" : plan.error().message();
  }

  Models made_ = OneUnitApart();
  std::vector<Ints> values_;
  std::vector<std::unique_ptr<CommittedMatrix>> matrices_;
};

TEST_F(WeightsTest, WhatHoldsIsProven) {
  EXPECT_EQ(Judge(About(matrices()), Prove(matrices())), "");
}

// Attack: the relation of some numbers, and other weights under the commitments.
TEST_F(WeightsTest, OtherWeightsThanTheCommittedHaveNoProof) {
  for (std::size_t model = 0; model < kModels; ++model) {
    for (const std::size_t tensor : {0, 1}) {
      std::vector<Ints> others = values_;
      others[made_.numbers[model][tensor]][0] += 1;
      const CommittedMatrix foreign = Holding(model, others, 5);
      std::vector<const CommittedMatrix*> committed = matrices();
      committed[model] = &foreign;
      // Values of the numbers, which the matrix does not have, and of the matrix, which the numbers
      // do not have.
      EXPECT_NE(Judge(About(committed), Prove(committed)), "") << model << " " << tensor;
      const ValueId changed = made_.numbers[model][tensor];
      Liar liar([&](ValueId number, const std::vector<AxisFunctional>& axes) {
        const Ints& cells = others[number];
        Fp2 sum;
        std::size_t at = 0;
        if (axes.empty()) return Fp2(Fp::FromInt(cells[0]));
        for (const Fp2& row : axes[0].ToWeights()) {
          for (const Fp2& column : axes[1].ToWeights()) {
            sum += row * column * Fp::FromInt(cells[at++]);
          }
        }
        return sum;
      });
      EXPECT_NE(Judge(About(committed), Prove(committed, liar)), "") << changed;
    }
  }
}

TEST_F(WeightsTest, AProofIsAboutItsStatementAlone) {
  const WeightsStatement honest = About(matrices());
  const Bytes proof = Prove(matrices());
  const std::vector<std::function<void(WeightsStatement&)>> changes = {
      [](WeightsStatement& s) { s.relation.bytes[0] ^= std::byte{1}; },
      [](WeightsStatement& s) { s.wallet.bytes[0] ^= std::byte{1}; },
      [](WeightsStatement& s) { std::swap(s.matrices[0], s.matrices[1]); },
      [](WeightsStatement& s) { s.matrices[0] = s.matrices[1]; },
      [](WeightsStatement& s) { s.matrices[1].root.bytes[3] ^= std::byte{1}; },
      [](WeightsStatement& s) { ++s.matrices[1].shape.num_pads; }};
  std::set<std::string> hashes = {honest.Hash().ToHex()};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    WeightsStatement changed = honest;
    changes[i](changed);
    EXPECT_TRUE(hashes.insert(changed.Hash().ToHex()).second) << i;
    EXPECT_NE(Judge(changed, proof), "") << i;
    // The hash in the proof made right: the transcript still has the statement.
    Bytes renamed = proof;
    const Digest hash = changed.Hash();
    std::copy(hash.bytes.begin(), hash.bytes.end(), renamed.begin() + 8);
    EXPECT_NE(Judge(changed, renamed), "") << i;
  }
  Bytes renamed = proof;
  renamed[8] ^= std::byte{1};
  EXPECT_EQ(Judge(honest, renamed), "the proof is about another statement");
}

TEST_F(WeightsTest, MatricesThatHoldNoModelsAreRefused) {
  const WeightsStatement honest = About(matrices());
  WeightsStatement statement = honest;
  statement.matrices.pop_back();
  EXPECT_THAT(Refused(statement, Inputs()), HasSubstr("1 commitments for 2 models"));
  statement.matrices.clear();
  EXPECT_THAT(Refused(statement, {.circuit = &made_.circuit, .numbers = {}}),
              HasSubstr("0 commitments"));
  // Bytes of a statement count to 255; an opening has room for fewer.
  statement.matrices.assign(kMaxWeightsMatrices + 1, honest.matrices[0]);
  EXPECT_THAT(Refused(statement, {.circuit = &made_.circuit,
                                  .numbers = {statement.matrices.size(), made_.numbers[0]}}),
              HasSubstr("64 commitments"));
  for (const MatrixKind kind : {MatrixKind::kState, MatrixKind::kData, MatrixKind::kWitness}) {
    statement = honest;
    statement.matrices[1].shape.kind = kind;
    EXPECT_THAT(Refused(statement, Inputs()), HasSubstr("commitment 1 does not hold"));
  }
  statement = honest;
  ++statement.matrices[0].shape.num_rows;
  EXPECT_THAT(Refused(statement, Inputs()), HasSubstr("commitment 0 does not hold"));
  statement.matrices[0].shape.log_columns = 60;
  EXPECT_THAT(Refused(statement, Inputs()), HasSubstr("too wide"));
}

TEST_F(WeightsTest, ACircuitOfSomethingElseIsRefused) {
  const WeightsStatement statement = About(matrices());
  WeightsInputs inputs = Inputs();
  inputs.numbers[0][1] = static_cast<ValueId>(made_.circuit.values.size());
  EXPECT_THAT(Refused(statement, inputs), HasSubstr("no number"));
  // The form behind them all.
  inputs.numbers[0][1] = static_cast<ValueId>(made_.circuit.values.size() - 1);
  ASSERT_EQ(made_.circuit[inputs.numbers[0][1]].kind, circuit::Value::Kind::kForm);
  EXPECT_THAT(Refused(statement, inputs), HasSubstr("no number"));
  circuit::Circuit with_publics = made_.circuit;
  with_publics.publics.push_back(0);
  EXPECT_THAT(Refused(statement, {.circuit = &with_publics, .numbers = made_.numbers}),
              HasSubstr("neither publics nor state"));
  circuit::Circuit with_state = made_.circuit;
  with_state.carried.push_back({.number = 0, .role = circuit::Carried::Role::kState});
  EXPECT_THAT(Refused(statement, {.circuit = &with_state, .numbers = made_.numbers}),
              HasSubstr("neither publics nor state"));
}

TEST_F(WeightsTest, APlanHasTheBitsOfAnyOther) {
  const WeightsPlan plan = WeightsPlan::Make(About(matrices()), Inputs()).value();
  EXPECT_GE(TotalOf(SoundnessTerms(plan.batch())).bits(), kSoundnessBits);
  EXPECT_EQ(plan.batch().besides().size(), 3U);
}

}  // namespace
}  // namespace flair::zk
