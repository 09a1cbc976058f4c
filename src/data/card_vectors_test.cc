// Cards of tests/vectors/data_card.json, which reference/data_card.py prints.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "data/card.h"

namespace flair::data {
namespace {

namespace json = boost::json;

TEST(DataCardVectorsTest, AReferenceCardIsReadAndWrittenByteForByte) {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/data_card.json");
  std::stringstream text;
  text << in.rdbuf();
  const json::value vectors = json::parse(text.str());
  ASSERT_EQ(vectors.at("cards").as_array().size(), 3U);
  for (const json::value& vector : vectors.at("cards").as_array()) {
    const std::string spelling(vector.at("text").as_string());
    const auto card = DecodeCard(spelling);
    ASSERT_TRUE(card.ok()) << card.error().message();
    EXPECT_EQ(EncodeCard(*card), spelling);
    EXPECT_EQ(CardId(*card).ToHex(), vector.at("id").as_string());
    const json::value& document = vector.at("document");
    EXPECT_EQ(card->name, document.at("name").as_string());
    EXPECT_EQ(card->num_records, document.at("records").to_number<std::uint64_t>());
    EXPECT_EQ(card->matrix().ToHex(), document.at("matrix").at("digest").as_string());
    const json::array& columns = document.at("columns").as_array();
    ASSERT_EQ(card->columns.size(), columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const CardColumn& column = card->columns[i];
      EXPECT_EQ(column.name, columns[i].at("name").as_string());
      EXPECT_EQ(column.dims, json::value_to<program::Dims>(columns[i].at("dims")));
      EXPECT_EQ(DTypeName(column.source), columns[i].at("source").as_string());
      if (column.has_classes()) {
        EXPECT_EQ(column.classes, columns[i].at("classes").to_number<std::uint32_t>());
      } else {
        EXPECT_EQ(column.format.bits, columns[i].at("bits").to_number<int>());
        EXPECT_EQ(column.format.scale, columns[i].at("scale").to_number<int>());
      }
    }
  }
}

}  // namespace
}  // namespace flair::data
