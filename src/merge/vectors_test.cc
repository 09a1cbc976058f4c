// Golden vectors: tests/vectors/merge.json, which reference/merge.py prints.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "base/hex.h"
#include "merge/combine.h"
#include "merge/krum.h"
#include "merge/merge_testing.h"
#include "merge/weights.h"

namespace flair {
namespace {

namespace json = boost::json;

const json::object& Vectors() {
  static const json::value vectors = [] {
    std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/merge.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return vectors.as_object();
}

std::string Str(const json::value& v) { return std::string(v.as_string()); }

template <typename T>
std::vector<T> Numbers(const json::value& v) {
  std::vector<T> out;
  for (const json::value& n : v.as_array()) out.push_back(n.to_number<T>());
  return out;
}

double HexFloat(const json::value& v) { return std::strtod(Str(v).c_str(), nullptr); }

TEST(MergeVectorsTest, WeightsBySamples) {
  for (const json::value& v : Vectors().at("weights").as_array()) {
    const auto samples = Numbers<std::uint64_t>(v.at("samples"));
    EXPECT_EQ(Get(WeightsBySamples(samples)), Numbers<std::uint32_t>(v.at("alpha")));
  }
}

TEST(MergeVectorsTest, Discounts) {
  for (const json::value& v : Vectors().at("discounts").as_array()) {
    EXPECT_EQ(DiscountForStaleness(v.at("alpha").to_number<std::uint32_t>(),
                                   v.at("staleness").to_number<std::uint64_t>()),
              v.at("discounted").to_number<std::uint32_t>());
  }
}

TEST(MergeVectorsTest, CombinedTensors) {
  std::size_t checked = 0;
  for (const json::value& v : Vectors().at("combine").as_array()) {
    CombineInputs in;
    in.name = "w";
    in.dtype = *DTypeFromName(Str(v.at("dtype")));
    // Equal bytes are one source, as the contract asks.
    std::map<std::string, std::shared_ptr<const ByteSource>> open;
    const auto source = [&](const json::value& hex) {
      auto& known = open[Str(hex)];
      if (known == nullptr) known = std::make_shared<OwnedSource>(Get(FromHex(Str(hex))));
      return known;
    };
    in.target = source(v.at("target"));
    in.num_elements = in.target->size_bytes() / DTypeBytes(in.dtype);
    for (const json::value& hex : v.at("inputs").as_array()) in.inputs.push_back(source(hex));
    for (const json::value& hex : v.at("bases").as_array()) in.bases.push_back(source(hex));
    MergeRule rule;
    rule.method = Get(MergeMethodFromName(Str(v.at("method"))));
    rule.alpha = Numbers<std::uint32_t>(v.at("alpha"));
    rule.beta_per_million = v.at("beta_per_million").to_number<std::uint32_t>();
    const TensorRole role =
        Str(v.at("role")) == "statistics" ? TensorRole::kStatistics : TensorRole::kTrainable;
    const Bytes merged = Get(ReadAll(*CombinedTensor(in, rule, role)));
    EXPECT_EQ(ToHex(merged), Str(v.at("merged")))
        << Str(v.at("method")) << " " << Str(v.at("dtype")) << " of " << in.inputs.size();
    ++checked;
  }
  EXPECT_EQ(checked, 84U);
}

TEST(MergeVectorsTest, Krum) {
  for (const json::value& v : Vectors().at("krum").as_array()) {
    const auto seeds = Numbers<std::uint32_t>(v.at("seeds"));
    const auto sizes = Numbers<std::size_t>(v.at("sizes"));
    KrumDistances distances(seeds.size());
    for (std::uint32_t t = 0; t < sizes.size(); ++t) {
      std::vector<std::vector<float>> inputs;
      for (const std::uint32_t seed : seeds) inputs.push_back(Lcg(1000 * t + seed, sizes[t]));
      EXPECT_TRUE(distances.Add(SharedBase(Lcg(1000 * t, sizes[t]), inputs)).ok());
    }
    const json::array& rows = v.at("distances").as_array();
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      for (std::size_t j = 0; j < seeds.size(); ++j) {
        EXPECT_EQ(distances.squared_distance(i, j), HexFloat(rows[i].as_array()[j]));
      }
    }
    const auto f = v.at("f").to_number<std::uint32_t>();
    const std::vector<double> scores = KrumScores(distances, f);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      EXPECT_EQ(scores[i], HexFloat(v.at("scores").as_array()[i]));
    }
    EXPECT_EQ(KrumAlpha(distances, f, v.at("m").to_number<std::uint32_t>()),
              Numbers<std::uint32_t>(v.at("alpha")));
  }
}

}  // namespace
}  // namespace flair
