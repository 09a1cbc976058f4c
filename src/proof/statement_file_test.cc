// Statement files: what is written is what is read.
// SPDX-License-Identifier: Apache-2.0
#include "proof/statement_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "program/encoding.h"
#include "program/text.h"

namespace flair::proof {
namespace {

using testing::HasSubstr;

constexpr std::string_view kProgram = R"(flair program 1
batch 2
data x [2] bits 8 scale 4
label y classes 2
param w [2, 2]
z = linear(x, w)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
)";

RunStatement WithSlack(const program::Slack& slack) {
  RunStatement statement{
      .program = program::ParseProgram(kProgram).value(), .card = std::nullopt, .claim = {}};
  RunClaim& claim = statement.claim;
  claim.program = program::HashProgram(statement.program);
  claim.num_steps = 3;
  claim.slack = slack;
  for (RunEnd* end : {&claim.before, &claim.after}) {
    end->weights.shape = {.log_columns = 9,
                          .log_n = 11,
                          .num_rows = 1,
                          .num_pads = 400,
                          .kind = zk::MatrixKind::kWeights};
  }
  return statement;
}

TEST(StatementFileTest, RealsComeBackToTheLastBit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const auto below = [&](double most) {
      return most * std::ldexp(static_cast<double>(random() >> 11), -53);
    };
    const program::Slack slack{
        .rho = below(1.0 / 64), .rho_first = below(0.022), .sigma = below(8192)};
    const std::string text = EncodeStatement(WithSlack(slack));
    const auto again = DecodeStatement(text);
    ASSERT_TRUE(again.ok()) << again.error().message() << ": " << text;
    EXPECT_EQ(program::SlackDigest(*again->claim.slack), program::SlackDigest(slack));
  }
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(StatementFileTest, WhatIsNoStatementIsRefusedInItsWords) {
  RunStatement statement = WithSlack({});
  statement.claim.first_step = 7;
  statement.claim.before.state = statement.claim.before.weights;
  statement.claim.before.state->shape.kind = zk::MatrixKind::kState;
  const std::string text = EncodeStatement(statement);
  ASSERT_TRUE(DecodeStatement(text).ok()) << DecodeStatement(text).error().message();
  const std::string hash = statement.claim.program.ToHex();
  const struct {
    std::string from, to;
    const char* message;
  } kCases[] = {
      {"{\"format\":1", "{\"format\":2", "format 2"},
      {hash, std::string(64, '0'), "'program' is not the hash of 'program_text'"},
      {"\"steps\":3", "\"steps\":3,\"more\":1", "an unknown key 'more'"},
      {"\"tau\":-11", "\"tau\":-11,\"more\":1", "an unknown key 'more'"},
      {"\"before\":{", "\"before\":{\"more\":1,", "an unknown key 'more'"},
      {"\"after\":{", "\"after\":{\"more\":1,", "an unknown key 'more'"},
      {"\"before\":{\"weights\"", "\"before\":{\"more\"", "'weights' is missing"},
      {text.substr(text.find(",\"after\"")), "}\n", "'after' is missing"},
  };
  for (const auto& wrong : kCases) {
    EXPECT_THAT(DecodeStatement(Replaced(text, wrong.from, wrong.to)).error().message(),
                HasSubstr(wrong.message))
        << wrong.to;
  }
}

TEST(StatementFileTest, ACardOfOtherColumnsIsRefused) {
  RunStatement statement = WithSlack({});
  data::DataCard card{.name = "d",
                      .num_records = 9,
                      .columns = {{.name = "x", .dims = {2}, .format = {.bits = 8, .scale = 4}},
                                  {.name = "y", .dims = {}, .classes = 2}},
                      .shape = {},
                      .root = {}};
  const std::uint64_t cells = data::LayoutOf(card.columns, card.num_records)->num_cells;
  card.shape = zk::LongLivedShape(cells, zk::MatrixKind::kData, 8).value();
  const auto read = [&] {
    statement.card = card;
    statement.claim.data = DataClaimOf(card);
    return DecodeStatement(EncodeStatement(statement));
  };
  ASSERT_TRUE(read().ok()) << read().error().message();
  card.columns[0].format.scale = 5;
  EXPECT_THAT(read().error().message(), HasSubstr("column 0 is 'x'"));
}

TEST(StatementFileTest, RealsThatAreNoBoundsAreRefused) {
  const std::string text = EncodeStatement(WithSlack({.rho = 0.25}));
  ASSERT_THAT(text, HasSubstr("\"rho\":2.5E-1,"));
  ASSERT_TRUE(DecodeStatement(text).ok());
  for (const char* real : {"-0E0", "-1E0", "1e99999", "1E999", "25E-2", "0.25", "0", "\"1E0\"",
                           "null", "NaN", "[1E0]", "2.5E-1,\"rho\":2.5E-1"}) {
    std::string other = text;
    other.replace(other.find("2.5E-1"), 6, real);
    EXPECT_FALSE(DecodeStatement(other).ok()) << real;
  }
}

}  // namespace
}  // namespace flair::proof
