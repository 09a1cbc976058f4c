// Cards written and read, and what is refused, as a value and as a text.
// SPDX-License-Identifier: Apache-2.0
#include "data/card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "crypto/blake3.h"
#include "crypto/sha256.h"

namespace flair::data {
namespace {

using testing::HasSubstr;
using testing::Not;

DataCard Card() {
  DataCard card{.name = "digits",
                .num_records = 100,
                .columns = {{.name = "x",
                             .dims = {5, 6},
                             .source = DType::kF32,
                             .format = {.bits = 15, .scale = -3}},
                            {.name = "y", .dims = {}, .source = DType::kU8, .classes = 10}},
                .generation = 2,
                .shape = {},
                .root = Sha256(AsBytes("root"))};
  const zk::LongLived layout = LayoutOf(card.columns, card.num_records).value();
  card.shape = zk::LongLivedShape(layout.num_cells, zk::MatrixKind::kData, 8).value();
  return card;
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(DataCardTest, ACardIsTheSameAfterItWasWrittenAndRead) {
  const DataCard card = Card();
  ASSERT_TRUE(CheckCard(card).ok()) << CheckCard(card).error().message();
  EXPECT_GE(NumOpenings(card.shape), 8U);
  const std::string text = EncodeCard(card);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto read = DecodeCard(text);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, card);
  EXPECT_EQ(CardId(*read), Blake3(AsBytes(text)));
  DataCard next = card;
  ++next.generation;
  EXPECT_NE(CardId(next), CardId(card));
}

// All that a card says is in its reading, but for the matrix.
TEST(DataCardTest, CardsOfOneReadingDifferInTheirMatrices) {
  const DataCard card = Card();
  const std::string text = EncodeCard(card);
  const std::string bare = text.substr(0, text.find(",\"matrix\":")) + "}\n";
  EXPECT_EQ(ReadingOf(card), Blake3(AsBytes(bare)));
  DataCard next = card;
  ++next.generation;
  next.root = Sha256(AsBytes("next"));
  next.shape = zk::LongLivedShape(5000, zk::MatrixKind::kData, 64).value();
  EXPECT_TRUE(CheckReadAlike(card, next).ok());
  next.columns[0].format.scale = 0;
  const Status other = CheckReadAlike(card, next);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), ErrorCode::kRejected);
}

TEST(DataCardTest, ACardThatIsWrongIsRefusedAsAValue) {
  const auto column = [](std::string name) {
    return CardColumn{.name = std::move(name), .dims = {}, .format = {.bits = 8}};
  };
  const struct {
    const char* message;
    std::function<void(DataCard&)> break_it;
  } kCases[] = {
      {"a data set's name is", [](DataCard& c) { c.name = ""; }},
      {"a data set's name is", [](DataCard& c) { c.name = ".hidden"; }},
      {"a data set's name is", [](DataCard& c) { c.name = "a/b"; }},
      {"a data set's name is", [](DataCard& c) { c.name = std::string(101, 'a'); }},
      {"no records", [](DataCard& c) { c.num_records = 0; }},
      {"at most 2^32", [](DataCard& c) { c.num_records = kMaxRecords + 1; }},
      {"no columns", [](DataCard& c) { c.columns.clear(); }},
      {"257 columns; a data set has at most 256",
       [&](DataCard& c) {
         c.columns.clear();
         for (int i = 0; i < 257; ++i) c.columns.push_back(column("c" + std::to_string(i)));
       }},
      {"column 'x': its name stands twice", [](DataCard& c) { c.columns[1].name = "x"; }},
      {"a column: ", [](DataCard& c) { c.columns[0].name = "a b"; }},
      {"column 'x': 1 bits; 2 to 30", [](DataCard& c) { c.columns[0].format.bits = 1; }},
      {"column 'x': 31 bits; 2 to 30", [](DataCard& c) { c.columns[0].format.bits = 31; }},
      {"column 'x': scale 61", [](DataCard& c) { c.columns[0].format.scale = 61; }},
      {"column 'x': scale -128", [](DataCard& c) { c.columns[0].format.scale = -128; }},
      {"column 'y': 1 classes", [](DataCard& c) { c.columns[1].classes = 1; }},
      {"column 'y': 1048577 classes", [](DataCard& c) { c.columns[1].classes = (1U << 20) + 1; }},
      {"column 'y': classes have no dims", [](DataCard& c) { c.columns[1].dims = {2}; }},
      {"column 'x': a dim of 0",
       [](DataCard& c) {
         c.columns[0].dims = {5, 0};
       }},
      {"column 'x': 8 dims", [](DataCard& c) { c.columns[0].dims.assign(8, 1); }},
      {"column 'x': more than 2^36 values",
       [](DataCard& c) {
         c.columns[0].dims = {std::uint64_t{1} << 60, std::uint64_t{1} << 60};
       }},
      {"more than 2^32 cells", [](DataCard& c) { c.columns[0].dims.assign(7, 15); }},
      {"column 'c34': its sizes split into too many blocks",
       [&](DataCard& c) {
         c.columns.clear();
         for (int i = 0; i < 100; ++i) {
           c.columns.push_back(column("c" + std::to_string(i)));
           c.columns.back().dims = {31, 31, 31, 31, 4};
         }
       }},
      {"none of data", [](DataCard& c) { c.shape.kind = zk::MatrixKind::kWeights; }},
      {"rows; the columns need", [](DataCard& c) { ++c.shape.num_rows; }},
      {"rows; the columns need",
       [](DataCard& c) {
         c.columns[0].dims = {50, 60};
       }},
      {"no redundancy", [](DataCard& c) { c.shape.log_n = c.shape.log_columns; }},
      {"not made to be opened", [](DataCard& c) { c.shape.num_pads = 0; }},
  };
  for (const auto& wrong : kCases) {
    DataCard card = Card();
    wrong.break_it(card);
    const Status status = CheckCard(card);
    ASSERT_FALSE(status.ok()) << wrong.message;
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(status.error().message(), HasSubstr(wrong.message));
  }
}

