// Whole runs, proven in chunks: stopped, begun again, on failing disks.
// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/prove_run.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/fault_env.h"
#include "proof/prover/opening_book.h"
#include "proof/prover/proven_run_testing.h"

namespace flair::proof {
namespace {

constexpr std::string_view kWithBatchNorm = R"(flair program 1
batch 4
data x [2, 4, 4] bits 12 scale 8
label y classes 3
param c.weight [3, 2, 3, 3]
param n.weight [3]
param n.bias [3]
param f.weight [3, 12]
buffer n.mean [3]
buffer n.var [3]
c = conv(x, c.weight, stride=[1, 1], pad=[1, 1, 1, 1])
n = batch_norm(c, n.weight, n.bias, n.mean, n.var, eps=0.001)
r = relu(n)
p = max_pool(r, window=[2, 2], stride=[2, 2])
d = dropout(p, p=1/4)
v = flatten(d)
z = linear(v, f.weight)
l = cross_entropy(z, y)
loss l
optimiser sgd(weight_decay=1/1000)
schedule 1/16
profile limb 12
profile logit 12 7
profile gradient 28 23
)";

TEST(ProveRunTest, ChunksOfAnySizeProveTheSameRun) {
  const RunUnderTest run;
  std::set<std::string> ends;
  for (const std::uint64_t size : {2, 100}) {
    MemEnv env;
    const auto proven = run.Prove(env, size);
    ASSERT_TRUE(proven.ok()) << proven.error().message();
    const auto verdict = VerifyRun(run.training.lowered, proven->claim, proven->proof);
    ASSERT_TRUE(verdict.ok()) << verdict.error().message();
    EXPECT_EQ(verdict->num_chunks, (5 + size - 1) / size);
    EXPECT_GE(verdict->soundness_bits, zk::kSoundnessBits);
    ends.insert(proven->claim.after.weights.root.ToHex());
  }
  EXPECT_EQ(ends.size(), 1U);
}

TEST(ProveRunTest, ConvolutionNormalisationPoolingAndDropoutAreProven) {
  const RunUnderTest run(kWithBatchNorm, 3);
  MemEnv env;
  const auto proven = run.Prove(env, 2);
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  const auto verdict = VerifyRun(run.training.lowered, proven->claim, proven->proof);
  EXPECT_TRUE(verdict.ok()) << verdict.error().message();
}

TEST(ProveRunTest, WhatWasStoppedGoesOnWhereItWas) {
  const RunUnderTest run;
  MemEnv env;
  const auto stop = [](const ProveProgress& p) {
    return p.chunk == 1 && p.stage == "lookups" ? Status(Error(ErrorCode::kCancelled, "stopped"))
                                                : OkStatus();
  };
  const auto stopped = run.Prove(env, 2, {.progress = stop});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(NumChunksLeft(env, run.claim, {.steps_per_chunk = 2, .folder = "/chunks"}), 2U);
  std::map<std::uint64_t, int> commitments;
  const auto count = [&](const ProveProgress& p) {
    commitments[p.chunk] += p.stage == "commitment" ? 1 : 0;
    return OkStatus();
  };
  const auto proven = run.Prove(env, 2, {.progress = count});
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  EXPECT_EQ(commitments[0], 0) << "the kept chunk is proven again";
  EXPECT_EQ(commitments[1], 1);
  EXPECT_EQ(commitments[2], 1);
}

TEST(ProveRunTest, ChunksOfAnotherSizeThanTheKeptAreRefused) {
  const RunUnderTest run;
  MemEnv env;
  ASSERT_TRUE(run.Prove(env, 2).ok());
  const Bytes kept = env.ContentsOf("/chunks/steps-0.chunk");
  const auto refused = run.Prove(env, 3);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_EQ(env.ContentsOf("/chunks/steps-0.chunk"), kept);
  EXPECT_EQ(KeptStepsPerChunk(env, run.claim, "/chunks").value(), 2U);
  EXPECT_EQ(KeptStepsPerChunk(env, run.claim, "/none").value(), std::nullopt);
  // Two sizes, as a prover left them that did not look.
  ASSERT_TRUE(env.Rename("/chunks/steps-2.chunk", "/other").ok());
  ASSERT_TRUE(env.Rename("/chunks/steps-4.chunk", "/last").ok());
  MemEnv threes;
  ASSERT_TRUE(run.Prove(threes, 3).ok());
  env.ReplaceContents("/other", threes.ContentsOf("/chunks/steps-3.chunk"));
  ASSERT_TRUE(env.Rename("/other", "/chunks/steps-3.chunk").ok());
  EXPECT_FALSE(KeptStepsPerChunk(env, run.claim, "/chunks").ok());
}

TEST(ProveRunTest, AKeptChunkThatIsNotThisRunsIsNotTaken) {
  MemEnv env;
  RunUnderTest other;
  other.claim.wallet = FilledWith(77);
  ASSERT_TRUE(other.Prove(env, 5).ok());
  const RunUnderTest run;
  const auto proven = run.Prove(env, 5);
  ASSERT_TRUE(proven.ok());
  EXPECT_TRUE(VerifyRun(run.training.lowered, proven->claim, proven->proof).ok());
}

TEST(ProveRunTest, AtEveryFailureOfTheDiskNothingIsHalfWritten) {
  const RunUnderTest run(kSmallRun, 1);
  for (std::uint64_t k = 1;; ++k) {
    MemEnv disk;
    FaultEnv env(disk);
    env.FailAt(k);
    const auto failed = run.Prove(env, 1);
    if (failed.ok()) {
      EXPECT_GT(k, 4U);
      break;
    }
    EXPECT_EQ(failed.error().code(), ErrorCode::kIo);
    env.Heal();
    const auto proven = run.Prove(env, 1);
    ASSERT_TRUE(proven.ok()) << "after failure " << k << ": " << proven.error().message();
  }
}

TEST(ProveRunTest, ColumnsAreReservedForEveryMatrixThatOutlives) {
  const RunUnderTest run(kSmallRun, 2);
  MemEnv env;
  std::map<std::string, int> shown;
  const auto reserve = [&](const MatrixId& matrix, std::span<const std::uint64_t> columns) {
    EXPECT_LE(columns.size() * kOpeningsOfABorder, matrix.shape.num_pads);
    ++shown[matrix.root.ToHex()];
    return OkStatus();
  };
  const auto proven = run.Prove(env, 1, {.progress = {}, .may_show = reserve});
  ASSERT_TRUE(proven.ok());
  EXPECT_EQ(shown.size(), 4U) << "data, and weights before, between and after";
  EXPECT_EQ(shown[proven->claim.data->matrix.root.ToHex()], 2);
  EXPECT_EQ(shown[proven->claim.before.weights.root.ToHex()], 1);
}

// Opens no matrix for more than it has pads.
ProveHooks WithBook(OpeningBook& book) {
  return {
      .progress = {},
      .may_show =
          [&](const MatrixId& matrix, std::span<const std::uint64_t> columns) {
            return book.Check(matrix, columns);
          },
      .show = [&](const MatrixId& matrix,
                  std::span<const std::uint64_t> columns) { return book.Reserve(matrix, columns); },
      .on_step = {}};
}

TEST(ProveRunTest, WeightsThatStayHaveCommitmentsOfTheirOwn) {
  // At rate 0 all borders have the same weights, and each is opened twice.
  std::string still(kSmallRun);
  still.replace(still.find("3/16 x 2, 1/16"), 14, "1/16 x 1, 0");
  const RunUnderTest run(still, 5);
  MemEnv env;
  OpeningBook book = OpeningBook::Open(env, "/openings").value();
  const auto proven = run.Prove(env, 1, WithBook(book));
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  EXPECT_TRUE(VerifyRun(run.training.lowered, proven->claim, proven->proof).ok());
}

TEST(ProveRunTest, ProofsThatWereBrokenOffSpendNothing) {
  const RunUnderTest run(kSmallRun, 2);
  MemEnv env;
  OpeningBook book = OpeningBook::Open(env, "/openings").value();
  ProveHooks hooks = WithBook(book);
  // Of a border's two openings neither may be lost, or the chunk behind it could never be proven.
  for (const std::uint64_t chunk : {0, 0, 0, 1, 1, 1}) {
    hooks.progress = [&](const ProveProgress& p) {
      return p.chunk == chunk && p.stage == "verifying"
                 ? Status(Error(ErrorCode::kCancelled, "stopped"))
                 : OkStatus();
    };
    EXPECT_FALSE(run.Prove(env, 1, hooks).ok());
    EXPECT_EQ(OpeningBook::NumLeft(env, "/openings", run.claim.data->matrix).value(),
              run.claim.data->matrix.shape.num_pads -
                  chunk * zk::NumQueries(run.claim.data->matrix.shape.row_length(),
                                         run.claim.data->matrix.shape.n()));
  }
  const auto proven = run.Prove(env, 1, WithBook(book));
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  EXPECT_TRUE(VerifyRun(run.training.lowered, proven->claim, proven->proof).ok());
}

TEST(ProveRunTest, AtEveryFailureWhatIsSeenIsCounted) {
  const RunUnderTest run(kSmallRun, 1);
  const MatrixId& data = run.claim.data->matrix;
  const std::uint64_t each = zk::NumQueries(data.shape.row_length(), data.shape.n());
  for (std::uint64_t k = 1;; ++k) {
    MemEnv disk;
    FaultEnv env(disk);
    OpeningBook book = OpeningBook::Open(env, "/openings").value();
    ProveHooks hooks = WithBook(book);
    // Before this nothing is written but the folder.
    hooks.progress = [&](const ProveProgress& p) {
      if (p.stage == "verifying") env.FailAt(k);
      return OkStatus();
    };
    const bool failed = !run.Prove(env, 1, hooks).ok();
    env.Heal();
    // What has its name is counted, and nothing is spent on proofs that nobody sees.
    const auto left = [&] { return OpeningBook::NumLeft(disk, "/openings", data).value(); };
    if (ChunkFolder::Has(disk, "/chunks", 0)) {
      EXPECT_EQ(left(), data.shape.num_pads - each) << "after failure " << k;
    }
    const auto proven = run.Prove(env, 1, WithBook(book));
    ASSERT_TRUE(proven.ok()) << "after failure " << k << ": " << proven.error().message();
    EXPECT_EQ(left(), data.shape.num_pads - each) << "after failure " << k;
    if (!failed) {
      EXPECT_GT(k, 12U);
      break;
    }
  }
}

TEST(ProveRunTest, StateAtEndsHasASeedOfItsOwn) {
  std::string momentum(kSmallRun);
  momentum.replace(momentum.find("sgd()"), 5, "sgd(momentum=1/2)");
  const RunUnderTest run(momentum, 1);
  const auto ends = [&](int weights_seed, int state_seed) {
    RunSecrets secrets = run.Secrets();
    secrets.weights_seed = FilledWith(weights_seed);
    secrets.state_seed = FilledWith(state_seed);
    MemEnv env;
    return ProveRun(run.training.lowered, run.claim, secrets,
                    {.steps_per_chunk = 1, .folder = "/chunks", .passes_state = true}, env)
        .value()
        .claim.after;
  };
  const RunEnd first = ends(1, 2), other_weights = ends(3, 2), other_state = ends(1, 4);
  EXPECT_EQ(first.state, other_weights.state) << "who has the weights' seed has the state's";
  EXPECT_NE(first.weights, other_weights.weights);
  EXPECT_NE(first.state, other_state.state);
  EXPECT_EQ(first.weights, other_state.weights);
}

}  // namespace
}  // namespace flair::proof
