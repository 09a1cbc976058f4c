// Golden vectors of batch openings: tests/vectors/zk_opening.json, which `zk_vectors opening`
// prints. tests/reference compares the verifier with the reference's on changed ones.
// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/opening_vectors_testing.h"

namespace flair::zk {
namespace {

TEST(OpeningVectorsTest, AreWhatTheProverMakes) {
  const json::value vectors = ReadVectors("zk_opening.json");
  const json::array made = MakeOpeningVectors();
  ASSERT_EQ(vectors.as_array().size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    // As text: a number is signed or not by how it came about.
    EXPECT_EQ(json::serialize(vectors.at(i)), json::serialize(made[i])) << made[i].at("name");
  }
}

TEST(OpeningVectorsTest, AreAccepted) {
  const json::value vectors = ReadVectors("zk_opening.json");
  for (const json::value& vector : vectors.as_array()) {
    EXPECT_EQ(JudgeOpening(vector), "accepted") << vector.at("name");
  }
  EXPECT_EQ(vectors.as_array().size(), 8U);
}

}  // namespace
}  // namespace flair::zk
