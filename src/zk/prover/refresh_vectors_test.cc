// Golden vectors of refreshed commitments: tests/vectors/zk_refresh.json, which `zk_vectors
// refresh` prints. tests/reference compares the verifier with the reference's on changed ones.
// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/refresh_vectors_testing.h"

namespace flair::zk {
namespace {

TEST(RefreshVectorsTest, AreWhatTheProverMakes) {
  const json::value vectors = ReadVectors("zk_refresh.json");
  const json::array made = MakeRefreshVectors();
  ASSERT_EQ(vectors.as_array().size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    // As text: a number is signed or not by how it came about.
    EXPECT_EQ(json::serialize(vectors.at(i)), json::serialize(made[i])) << made[i].at("name");
  }
}

TEST(RefreshVectorsTest, AreAcceptedAndNoChangedOneIs) {
  const json::value vectors = ReadVectors("zk_refresh.json");
  for (const json::value& vector : vectors.as_array()) {
    EXPECT_EQ(JudgeRefresh(vector), "accepted") << vector.at("name");
    for (const json::value& change : vector.at("changed").as_array()) {
      const json::value changed = Changed(vector, Str(change.at("part")), Num(change.at("at")));
      EXPECT_EQ(JudgeRefresh(changed), Str(change.at("verdict")));
      EXPECT_NE(Str(change.at("verdict")), "accepted") << json::serialize(change);
    }
  }
}

}  // namespace
}  // namespace flair::zk