TEST(DataCardTest, ATextThatIsNoCardIsRefusedInOneLine) {
  const std::string text = EncodeCard(Card());
  const std::string digest = Card().matrix().ToHex();
  const struct {
    std::string_view from, to;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {"{\"format\":1", "{\"format\":2", ErrorCode::kUnsupported, "format 2; this build reads 1"},
      {"{\"format\":1", "{\"format\":\"1\"", ErrorCode::kCorrupt, "'format' must be"},
      {"\"format\":1,", "", ErrorCode::kCorrupt, "'format' is missing"},
      {"\"name\":\"digits\"", "\"name\":7", ErrorCode::kCorrupt, "'name' must be a text"},
      {"\"name\":\"digits\",", "", ErrorCode::kCorrupt, "'name' is missing"},
      {"\"name\":\"digits\"", "\"name\":\"a/b\"", ErrorCode::kCorrupt, "name is 1 to 100"},
      {"\"records\":100", "\"records\":0", ErrorCode::kCorrupt, "no records"},
      {"\"records\":100", "\"records\":-1", ErrorCode::kCorrupt, "'records' must be"},
      {"\"records\":100", "\"records\":100.0", ErrorCode::kCorrupt, "'records' must be"},
      {"\"records\":100", "\"records\":4294967297", ErrorCode::kCorrupt, "'records' must be"},
      {"\"records\":100", "\"records\":9999", ErrorCode::kCorrupt, "the columns need"},
      {"\"records\":100", "\"records\":100,\"more\":1", ErrorCode::kCorrupt,
       "an unknown key 'more'"},
      {"\"records\":100", "\"records\":100,\"\\n\":1", ErrorCode::kCorrupt,
       "an unknown key that is no plain word"},
      {"\"bits\":15", "\"bits\":31", ErrorCode::kCorrupt, "column 0: 'bits' must be"},
      {"\"bits\":15", "\"bits\":1", ErrorCode::kCorrupt, "column 'x': 1 bits"},
      {"\"scale\":-3", "\"scale\":-61", ErrorCode::kCorrupt, "column 0: 'scale' must be"},
      {"\"scale\":-3", "\"scale\":-3,\"z\":0", ErrorCode::kCorrupt, "column 0: an unknown key 'z'"},
      {"\"classes\":10", "\"classes\":0", ErrorCode::kCorrupt, "'classes' must be 2 or more"},
      {"\"classes\":10", "\"classes\":10,\"bits\":4", ErrorCode::kCorrupt, "unknown key 'bits'"},
      {"\"F32\"", "\"F33\"", ErrorCode::kCorrupt, "column 0: 'source' is no dtype"},
      {"[5,6]", "[5,0]", ErrorCode::kCorrupt, "column 'x': a dim of 0"},
      {"[5,6]", "[5,-6]", ErrorCode::kCorrupt, "column 0: a dim must be"},
      {"[5,6]", "5", ErrorCode::kCorrupt, "column 0: 'dims' must be a list"},
      {"[5,6]", "[1,1,1,1,1,1,1,1]", ErrorCode::kCorrupt, "a list of at most 7"},
      {"\"name\":\"y\"", "\"name\":\"x\"", ErrorCode::kCorrupt, "its name stands twice"},
      {"\"generation\":2", "\"generation\":1048577", ErrorCode::kCorrupt, "'generation' must be"},
      {"\"kappa\":", "\"kappa\":1", ErrorCode::kCorrupt, "matrix: 'kappa' must be"},
      {"\"root\":\"", "\"root\":\"A", ErrorCode::kCorrupt, "'root' must be 64 lower-case hex"},
      {"\"generation\":2", "\"generation\":2,\"z\":0", ErrorCode::kCorrupt, "an unknown key 'z'"},
      {digest, std::string_view(digest).substr(1), ErrorCode::kCorrupt, "'digest' must be 64"},
      {"\"generation\":2", "\"generation\" :2", ErrorCode::kCorrupt, "not as it is written"},
      {"\"records\":100", "\"records\":100,\"records\":100", ErrorCode::kCorrupt,
       "not as it is written"},
      {"\"digits\"", "\"\\u0064igits\"", ErrorCode::kCorrupt, "not as it is written"},
      {"}\n", "}", ErrorCode::kCorrupt, "not as it is written"},
      {"}\n", "}\n\n", ErrorCode::kCorrupt, "not as it is written"},
      {"}\n", "}\nx", ErrorCode::kCorrupt, "more behind its end"},
      {"}\n", "\n", ErrorCode::kCorrupt, "not JSON at byte"},
      {"digits", "\xff", ErrorCode::kCorrupt, "not JSON at byte"},
  };
  for (const auto& wrong : kCases) {
    const auto read = DecodeCard(Replaced(text, wrong.from, wrong.to));
    ASSERT_FALSE(read.ok()) << wrong.to;
    EXPECT_EQ(read.error().code(), wrong.code) << read.error().message();
    EXPECT_THAT(read.error().message(), HasSubstr(wrong.message)) << wrong.to;
    EXPECT_THAT(read.error().message(), testing::StartsWith("data card: "));
    EXPECT_THAT(read.error().message(), Not(HasSubstr("\n")));
  }
}

