// Golden vectors: tests/vectors/lowering.json, which reference/lowering_vectors.py prints. They pin
// the circuits of programs with every operator, optimiser and kind of slack.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "program/circuit_digest_testing.h"

namespace flair::program {
namespace {

TEST(LoweringVectorsTest, CircuitsAreTheReferences) {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/lowering.json");
  std::stringstream text;
  text << in.rdbuf();
  const json::array vectors = json::parse(text.str()).as_array();
  EXPECT_GT(vectors.size(), 75U);
  for (const json::value& v : vectors) {
    const auto lowered = LoweredOf(v);
    ASSERT_TRUE(lowered.ok()) << v.at("name") << ": " << lowered.error().message();
    EXPECT_EQ(CircuitDigest(*lowered), std::string(v.at("digest").as_string())) << v.at("name");
  }
}

}  // namespace
}  // namespace flair::program
