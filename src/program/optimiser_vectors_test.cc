// Golden vectors: tests/vectors/optimisers.json, which reference/optimisers.py prints.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "program/lower/adam_factors.h"
#include "program/program_testing.h"
#include "program/train.h"

namespace flair::program {
namespace {

namespace json = boost::json;

using Tensors = std::vector<circuit::Ints>;

const json::object& Vectors() {
  static const json::value vectors = [] {
    std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/optimisers.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return vectors.as_object();
}

Program ProgramOf(const json::value& v) { return Parsed(std::string(v.at("program").as_string())); }

TEST(OptimiserVectorsTest, RunsAreTheReferences) {
  EXPECT_EQ(Vectors().at("runs").as_array().size(), 20U);
  for (const json::value& v : Vectors().at("runs").as_array()) {
    SCOPED_TRACE(std::string(v.at("program").as_string()));
    const auto lowered = Lower(ProgramOf(v));
    ASSERT_TRUE(lowered.ok()) << lowered.error().message();
    DataSet data{.columns = json::value_to<Tensors>(v.at("columns"))};
    data.rows = static_cast<std::uint32_t>(data.columns[0].size() / 3);
    const auto start = StartOf(*lowered, json::value_to<Tensors>(v.at("parameters")), {});
    ASSERT_TRUE(start.ok());
    const json::array& steps = v.at("steps").as_array();
    const TrainingRun run{.seed = Digest::FromHex(v.at("seed").as_string()).value(),
                          .steps = steps.size()};
    const auto end = Train(*lowered, data, *start, run, [&](const TrainingStep& step) {
      const json::value& expected = steps[step.number];
      const auto weights = json::value_to<Tensors>(expected.at("parameters"));
      std::vector<Tensors> states(weights.size());
      for (const OptimiserState& state : lowered->states) {
        states[state.parameter].push_back(step.values.next[state.value]);
      }
      EXPECT_EQ(states, json::value_to<std::vector<Tensors>>(expected.at("states")));
      for (std::size_t p = 0; p < weights.size(); ++p) {
        EXPECT_EQ(step.values.next[lowered->parameters[p]], weights[p]);
      }
      return OkStatus();
    });
    EXPECT_TRUE(end.ok()) << end.error().message();
  }
}

TEST(OptimiserVectorsTest, AdamsFactorsAreTheReferences) {
  EXPECT_EQ(Vectors().at("factors").as_array().size(), 5U);
  for (const json::value& v : Vectors().at("factors").as_array()) {
    SCOPED_TRACE(std::string(v.at("program").as_string()));
    const Program program = ProgramOf(v);
    const auto factors = AdamFactors::Make(program);
    ASSERT_TRUE(factors.ok()) << factors.error().message();
    const auto largest = json::value_to<circuit::Ints>(v.at("largest"));
    EXPECT_EQ(factors->LargestFactor(), largest[0]);
    EXPECT_EQ(factors->LargestEpsilon(), largest[1]);
    const auto forget = json::value_to<circuit::Ints>(v.at("forget"));
    EXPECT_EQ(factors->forget(), forget[0]);
    EXPECT_EQ(factors->forget_scale(), forget[1]);
    for (const auto& step : json::value_to<Tensors>(v.at("steps"))) {
      const auto t = static_cast<std::uint64_t>(step[0]);
      EXPECT_EQ(factors->FactorAt(program.schedule.NumeratorAt(t), t), step[1]) << t;
      EXPECT_EQ(factors->EpsilonAt(t), step[2]) << t;
      EXPECT_LE(step[1], largest[0]);
      EXPECT_LE(step[2], largest[1]);
    }
  }
}

}  // namespace
}  // namespace flair::program
