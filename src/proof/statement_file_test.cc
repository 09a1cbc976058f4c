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
