// What is said of a proof before there is one is what its verifier says.
// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/chunk_soundness.h"

#include <gtest/gtest.h>

#include "proof/prover/proven_run_testing.h"

namespace flair::proof {
namespace {

TEST(ChunkSoundnessTest, ItIsWhatTheVerifierFinds) {
  const RunUnderTest run;
  MemEnv env;
  const auto proven = run.Prove(env, 3);
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  const auto chunks = DecodeRunProof(proven->proof);
  ASSERT_TRUE(chunks.ok());
  // The first goes on into another.
  const auto bits = VerifyChunk(run.training.lowered, run.claim.data->columns, (*chunks)[0]);
  ASSERT_TRUE(bits.ok()) << bits.error().message();
  const auto terms = ChunkSoundness(
      run.training.lowered,
      {.num_steps = 3, .num_records = run.training.data.rows, .data_openings = kOpeningsOfAnEnd});
  ASSERT_TRUE(terms.ok()) << terms.error().message();
  EXPECT_EQ(zk::TotalOf(*terms).bits(), *bits);
  EXPECT_GE(*bits, zk::kSoundnessBits);
}

}  // namespace
}  // namespace flair::proof
