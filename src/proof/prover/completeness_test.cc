// Completeness: whatever a program is, its run is proven and the proof is accepted.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "program/random_program_testing.h"
#include "program/shapes.h"
#include "program/tables.h"
#include "program/text.h"
#include "proof/prover/small_chunk_testing.h"

namespace flair::proof {
namespace {

// 300 programs; --gtest_random_seed=N takes the N-th 300 (./dev soak completeness).
constexpr std::uint64_t kPrograms = 300 / kOneIn;
constexpr std::uint64_t kMaxCells = std::uint64_t{1} << 16;

TEST(CompletenessTest, RandomProgramsAreProven) {
  const auto batch = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed));
  std::uint64_t proven = 0, cells = 0, refused = 0, large = 0;
  std::map<std::string, std::uint64_t> operators;
  for (std::uint64_t seed = batch << 32; proven < kPrograms && !HasFailure(); ++seed) {
    const program::RandomProgram random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + random.text());
    // A cut that no circuit makes, a sum that may pass the field, a value that leaves its range:
    // the program's own fault, and said in words.
    const program::Program parsed = program::Parsed(random.text());
    ASSERT_TRUE(program::CheckProgram(parsed).ok());
    if (const auto lowered = program::Lower(parsed); !lowered.ok()) {
      EXPECT_NE(lowered.error().message(), "");
      ++refused;
      continue;
    }
    const program::Training training =
        program::Prepared(random.text(), {.rows = 6, .data = 0.5, .weights = 0.2});
    const auto chunk = SmallChunk::Make(training, {.steps = random.steps(), .seed = seed});
    if (!chunk.ok()) {
      EXPECT_EQ(chunk.error().code(), ErrorCode::kInvalidArgument) << chunk.error().message();
      ++refused;
      continue;
    }
    if (chunk->plan().layout().num_cells() > kMaxCells) {
      ++large;
      continue;
    }
    const auto proof = chunk->Prove(*zk::SeededEnv(seed % 1000));
    ASSERT_TRUE(proof.ok()) << proof.error().message();
    EXPECT_EQ(chunk->Judge(*proof), "accepted");
    cells += chunk->plan().layout().num_cells();
    ++proven;
    for (const program::Node& node : parsed.nodes) {
      ++operators[std::string(program::FindByCode(program::Operators(), node.op.code)->name)];
    }
    ++operators[std::string(
        program::FindByCode(program::Optimisers(), parsed.optimiser.code)->name)];
  }
  RecordProperty("programs", std::to_string(proven));
  RecordProperty("cells", std::to_string(cells));
  // Of those that were drawn most are, and nothing is left out.
  EXPECT_LT(refused + large, kPrograms / 3) << refused << " refused, " << large << " too large";
  if (kOneIn > 1) return;
  for (const auto& table : {program::Operators(), program::Optimisers()}) {
    for (const program::Signature& signature : table) {
      EXPECT_GE(operators[std::string(signature.name)], 5U) << signature.name;
    }
  }
}

}  // namespace
}  // namespace flair::proof
