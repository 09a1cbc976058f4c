// Golden vectors of proofs of training: tests/vectors/zk_training.json, which `zk_vectors training`
// prints. tests/reference compares the verifier with the reference's on changed ones.
// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/training_vectors_testing.h"

namespace flair::zk {
namespace {

TEST(TrainingVectorsTest, AreWhatTheProverMakes) {
  const json::value vectors = ReadVectors("zk_training.json");
  const json::array made = MakeTrainingVectors();
  ASSERT_EQ(vectors.as_array().size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    // As text: a number is signed or not by how it came about.
    EXPECT_EQ(json::serialize(vectors.at(i)), json::serialize(made[i])) << made[i].at("name");
  }
}

TEST(TrainingVectorsTest, AreAccepted) {
  const json::value vectors = ReadVectors("zk_training.json");
  for (const json::value& vector : vectors.as_array()) {
    EXPECT_EQ(JudgeTraining(vector), "accepted") << vector.at("name");
  }
}

}  // namespace
}  // namespace flair::zk
