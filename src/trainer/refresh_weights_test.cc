// Weights that somebody holds, committed to anew.
// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "base/path.h"
#include "base/sanitizers_testing.h"
#include "program/lower_testing.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/opening_book.h"
#include "trainer/model_tensors.h"

namespace flair::trainer {
namespace {

class RefreshWeightsTest : public testing::Test {
 protected:
  RefreshWeightsTest() : training_(program::Prepared(program::kMlp)) {
    seed_.bytes.fill(std::byte{3});
    Prove(env_);
  }
  // What a proven run leaves.
  void Prove(Env& env) const {
    EXPECT_TRUE(
        proof::OpeningBook::Open(env, "/run/openings").value().Reserve(Committed(), {}).ok());
    Write(env, "/run/trained.safetensors", training_.state);
    EXPECT_TRUE(WriteFileAtomically(env, "/run/weights.seed", seed_.view()).ok());
  }
  void Write(Env& env, const std::string& path, const program::TrainingState& state) const {
    EXPECT_TRUE(
        WriteModel(env, path, training_.program, IntegersOf(training_.lowered, state)).ok());
  }
  RefreshRequest Request(const std::string& seed, const std::string& folder) const {
    return {.program = training_.program,
            .weights = "/run/trained.safetensors",
            .seed = seed,
            .folder = folder,
            .wallet = seed_};
  }
  // What a statement of the run's end names.
  proof::MatrixId Committed() const { return Committed(seed_); }
  proof::MatrixId Committed(const Digest& seed) const {
    return proof::IdOf(proof::CommitState(training_.lowered.circuit,
                                          circuit::Carried::Role::kWeight, training_.state,
                                          proof::kOpeningsOfAnEnd, seed)
                           .value());
  }

