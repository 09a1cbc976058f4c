// What a proof may make its verifier derive.
// SPDX-License-Identifier: Apache-2.0
#include "proof/program_steps.h"

#include <gtest/gtest.h>

#include <string>

#include "program/text.h"

namespace flair::proof {
namespace {

TEST(ProgramStepsTest, PublicsAreFewTogether) {
  std::string text =
      "flair program 1\nbatch 4\ndata x [1024] bits 12 scale 8\nlabel y classes 3\n"
      "param w [3, 1024]\n";
  std::string last = "x";
  for (int i = 0; i < 32; ++i) {
    const std::string n = std::to_string(i);
    text.append("d" + n + " = dropout(" + last + ", p=1/4)\nr" + n + " = relu(d" + n + ")\n");
    last = "r" + n;
  }
  text.append("z = linear(" + last + ", w)\nl = cross_entropy(z, y)\nloss l\n")
      .append("optimiser sgd()\nschedule 1/16\nprofile gradient 24 23\n");
  const auto lowered = program::Lower(program::ParseProgram(text).value());
  ASSERT_TRUE(lowered.ok()) << lowered.error().message();
  const auto fits = [&](std::uint64_t steps) {
    return CheckFits(*lowered,
                     {.seed = {}, .first_step = 0, .num_steps = steps, .num_records = 100})
        .ok();
  };
  // 32 masks of 4096 cells, and the learning rate.
  EXPECT_TRUE(fits(2047));
  EXPECT_FALSE(fits(2048));
}

TEST(ProgramStepsTest, BatchesAreOfRecordsThatThereAre) {
  const auto lowered = program::Lower(
      program::ParseProgram("flair program 1\nbatch 4\ndata x [1] bits 12 scale 8\n"
                            "data y [1] bits 12 scale 8\nparam w [1, 1]\nz = linear(x, w)\n"
                            "l = mse(z, y)\nloss l\noptimiser sgd()\nschedule 1/16\n"
                            "profile gradient 24 23\n")
          .value());
  ASSERT_TRUE(lowered.ok()) << lowered.error().message();
  const auto fits = [&](std::uint64_t steps, std::uint64_t records) {
    return CheckFits(*lowered,
                     {.seed = {}, .first_step = 0, .num_steps = steps, .num_records = records})
        .ok();
  };
  EXPECT_TRUE(fits(3, 4));
  EXPECT_FALSE(fits(kMaxReads / 4 + 1, 4));
  EXPECT_FALSE(fits(3, kMaxRecords + 1));
  EXPECT_FALSE(fits(3, 3));
  EXPECT_FALSE(
      ProgramSteps::Make(*lowered, {.seed = {}, .first_step = 0, .num_steps = 3, .num_records = 3})
          .ok());
}

}  // namespace
}  // namespace flair::proof
