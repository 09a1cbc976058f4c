// Quotients of two values: what they are, and that nothing else passes.
// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/ratio.h"

#include <gtest/gtest.h>

#include <random>

#include "circuit/changes_testing.h"

namespace flair::circuit {
namespace {

struct Quotient {
  Circuit circuit;
  ValueId x, d, u;
};

// `limb_bits` as many as u has: it has one limb.
Quotient MakeQuotient(unsigned limb_bits, std::uint64_t cells) {
  Quotient q{};
  Builder b;
  const AxisId n = b.AddAxis("n", cells);
  q.x = b.AddData("x", {n}, Signed(30, limb_bits, "data"), 0);
  q.d = b.AddData("d", {n}, Signed(18, limb_bits, "data"), 1);
  q.u = Ratio(b, "u", q.x, q.d, Signed(16, limb_bits, "quotient"));
  auto made = std::move(b).Finish();
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message());
  if (made.ok()) q.circuit = std::move(*made);
  return q;
}

StepInputs InputsOf(const Quotient& q, Ints x, Ints d) {
  StepInputs inputs{.cells = std::vector<Ints>(q.circuit.values.size())};
  inputs.cells[q.x] = std::move(x);
  inputs.cells[q.d] = std::move(d);
  return inputs;
}

TEST(RatioTest, ItIsTheNearestIntegerHalfUp) {
  const Ints x = {0, 5, -5, 7, -7, 6, -6, 8, -8, 30'000'000, -30'000'000, 1, -1, 3, -3, 9};
  const Ints d = {3, 2, 2, 2, 2, 4, 4, 3, 3, 1'000, 1'000, 131'071, 131'071, 6, 6, 1};
  const Ints expected = {0, 3, -2, 4, -3, 2, -1, 3, -3, 30'000, -30'000, 0, 0, 1, 0, 9};
  for (const unsigned limb_bits : {16U, 7U, 3U}) {
    const Quotient q = MakeQuotient(limb_bits, x.size());
    const StepValues values = RunStep(q.circuit, InputsOf(q, x, d)).value();
    EXPECT_EQ(values.now[q.u], expected);
    EXPECT_GT(ExpectEveryChangeIsRefused(q.circuit, values), 200U);
  }
}

// One less than the quotient, with two divisors more in the remainder.
TEST(RatioTest, AnotherQuotientIsRefused) {
  for (const unsigned limb_bits : {16U, 7U}) {
    const Quotient q = MakeQuotient(limb_bits, 1);
    StepValues forged = RunStep(q.circuit, InputsOf(q, {1000}, {7})).value();
    forged.now[q.u][0] -= 1;
    for (ValueId id = 0; id < q.circuit.values.size(); ++id) {
      if (q.circuit[id].name == "u.remainder") forged.now[id][0] += 14;
      if (q.circuit[id].name == "u.gap") forged.now[id][0] = 0;
    }
    EXPECT_EQ(Judge(q.circuit, LimbsOf(q.circuit, forged), forged.now), "u.gap");
  }
}

TEST(RatioTest, NoDivisorBelowOneHasAWitness) {
  for (const std::int64_t d : {0, -1, -7}) {
    const Quotient q = MakeQuotient(7, 1);
    EXPECT_FALSE(RunStep(q.circuit, InputsOf(q, {14}, {d})).ok()) << d;
  }
}

}  // namespace
}  // namespace flair::circuit
