// Golden vectors of the lookup argument: tests/vectors/zk_lookup.json, which `zk_vectors lookup`
// prints. tests/reference compares the verifier with the reference's on changed ones.
// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/lookup_vectors_testing.h"

namespace flair::zk {
namespace {

TEST(LookupVectorsTest, AreWhatTheProverMakes) {
  const json::value vectors = ReadVectors("zk_lookup.json");
  const json::array made = MakeLookupVectors();
  ASSERT_EQ(vectors.as_array().size(), made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    // As text: a number is signed or not by how it came about.
    EXPECT_EQ(json::serialize(vectors.at(i)), json::serialize(made[i])) << made[i].at("name");
  }
}

TEST(LookupVectorsTest, AreJudgedAsTheySay) {
  const json::value vectors = ReadVectors("zk_lookup.json");
  std::size_t proofs = 0;
  for (const json::value& vector : vectors.as_array()) {
    const json::value* plan = vector.as_object().if_contains("plan");
    EXPECT_EQ(JudgeLookup(vector), plan == nullptr ? "accepted" : Str(*plan)) << vector.at("name");
    if (plan == nullptr) ++proofs;
  }
  EXPECT_EQ(proofs, 4U);
}

}  // namespace
}  // namespace flair::zk
