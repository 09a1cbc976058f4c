// Golden vectors of proofs of committed weights: tests/vectors/zk_weights.json, which
// `weights_vectors weights` prints. tests/reference compares the verifier with the reference's on
// changed ones. SPDX-License-Identifier: Apache-2.0
#include "proof/prover/weights_vectors_testing.h"

namespace flair::proof {
namespace {

TEST(WeightsVectorsTest, AreWhatTheProverMakes) {
  const json::value vectors = zk::ReadVectors("zk_weights.json");
  const json::array made = MakeWeightsVectors();
  ASSERT_EQ(vectors.as_array().size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    // As text: a number is signed or not by how it came about.
    EXPECT_EQ(json::serialize(vectors.at(i)), json::serialize(made[i])) << made[i].at("name");
  }
}

TEST(WeightsVectorsTest, AreAcceptedAndNoChangedOneIs) {
  const json::value vectors = zk::ReadVectors("zk_weights.json");
  for (const json::value& vector : vectors.as_array()) {
    EXPECT_EQ(JudgeWeights(vector), "accepted") << vector.at("name");
    for (const json::value& change : vector.at("changed").as_array()) {
      const json::value changed =
          zk::Changed(vector, zk::Str(change.at("part")), zk::Num(change.at("at")));
      EXPECT_EQ(JudgeWeights(changed), zk::Str(change.at("verdict")));
      EXPECT_NE(zk::Str(change.at("verdict")), "accepted") << json::serialize(change);
    }
  }
}

}  // namespace
}  // namespace flair::proof
