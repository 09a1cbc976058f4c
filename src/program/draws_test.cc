// Golden vectors: tests/vectors/draws.json, which reference/draws.py prints.
// SPDX-License-Identifier: Apache-2.0
#include "program/draws.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

namespace flair::program {
namespace {

namespace json = boost::json;

const json::object& Vectors() {
  static const json::value vectors = [] {
    std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/draws.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return vectors.as_object();
}

Seed SeedOf(const json::value& v) { return Digest::FromHex(v.at("seed").as_string()).value(); }

std::uint64_t Number(const json::value& v) { return v.to_number<std::uint64_t>(); }

TEST(DrawsTest, RowsAreTheReferences) {
  EXPECT_EQ(Vectors().at("steps").as_array().size(), 10U);
  for (const json::value& v : Vectors().at("steps").as_array()) {
    Batches batches(SeedOf(v), static_cast<std::uint32_t>(Number(v.at("rows"))),
                    Number(v.at("batch")));
    const auto drawn = batches.RowsOf(Number(v.at("step")));
    EXPECT_EQ(std::vector(drawn.begin(), drawn.end()),
              json::value_to<std::vector<std::uint32_t>>(v.at("drawn")))
        << v.at("step");
  }
}

TEST(DrawsTest, MasksAreTheReferences) {
  EXPECT_EQ(Vectors().at("masks").as_array().size(), 11U);
  for (const json::value& v : Vectors().at("masks").as_array()) {
    const Rational drop{v.at("drop").at(0).to_number<std::int64_t>(),
                        v.at("drop").at(1).to_number<std::int64_t>()};
    const auto& kept = v.at("kept").as_string();
    std::string mask;
    for (const std::int64_t m :
         DrawMask(SeedOf(v), Number(v.at("step")), Number(v.at("number")), drop, kept.size())) {
      mask += m == 0 ? '0' : '1';
    }
    EXPECT_EQ(mask, std::string_view(kept)) << v.at("step") << " " << v.at("number");
  }
}

// One pass over the steps, forwards and back: each epoch has every row once at most, and
// what is drawn does not depend on what was drawn before.
TEST(DrawsTest, AnEpochDealsEveryRowOnceAtMost) {
  Batches batches(Seed{}, 103, 10);
  std::vector<std::vector<std::uint32_t>> steps;
  for (std::uint64_t step = 0; step < 30; ++step) {
    const auto drawn = batches.RowsOf(step);
    steps.emplace_back(drawn.begin(), drawn.end());
  }
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::uint32_t> seen;
    for (std::size_t i = 0; i < 10; ++i) {
      seen.insert(seen.end(), steps[10 * epoch + i].begin(), steps[10 * epoch + i].end());
    }
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
    EXPECT_LT(seen.back(), 103U);
  }
  EXPECT_NE(steps[0], steps[10]);
  for (std::uint64_t step = 30; step-- > 0;) {
    const auto drawn = batches.RowsOf(step);
    EXPECT_EQ(std::vector(drawn.begin(), drawn.end()), steps[step]);
  }
}

}  // namespace
}  // namespace flair::program
