// Secrets and a data set of tests/vectors/data_card.json, which reference/data_card.py prints.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/hex.h"
#include "base/mem_env.h"
#include "base/path.h"
#include "data/prover/registered.h"
#include "data/prover/secret.h"
#include "zk/prover/training_prover.h"

namespace flair::data {
namespace {

namespace json = boost::json;

json::value Vectors() {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/data_card.json");
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str());
}

std::string TextOf(const json::value& value) { return std::string(value.as_string()); }

TEST(DataVectorsTest, AReferenceSecretIsReadAndWrittenByteForByte) {
  const json::value vectors = Vectors();
  ASSERT_EQ(vectors.at("secrets").as_array().size(), 2U);
  for (const json::value& vector : vectors.at("secrets").as_array()) {
    const auto secret = DecodeSecret(TextOf(vector.at("text")));
    ASSERT_TRUE(secret.ok()) << secret.error().message();
    EXPECT_EQ(EncodeSecret(*secret), TextOf(vector.at("text")));
    EXPECT_EQ(secret->source, TextOf(vector.at("document").at("source")));
    for (const json::value& seed : vector.at("seeds").as_array()) {
      const auto generation = seed.at("generation").to_number<std::uint64_t>();
      EXPECT_EQ(SeedOf(*secret, generation).ToHex(), TextOf(seed.at("seed")));
    }
  }
}

TEST(DataVectorsTest, AReferenceSetOpensItsCommitment) {
  const json::value all = Vectors();
  const json::value& vector = all.at("set");
  MemEnv env;
  ASSERT_TRUE(MakeDirs(env, "/d").ok());
  ASSERT_TRUE(MakeDirs(env, "/set").ok());
  for (const auto& file : vector.at("files").as_object()) {
    ASSERT_TRUE(WriteFileAtomically(env, JoinPath("/d", std::string(file.key())),
                                    FromHex(TextOf(file.value())).value())
                    .ok());
  }
  ASSERT_TRUE(WriteFileAtomically(env, "/set/card.json", AsBytes(TextOf(vector.at("card")))).ok());
  ASSERT_TRUE(
      WriteFileAtomically(env, "/set/secret.json", AsBytes(TextOf(vector.at("secret")))).ok());
  const auto held = OpenData(env, "/set");
  ASSERT_TRUE(held.ok()) << held.error().message();
  EXPECT_EQ(held->matrix.root(), held->card.root);
  const auto values = json::value_to<std::vector<circuit::Ints>>(vector.at("values"));
  EXPECT_EQ(held->set.columns, values);

  const std::vector<zk::DataColumn> columns = DataColumnsOf(held->card);
  const zk::LongLived layout = LayoutOf(held->card.columns, held->card.num_records).value();
  const std::vector<std::span<const std::int64_t>> spans(values.begin(), values.end());
  const auto made = zk::DataCells(columns, layout, held->card.num_records, spans);
  ASSERT_TRUE(made.ok());
  std::vector<std::string> cells;
  for (const std::uint64_t cell : *made) cells.push_back(std::to_string(cell));
  EXPECT_EQ(cells, json::value_to<std::vector<std::string>>(vector.at("cells")));
}

}  // namespace
}  // namespace flair::data