TEST(DataCardTest, ADigestOfAnotherMatrixIsRefused) {
  DataCard other = Card();
  other.root = Sha256(AsBytes("another root"));
  const std::string text =
      Replaced(EncodeCard(Card()), Card().matrix().ToHex(), other.matrix().ToHex());
  const auto read = DecodeCard(text);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(read.error().message(), "data card: matrix: the digest is not that of shape and root");
}

TEST(DataCardTest, WhatIsNoObjectOrTooLongIsRefused) {
  for (const std::string& text : {std::string(), std::string("[]\n"), std::string("null\n"),
                                  std::string(kMaxCardBytes + 1, ' '), std::string(9999, '[')}) {
    const auto read = DecodeCard(text);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code(), ErrorCode::kCorrupt) << read.error().message();
  }
}

TEST(DataCardTest, ACardServesTheProgramWhoseColumnsItHas) {
  const DataCard card = Card();
  program::Program program;
  program.columns = {
      {.name = "x", .row = {5, 6}, .format = {.bits = 15, .scale = -3}},
      {.name = "y", .row = {}, .classes = 10},
  };
  EXPECT_TRUE(CheckServes(card, program).ok()) << CheckServes(card, program).error().message();
  program::Program other = program;
  other.columns[0].format.bits = 14;
  EXPECT_THAT(CheckServes(card, other).error().message(),
              HasSubstr("column 0 is 'x', F32 [5, 6] as 15 bits, scale -3; the program's is 'x', "
                        "F32 [5, 6] as 14 bits"));
  other = program;
  other.columns[1].classes = 9;
  EXPECT_THAT(CheckServes(card, other).error().message(), HasSubstr("U8 as 9 classes"));
  std::swap(program.columns[0], program.columns[1]);
  EXPECT_FALSE(CheckServes(card, program).ok());
  program.columns.pop_back();
  EXPECT_THAT(CheckServes(card, program).error().message(), HasSubstr("2 columns, the program 1"));
}

}  // namespace
}  // namespace flair::data