  MemEnv env_;
  program::Training training_;
  Digest seed_;
};

TEST_F(RefreshWeightsTest, AChainOfCommitmentsIsProvenLinkByLink) {
  const auto first = RefreshWeights(env_, Request("/run/weights.seed", "/one"));
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_EQ(first->claim.before, Committed());
  EXPECT_FALSE(Exists(env_, "/one/refresh.pending"));
  EXPECT_NE(first->claim.after, first->claim.before);
  const auto second = RefreshWeights(env_, Request("/one/weights.seed", "/two"));
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ(second->claim.before, first->claim.after);
  for (const std::string folder : {"/one", "/two"}) {
    const Bytes proof = ReadFile(env_, folder + "/refresh.proof", 1 << 28).value();
    const Bytes text = ReadFile(env_, folder + "/refresh.statement.json", 1 << 16).value();
    EXPECT_TRUE(proof::IsRefreshStatement(AsText(text)));
    const auto claim = proof::DecodeRefresh(AsText(text));
    ASSERT_TRUE(claim.ok()) << claim.error().message();
    const auto bits = proof::VerifyRefresh(*claim, proof);
    ASSERT_TRUE(bits.ok()) << bits.error().message();
    EXPECT_GE(*bits, 100);
    // Of the other link it proves nothing.
    proof::RefreshClaim other = *claim;
    std::swap(other.before, other.after);
    EXPECT_FALSE(proof::VerifyRefresh(other, proof).ok());
  }
  const auto again = RefreshWeights(env_, Request("/run/weights.seed", "/one"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::kAlreadyExists);
}

TEST_F(RefreshWeightsTest, OtherWeightsOrAnotherSeedAreRefused) {
  program::TrainingState other = training_.state;
  ++other.carried[0][0];
  Write(env_, "/run/other.safetensors", other);
  RefreshRequest request = Request("/run/weights.seed", "/one");
  request.weights = "/run/other.safetensors";
  const auto refused = RefreshWeights(env_, request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("no proof that is counted in /run/"));
  EXPECT_FALSE(Exists(env_, "/one"));
  // The seed alone, away from its ledgers: how often it was opened nobody knows.
  ASSERT_TRUE(MakeDirs(env_, "/away").ok());
  ASSERT_TRUE(WriteFileAtomically(env_, "/away/weights.seed", seed_.view()).ok());
  EXPECT_FALSE(RefreshWeights(env_, Request("/away/weights.seed", "/one")).ok());
  EXPECT_FALSE(Exists(env_, "/away/openings"));
  EXPECT_TRUE(RefreshWeights(env_, Request("/run/weights.seed", "/one")).ok());
}

TEST_F(RefreshWeightsTest, EveryOpeningIsCountedAndNoMoreAreGiven) {
  const proof::MatrixId before = Committed();
  const std::uint64_t each = zk::NumQueries(before.shape.row_length(), before.shape.n());
  for (std::uint64_t i = 0; i < proof::kOpeningsOfAnEnd; ++i) {
    const auto made =
        RefreshWeights(env_, Request("/run/weights.seed", "/copy" + std::to_string(i)));
    ASSERT_TRUE(made.ok()) << i << made.error().message();
    const std::uint64_t left =
        proof::OpeningBook::NumLeft(env_, "/copy" + std::to_string(i) + "/openings",
                                    made->claim.after)
            .value();
    EXPECT_EQ(left, before.shape.num_pads - each);
  }
  // Columns coincide now and then: a few more proofs may fit, and then none.
  bool refused = false;
  for (int i = 0; i < 8 && !refused; ++i) {
    const auto made =
        RefreshWeights(env_, Request("/run/weights.seed", "/more" + std::to_string(i)));
    refused = !made.ok();
    if (refused) {
      EXPECT_EQ(made.error().code(), ErrorCode::kConflict);
    }
  }
  EXPECT_TRUE(refused);
  EXPECT_LE(proof::OpeningBook::NumLeft(env_, "/run/openings", before).value(), each);
}

// Wherever it is stopped: no proof that is not counted, and whoever refreshes into the folder next
// spends no opening a second time.
TEST_F(RefreshWeightsTest, AStoppedOneIsGoneOnWith) {
  const proof::MatrixId before = Committed();
  const std::uint64_t each = zk::NumQueries(before.shape.row_length(), before.shape.n());
  const RefreshRequest request = Request("/run/weights.seed", "/copy");
  for (std::uint64_t k = 1;; k += kEachFailure) {
    MemEnv disk;
    Prove(disk);
    ASSERT_TRUE(disk.SyncDir("/").ok());
    FaultEnv env(disk);
    env.FailAt(k);
    const bool failed = !RefreshWeights(env, request).ok();
    env.Heal();
    disk.Crash();
    const auto num_left = [&](const std::string& folder, const proof::MatrixId& matrix) {
      return proof::OpeningBook::NumLeft(disk, folder + "/openings", matrix).value();
    };
    if (Exists(disk, "/copy/refresh.proof")) {
      EXPECT_LT(num_left("/run", before), before.shape.num_pads) << "after failure " << k;
    }
    if (failed) {
      // Of another wallet it is not: whoever stopped it may have shown it.
      RefreshRequest other = request;
      other.wallet.bytes[0] ^= std::byte{1};
      if (Exists(disk, "/copy/refresh.pending")) {
        EXPECT_EQ(RefreshWeights(disk, other).error().code(), ErrorCode::kAlreadyExists);
      }
      const auto again = RefreshWeights(disk, request);
      ASSERT_TRUE(again.ok()) << k << again.error().message();
    }
    const Bytes proof = ReadFile(disk, "/copy/refresh.proof", 1 << 28).value();
    const Bytes text = ReadFile(disk, "/copy/refresh.statement.json", 1 << 16).value();
    const proof::RefreshClaim claim = proof::DecodeRefresh(AsText(text)).value();
    EXPECT_EQ(claim.before, before);
    EXPECT_TRUE(proof::VerifyRefresh(claim, proof).ok());
    EXPECT_GE(num_left("/run", before), before.shape.num_pads - each) << k;
    EXPECT_GE(num_left("/copy", claim.after), claim.after.shape.num_pads - each) << k;
    EXPECT_TRUE(!failed || !Exists(disk, "/copy/refresh.pending")) << k;
    // The seed is that of the new commitment.
    const Bytes seed = ReadFile(disk, "/copy/weights.seed", 32).value();
    EXPECT_EQ(Committed(Digest::FromBytes(seed).value()), claim.after) << k;
    if (!failed) {
      EXPECT_GT(k, 20U);
      break;
    }
  }
}

}  // namespace
}  // namespace flair::trainer
