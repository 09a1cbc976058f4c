// What a run's verifier refuses: claims that are not the proof's, chunks that do not fit, bytes.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "proof/prover/proven_run_testing.h"
#include "proof/prover/small_chunk_testing.h"
#include "proof/run_proof.h"
#include "proof/verify_run.h"

namespace flair::proof {
namespace {

using testing::HasSubstr;

class RunClaimTest : public testing::Test {
 protected:
  static const ProvenRun& Honest() {
    static const ProvenRun proven = [] {
      MemEnv env;
      return Run().Prove(env, 2).value();
    }();
    return proven;
  }
  static const RunUnderTest& Run() {
    static const RunUnderTest run;
    return run;
  }
  static std::string Verify(const RunClaim& claim, ByteView proof) {
    const auto verdict = VerifyRun(Run().training.lowered, claim, proof);
    return verdict.ok() ? "" : verdict.error().message();
  }
  static std::string AfterChange(const std::function<void(std::vector<ChunkProof>&)>& change) {
    std::vector<ChunkProof> chunks = DecodeRunProof(Honest().proof).value();
    change(chunks);
    return Verify(Honest().claim, EncodeRunProof(chunks));
  }
};

TEST_F(RunClaimTest, ChunksThatDoNotFitAreRejected) {
  ASSERT_EQ(Verify(Honest().claim, Honest().proof), "");
  using Chunks = std::vector<ChunkProof>;
  EXPECT_THAT(AfterChange([](Chunks& c) { std::swap(c[0], c[1]); }), HasSubstr("chunk 1: steps"));
  EXPECT_THAT(AfterChange([](Chunks& c) { c.erase(c.begin() + 1); }), HasSubstr("chunk 2: steps"));
  EXPECT_THAT(AfterChange([](Chunks& c) { c.erase(c.begin()); }), HasSubstr("chunk 1: steps"));
  EXPECT_THAT(AfterChange([](Chunks& c) { c.pop_back(); }), HasSubstr("chunk 2: weights after"));
  EXPECT_THAT(AfterChange([](Chunks& c) { c.push_back(c.back()); }), HasSubstr("chunk 4: steps"));
  EXPECT_NE(AfterChange([](Chunks& c) { c[1].proof = c[0].proof; }), "");
  // A chunk that begins with weights which nobody trained.
  EXPECT_THAT(AfterChange([](Chunks& c) {
                MemEnv env;
                RunUnderTest other;
                other.training.state.carried[0][0] += 1;
                c[1] = DecodeRunProof(other.Prove(env, 2).value().proof).value()[1];
              }),
              HasSubstr("chunk 2: weights before"));
}

TEST_F(RunClaimTest, AProofIsAboutItsClaimAlone) {
  const auto refused = [&](const std::function<void(RunClaim&)>& change) {
    RunClaim claim = Honest().claim;
    change(claim);
    return Verify(claim, Honest().proof);
  };
  EXPECT_THAT(refused([](RunClaim& c) { c.program = FilledWith(1); }), HasSubstr("program"));
  EXPECT_THAT(refused([](RunClaim& c) { c.seed = FilledWith(1); }), HasSubstr("seed"));
  EXPECT_THAT(refused([](RunClaim& c) { c.wallet = FilledWith(1); }), HasSubstr("wallet"));
  EXPECT_THAT(refused([](RunClaim& c) { c.data->card = FilledWith(1); }), HasSubstr("data card"));
  EXPECT_THAT(refused([](RunClaim& c) { ++c.data->num_records; }), HasSubstr("data card"));
  EXPECT_THAT(refused([](RunClaim& c) { c.data->matrix.root = FilledWith(1); }), HasSubstr("data"));
  EXPECT_THAT(refused([](RunClaim& c) { c.data->columns[0].bias += 1; }), testing::Ne(""));
  EXPECT_THAT(refused([](RunClaim& c) { c.first_step = 1; }), HasSubstr("steps"));
  EXPECT_THAT(refused([](RunClaim& c) { c.num_steps = 4; }), HasSubstr("steps"));
  EXPECT_THAT(refused([](RunClaim& c) { c.num_steps = 6; }), HasSubstr("5 are proven of 6"));
  EXPECT_THAT(refused([](RunClaim& c) { c.num_steps = ~std::uint64_t{0}; }), HasSubstr("a run of"));
  EXPECT_THAT(refused([](RunClaim& c) { c.before.weights.root = FilledWith(1); }),
              HasSubstr("weights before"));
  EXPECT_THAT(refused([](RunClaim& c) { c.after.weights.root = FilledWith(1); }),
              HasSubstr("weights after"));
  EXPECT_THAT(refused([](RunClaim& c) { c.after.state = c.after.weights; }), HasSubstr("state"));
  EXPECT_THAT(refused([](RunClaim& c) { c.data.reset(); }), HasSubstr("no data"));
}

constexpr std::string_view kWithMomentum = R"(flair program 1
batch 3
data x [4] bits 12 scale 8
label y classes 3
param w [3, 4]
z = linear(x, w)
l = cross_entropy(z, y)
loss l
optimiser sgd(momentum=9/10)
schedule 1/16
profile limb 12
profile logit 12 7
profile gradient 24 23
)";

TEST_F(RunClaimTest, BeforeItsFirstStepARunRemembersNothing) {
  // A momentum that nobody's gradients made takes the weights anywhere in a step.
  RunUnderTest run(kWithMomentum, 1);
  run.training.state.carried[1][0] = 1 << 20;
  run.claim.before.state.emplace();
  MemEnv env;
  const auto proven = run.Prove(env, 1);
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  const auto verdict = VerifyRun(run.training.lowered, proven->claim, proven->proof);
  ASSERT_FALSE(verdict.ok());
  EXPECT_THAT(verdict.error().message(), HasSubstr("state before its first step"));
}

// Two runs, the second of which has forgotten what the first remembered, are not one.
TEST_F(RunClaimTest, StateThatIsNotPassedOnIsMissed) {
  RunUnderTest run(kWithMomentum, 2);
  MemEnv first_env, second_env;
  const auto first = run.Prove(first_env, 2);
  ASSERT_TRUE(first.ok()) << first.error().message();
  run.training.state = first->end;
  std::fill(run.training.state.carried[1].begin(), run.training.state.carried[1].end(), 0);
  run.claim.first_step = 2;
  const auto second = run.Prove(second_env, 2);
  ASSERT_TRUE(second.ok()) << second.error().message();

  std::vector<ChunkProof> chunks = DecodeRunProof(first->proof).value();
  chunks.push_back(DecodeRunProof(second->proof).value()[0]);
  RunClaim claim = first->claim;
  claim.num_steps = 4;
  claim.after = second->claim.after;
  const auto verdict = VerifyRun(run.training.lowered, claim, EncodeRunProof(chunks));
  EXPECT_EQ(verdict.ok() ? "accepted" : verdict.error().message(),
            "chunk 1: state after: it is not passed on");
}

// State that no matrix holds is 0 before the first step.
TEST_F(RunClaimTest, StateThatComesFromNowhereIsRejected) {
  program::Training training = program::Prepared(kWithMomentum);
  const auto judge = [&] {
    const SmallChunk chunk = SmallChunk::Make(training, {.steps = 1}).value();
    return chunk.Judge(chunk.Prove(*zk::SeededEnv(1)).value());
  };
  EXPECT_EQ(judge(), "accepted");
  training.state.carried[1][0] = 1 << 20;
  EXPECT_EQ(judge(), "masks: a constraint between pads does not hold");
}

TEST_F(RunClaimTest, SlackIsTheClaims) {
  RunClaim claim = Honest().claim;
  claim.slack = program::Slack{};
  EXPECT_THAT(Verify(claim, Honest().proof), HasSubstr("another slack than the claim"));
  const program::Lowered recorded = program::Lower(Run().training.program, claim.slack).value();
  const auto verdict = VerifyRun(recorded, claim, Honest().proof);
  ASSERT_FALSE(verdict.ok());
  EXPECT_THAT(verdict.error().message(), HasSubstr("chunk 1"));
}

TEST_F(RunClaimTest, BytesThatAreNoProofAreRefused) {
  const Bytes& proof = Honest().proof;
  const auto decodes = [](ByteView bytes) { return DecodeRunProof(bytes).ok(); };
  ASSERT_TRUE(decodes(proof));
  for (std::size_t n = 0; n < 400; ++n) EXPECT_FALSE(decodes(ByteView(proof).first(n))) << n;
  EXPECT_FALSE(decodes(ByteView(proof).first(proof.size() - 1)));
  Bytes longer = proof;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decodes(longer));
  for (std::size_t at = 0; at < 200; ++at) {
    Bytes changed = proof;
    changed[at] ^= std::byte{0x80};
    EXPECT_NE(Verify(Honest().claim, changed), "") << "byte " << at;
  }
}

}  // namespace
}  // namespace flair::proof
