// What an opening is about decides its challenges: a table of everything that a forger could try
// to choose after them.
// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/binding.h"

#include <gtest/gtest.h>

#include <functional>

namespace flair::zk {
namespace {

constexpr QueryPolicy kFewQueries{.work_bits = 0, .fixed_queries = 4, .has_tail = false};

// Two groups of long-lived matrices, each with a companion.
struct Matrices {
  MatrixShape witness{
      .log_columns = 5, .log_n = 7, .num_rows = 3, .num_pads = 16, .kind = MatrixKind::kWitness};
  std::vector<MatrixShape> long_lived = {
      {.log_columns = 4, .log_n = 6, .num_rows = 5, .num_pads = 14, .kind = MatrixKind::kWeights},
      {.log_columns = 4, .log_n = 7, .num_rows = 2, .num_pads = 13, .kind = MatrixKind::kData}};
  std::vector<Digest> roots = std::vector<Digest>(3);
  std::vector<Digest> companions = std::vector<Digest>(2);
  std::uint64_t pads = 0;

  BatchPlan Plan() const {
    return BatchPlan::Make(witness, long_lived, pads, 0, kFewQueries).value();
  }
  Digest StateAfter() const {
    Transcript transcript("test");
    AbsorbMatrices(Plan(), roots, companions, transcript);
    return transcript.state();
  }
};

TEST(BindingTest, EveryRootAndEveryShapeOfAMatrixDecidesTheChallenges) {
  const struct {
    const char* what;
    std::function<void(Matrices&)> change;
  } kChanges[] = {
      {"the witness's root", [](Matrices& m) { m.roots[0].bytes[31] = std::byte{1}; }},
      {"a long-lived root", [](Matrices& m) { m.roots[1].bytes[31] = std::byte{1}; }},
      {"the last root", [](Matrices& m) { m.roots[2].bytes[31] = std::byte{1}; }},
      {"a companion's root", [](Matrices& m) { m.companions[0].bytes[0] = std::byte{1}; }},
      {"the last companion's root", [](Matrices& m) { m.companions[1].bytes[0] = std::byte{1}; }},
      {"the witness's data rows", [](Matrices& m) { m.witness.num_rows = 4; }},
      {"its mask rows", [](Matrices& m) { m.pads = 8; }},
      {"its points", [](Matrices& m) { m.witness.log_n = 8; }},
      {"long-lived rows", [](Matrices& m) { m.long_lived[0].num_rows = 6; }},
      {"long-lived pads", [](Matrices& m) { m.long_lived[0].num_pads = 15; }},
      {"long-lived points", [](Matrices& m) { m.long_lived[1].log_n = 8; }},
      {"long-lived kind", [](Matrices& m) { m.long_lived[1].kind = MatrixKind::kState; }},
      {"the order", [](Matrices& m) { std::swap(m.long_lived[0], m.long_lived[1]); }},
  };
  const Digest before = Matrices().StateAfter();
  for (const auto& [what, change] : kChanges) {
    Matrices changed;
    change(changed);
    EXPECT_NE(changed.StateAfter(), before) << what;
  }
}

Claim TwoBlocks(Fp2 value) {
  Claim claim;
  claim.matrix = 1;
  claim.blocks = {{.coefficient = Fp2(3), .offset = 8, .point = {Fp2(5), Fp2(6)}},
                  {.coefficient = Fp2(4), .offset = 1, .point = {}}};
  claim.value = Masked(value) + Masked::Pad(2) * Fp2(7);
  return claim;
}

TEST(BindingTest, EveryPartOfAClaimDecidesLambda) {
  using Claims = std::vector<Claim>;
  const struct {
    const char* what;
    std::function<void(Claims&)> change;
  } kChanges[] = {
      {"its matrix", [](Claims& c) { c[0].matrix = 2; }},
      {"a coefficient", [](Claims& c) { c[0].blocks[0].coefficient += Fp2(1); }},
      {"its part b", [](Claims& c) { c[0].blocks[1].coefficient += Fp2(0, 1); }},
      {"an offset", [](Claims& c) { c[0].blocks[0].offset = 4; }},
      {"a point", [](Claims& c) { c[0].blocks[0].point[1] += Fp2(0, 1); }},
      {"a shorter point", [](Claims& c) { c[0].blocks[0].point.pop_back(); }},
      {"a block less", [](Claims& c) { c[0].blocks.pop_back(); }},
      {"a block more", [](Claims& c) { c[0].blocks.emplace_back(); }},
      {"the order of blocks", [](Claims& c) { std::swap(c[0].blocks[0], c[0].blocks[1]); }},
      {"a block of the other claim",
       [](Claims& c) {
         c[1].blocks.insert(c[1].blocks.begin(), c[0].blocks.back());
         c[0].blocks.pop_back();
       }},
      {"the value's public part", [](Claims& c) { c[0].value += Masked(Fp2(1)); }},
      {"a pad's coefficient", [](Claims& c) { c[0].value += Masked::Pad(2); }},
      {"another pad", [](Claims& c) { c[0].value = Masked(Fp2(9)) + Masked::Pad(3) * Fp2(7); }},
      {"one more pad", [](Claims& c) { c[0].value += Masked::Pad(3); }},
      {"no pad", [](Claims& c) { c[0].value = Masked(Fp2(9)); }},
      {"a claim less", [](Claims& c) { c.pop_back(); }},
      {"a claim twice", [](Claims& c) { c.push_back(c.back()); }},
      {"the order of claims", [](Claims& c) { std::swap(c[0], c[1]); }},
  };
  // The same bytes but for a length: a coordinate as the next block's coefficient, a block as pads.
  const std::pair<Claims, Claims> kFramings[] = {
      {{{.blocks = {{.coefficient = Fp2(3), .offset = 4, .point = {Fp2(5)}},
                    {.coefficient = Fp2(6, 7), .offset = 8, .point = {}}}}},
       {{.blocks = {{.coefficient = Fp2(3), .offset = 4, .point = {}},
                    {.coefficient = Fp2(5), .offset = 6, .point = {Fp2(7, 8)}}}}}},
      {{{.blocks = {{.coefficient = Fp2(3), .offset = 2, .point = {Fp2(5)}}},
         .value = Masked(Fp2(6, 7))}},
       {{.value = Masked(Fp2(3)) + Masked::Pad(1) * Fp2(5) + Masked::Pad(6) * Fp2(7)}}},
  };
  const Claims claims = {TwoBlocks(Fp2(9)), TwoBlocks(Fp2(10))};
  const BatchPlan plan = Matrices().Plan();
  const auto lambda = [&](const Claims& of, const BatchPlan& with) {
    Transcript transcript("test");
    return DrawLambda(with, of, transcript);
  };
  for (const auto& [what, change] : kChanges) {
    Claims changed = claims;
    change(changed);
    EXPECT_NE(lambda(changed, plan), lambda(claims, plan)) << what;
  }
  Matrices other;
  other.pads = 1;
  EXPECT_NE(lambda(claims, other.Plan()), lambda(claims, plan)) << "the number of pads";
  const auto with_triples = [&](std::uint64_t triples) {
    return BatchPlan::Make(other.witness, other.long_lived, 0, triples, kFewQueries).value();
  };
  EXPECT_NE(lambda(claims, with_triples(1)), lambda(claims, with_triples(2))) << "of triples";
  for (const auto& [one, another] : kFramings) EXPECT_NE(lambda(one, plan), lambda(another, plan));
}

// The ends add up the same value in different orders.
TEST(BindingTest, AValueIsBoundWhateverTheSumItCameFrom) {
  const auto digest = [](const Masked& value) {
    Claim claim;
    claim.value = value;
    return ClaimsDigest(Matrices().Plan(), std::vector{claim});
  };
  const Masked two = Masked::Pad(4) * Fp2(2) + Masked::Pad(1) + Masked(Fp2(6));
  EXPECT_EQ(digest(two), digest(Masked(Fp2(5)) + Masked::Pad(1) + Masked::Pad(4) + Masked(Fp2(1)) +
                                Masked::Pad(4)));
  EXPECT_EQ(digest(two), digest(two + Masked::Pad(9) - Masked::Pad(9)));
  EXPECT_EQ(digest(two), digest(two + Masked::Pad(9) * Fp2()));
}

}  // namespace
}  // namespace flair::zk
