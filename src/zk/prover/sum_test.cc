// One sumcheck over hidden tables, and a prover that lies in it: about the sum, in its rounds,
// about a factor. Each lie passes when the verifier has forgotten one equation.
// SPDX-License-Identifier: Apache-2.0
#include "zk/sumcheck/sum.h"

#include <gtest/gtest.h>

#include <random>

#include "zk/prover/batch_testing.h"

namespace flair::zk {
namespace {

constexpr unsigned kVariables = 3;
constexpr std::uint64_t kSize = std::uint64_t{1} << kVariables;
constexpr MatrixShape kWitness{
    .log_columns = 5, .log_n = 7, .num_rows = 1, .num_pads = 16, .kind = MatrixKind::kWitness};
constexpr const char* kConstraint = "masks: a constraint between pads does not hold";

enum class Lie {
  kNone,
  kSum,           // rounds of the true sum below a false one
  kRounds,        // rounds of the false sum, and true factors
  kSecondFactor,  // one factor has another value in the second product
};

// f g + f k, over the cells 0 ..., 8 ... and 16 ....
class Sum final : public SumWitness {
 public:
  Sum(std::span<const std::uint64_t> cells, Lie lie) : lie_(lie) {
    for (std::size_t t = 0; t < 3; ++t) {
      for (std::uint64_t i = 0; i < kSize; ++i) tables_[t].push_back(Fp2(Fp(cells[t * kSize + i])));
    }
  }

  Fp2 Value() const {
    const std::vector<Fp2> at = At();
    return at[0] + at[1];
  }
  std::vector<Fp2> Round(Fp2 claim) override {
    round_ = At();
    if (lie_ == Lie::kRounds || lie_ == Lie::kSecondFactor) round_[1] = claim - round_[0];
    return round_;
  }
  void Fold(Fp2 r) override {
    std::vector<Secret> values;
    for (const Fp2& v : round_) values.push_back({v, Masked()});
    claim_ = Interpolate(values, r).value;
    for (auto& table : tables_) {
      for (std::size_t i = 0; 2 * i < table.size(); ++i) {
        table[i] = table[2 * i] + (table[2 * i + 1] - table[2 * i]) * r;
      }
      table.resize(table.size() / 2);
    }
  }
  Fp2 Last(std::size_t table) const override {
    const Fp2 f = tables_[0][0], g = tables_[1][0], k = tables_[2][0];
    if (table == 0 && ++reads_of_f_ == 2 && lie_ == Lie::kSecondFactor) {
      return (claim_ - f * g) * k.Inverse();
    }
    return tables_[table][0];
  }

 private:
  // Of this round at 0, 1, 2.
  std::vector<Fp2> At() const {
    std::vector<Fp2> at(3);
    for (std::size_t i = 0; i < tables_[0].size(); i += 2) {
      for (std::uint64_t x = 0; x < 3; ++x) {
        const auto on = [&](std::size_t t) {
          return tables_[t][i] + (tables_[t][i + 1] - tables_[t][i]) * Fp2(x);
        };
        at[x] += on(0) * (on(1) + on(2));
      }
    }
    return at;
  }

  Lie lie_;
  std::vector<Fp2> tables_[3];
  std::vector<Fp2> round_;
  Fp2 claim_;
  mutable int reads_of_f_ = 0;
};

std::string Judge(Lie lie) {
  std::mt19937_64 random(1);
  const std::vector<std::uint64_t> cells = RandomCells(kWitness, random);
  const SumShape shape{.tau = std::vector<std::optional<Fp2>>(kVariables),
                       .hidden = {true, true, true},
                       .terms = {{.coefficient = Fp2(1), .factors = {0, 1}},
                                 {.coefficient = Fp2(1), .factors = {0, 2}}}};
  const Fp2 claimed = Sum(cells, Lie::kNone).Value() + Fp2(lie == Lie::kNone ? 0 : 1);
  const Script script = [&](Channel& channel, Transcript& transcript) {
    Sum witness(cells, lie);
    const bool proves = dynamic_cast<BatchProver*>(&channel) != nullptr;
    const SumEnd end = RunSum(
        shape, {claimed, Masked(claimed)}, [](std::size_t, auto) { return Fp2(); }, transcript,
        channel, proves ? &witness : nullptr);
    std::vector<Claim> claims;
    for (std::size_t t = 0; t < 3; ++t) {
      claims.push_back(
          {.matrix = 0,
           .blocks = {{.coefficient = Fp2(1), .offset = t * kSize, .point = end.point}},
           .value = end.values[t].masked});
    }
    return claims;
  };
  const BatchPlan plan = BatchPlan::Make(kWitness, {}, shape.num_pads(), shape.num_triples(),
                                         {.work_bits = 3, .fixed_queries = 12})
                             .value();
  const auto rows = std::make_shared<StoredRows>(cells, kWitness.num_columns());
  Transcript proving("test");
  const Proven proven = ProveScript(plan, rows, {}, *SeededEnv(1), proving, script);
  Transcript verifying("test");
  return JudgeScript(plan, proven, verifying, script);
}

TEST(SumTest, ATrueSumIsAccepted) { EXPECT_EQ(Judge(Lie::kNone), "accepted"); }

TEST(SumTest, AFalseSumThatTheRoundsIgnoreIsRejected) { EXPECT_EQ(Judge(Lie::kSum), kConstraint); }

TEST(SumTest, AFalseSumThatTheRoundsLeaveOverIsRejected) {
  EXPECT_EQ(Judge(Lie::kRounds), kConstraint);
}

TEST(SumTest, TwoValuesOfOneFactorAreRejected) {
  EXPECT_EQ(Judge(Lie::kSecondFactor), kConstraint);
}

}  // namespace
}  // namespace flair::zk
