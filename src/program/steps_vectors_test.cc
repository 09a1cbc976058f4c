// Golden vectors: tests/vectors/steps.json, which `program_judge vectors` prints. They pin what
// whole networks train to, to the last bit, on every machine.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "program/steps_testing.h"

namespace flair::program {
namespace {

TEST(StepVectorsTest, NetworksTrainToTheSameBits) {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/steps.json");
  std::stringstream text;
  text << in.rdbuf();
  const json::array vectors = json::parse(text.str()).as_array();
  EXPECT_EQ(vectors.size(), 8U);
  for (const json::value& v : vectors) {
    const auto steps = StepsOf(v);
    ASSERT_TRUE(steps.ok()) << steps.error().message();
    EXPECT_EQ(json::serialize(*steps), json::serialize(v.at("ends"))) << v.at("program");
  }
}

}  // namespace
}  // namespace flair::program
