// Recorded runs: what the slack allows is proven, across chunks, and nothing beyond it.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "proof/prover/proven_run_testing.h"
#include "proof/run_proof.h"
#include "proof/verify_run.h"

namespace flair::proof {
namespace {

constexpr std::uint64_t kSteps = 12;

// What a recorded step errs by, beside the change that is right.
using ErrorOf =
    std::function<std::int64_t(const std::string& tensor, std::size_t cell, std::int64_t change)>;

// One part in 2000 of the change, every other cell.
std::int64_t SmallError(const std::string&, std::size_t cell, std::int64_t change) {
  return cell % 2 == 0 ? change / 2000 : 0;
}

// A run whose weights are the exact step's, and an error.
class RecordedRunTest : public testing::Test {
 protected:
  explicit RecordedRunTest(std::string_view text = kSmallRun, const ErrorOf& error_of = SmallError)
      : run_(text, kSteps) {
    const program::Training& t = run_.training;
    program::TrainingState state = t.state;
    for (std::uint64_t step = 0; step < kSteps; ++step) {
      const program::TrainingState before = state;
      state = program::Train(t.lowered, t.data, std::move(state),
                             {.seed = t.run.seed, .first_step = step, .steps = 1},
                             [](const program::TrainingStep&) { return OkStatus(); })
                  .value();
      weights_.emplace_back();
      for (std::size_t i = 0; i < t.lowered.parameters.size(); ++i) {
        for (std::size_t cell = 0; cell < state.carried[i].size(); ++cell) {
          state.carried[i][cell] += error_of(t.program.parameters[i].name, cell,
                                             state.carried[i][cell] - before.carried[i][cell]);
        }
        weights_.back().push_back(state.carried[i]);
      }
    }
  }

  // `circuit` bounds the steps, `said` is what the statements name.
  Result<ProvenRun> Prove(const program::Slack& circuit, const program::Slack& said) const {
    const program::Lowered lowered = program::Lower(run_.training.program, circuit).value();
    RunClaim claim = run_.claim;
    claim.slack = said;
    RunSecrets secrets = run_.Secrets();
    secrets.start.carried.resize(lowered.circuit.carried.size(), {0});
    secrets.recorded = [this](std::uint64_t step) -> Result<std::vector<circuit::Ints>> {
      return weights_[step];
    };
    MemEnv env;
    return ProveRun(lowered, claim, secrets, {.steps_per_chunk = 7, .folder = "/chunks"}, env);
  }
  std::string Verify(const ProvenRun& proven) const {
    return Verify(proven, *proven.claim.slack, *proven.claim.slack);
  }
  // By who lowers with one slack, and claims one.
  std::string Verify(const ProvenRun& proven, const program::Slack& circuit,
                     const program::Slack& claimed) const {
    const program::Lowered lowered = program::Lower(run_.training.program, circuit).value();
    RunClaim claim = proven.claim;
    claim.slack = claimed;
    const auto verdict = VerifyRun(lowered, claim, proven.proof);
    return verdict.ok() ? "" : verdict.error().message();
  }

  RunUnderTest run_;
  std::vector<std::vector<circuit::Ints>> weights_;
};

TEST_F(RecordedRunTest, WhatStaysWithinItsSlackIsProven) {
  const program::Slack slack{.rho = 1e-3, .rho_first = 1e-3};
  const auto proven = Prove(slack, slack);
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  EXPECT_EQ(Verify(*proven), "");
  // Between chunks, too, the drift is passed on.
  std::vector<ChunkProof> chunks = DecodeRunProof(proven->proof).value();
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_NE(chunks[1].statement.Find(zk::Role::kStateBefore), nullptr);
}

TEST_F(RecordedRunTest, BoundsOfAnotherCircuitAreNotTheClaims) {
  const program::Slack wide{.rho = 1e-3, .rho_first = 1e-3, .beta = 5};
  const auto proven_with = [&](program::Slack said) {
    const auto proven = Prove(wide, said);
    EXPECT_TRUE(proven.ok());
    return Verify(*proven);
  };
  EXPECT_EQ(proven_with(wide), "");
  program::Slack said = wide;
  said.rho = 1e-4;
  EXPECT_NE(proven_with(said), "");
  // Whoever verifies another circuit than the claim's, or a claim of another slack than the
  // proof's.
  const auto proven = Prove(wide, said);
  ASSERT_TRUE(proven.ok());
  EXPECT_EQ(Verify(*proven, wide, said), "the circuit has another slack than the claim");
  EXPECT_THAT(Verify(*proven, wide, wide), testing::StartsWith("chunk 1: slack: not the claim's"));
  said = wide;
  said.sigma = 1e-5;
  EXPECT_NE(proven_with(said), "");
  said = wide;
  said.beta = 4;
  EXPECT_NE(proven_with(said), "");
}

// c is a gauge tensor: Adam moves it by noise, a framework's Adam by another one.
constexpr std::string_view kNormedRun = R"(flair program 1
batch 3
data x [4] bits 12 scale 8
label y classes 3
param w [3, 4]
param c [3]
param g [3]
param b [3]
buffer m [3]
buffer v [3]
h = linear(x, w, c)
n = batch_norm(h, g, b, m, v)
l = cross_entropy(n, y)
loss l
optimiser adam()
schedule 1/1024 x 2, 1/4096
profile limb 12
profile logit 12 7
profile activation 18 12
profile gradient 24 23
)";

class GaugeRunTest : public RecordedRunTest {
 protected:
  GaugeRunTest()
      : RecordedRunTest(kNormedRun,
                        [](const std::string& tensor, std::size_t cell, std::int64_t change) {
                          return tensor == "c" ? -2 * change : SmallError(tensor, cell, change);
                        }) {}
};

TEST_F(GaugeRunTest, WholeStepsOfNoiseAreProven) {
  const program::Slack slack{.tau = -9, .rho = 1e-3, .rho_first = 1e-3};
  const auto proven = Prove(slack, slack);
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  EXPECT_EQ(Verify(*proven), "");
}

TEST_F(GaugeRunTest, MoreThanTwoRatesHaveNoProof) {
  weights_[5][1][2] += 1 << 20;  // two rates are 2^19 by now
  const program::Slack slack{.tau = -9, .rho = 1e-3, .rho_first = 1e-3};
  const auto proven = Prove(slack, slack);
  ASSERT_FALSE(proven.ok());
  EXPECT_NE(proven.error().message().find("'c.slack.two rates"), std::string::npos)
      << proven.error().message();
}

}  // namespace
}  // namespace flair::proof
