// Gradients clipped by their norm, beside the formula in doubles.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "program/optimiser_testing.h"

namespace flair::program {
namespace {

std::string Clipped(const std::string& optimiser, const std::string& limit,
                    const std::string& profile = "") {
  return NetWith(optimiser, "1/1024", "clip norm(limit=" + limit + ")\n" + profile);
}

// The first cell of a number or form.
std::int64_t CellOf(const Training& t, const TrainingStep& step, std::string_view name,
                    circuit::Value::Kind kind = circuit::Value::Kind::kNumber) {
  for (circuit::ValueId id = 0; id < t.lowered.circuit.values.size(); ++id) {
    const circuit::Value& value = t.lowered.circuit[id];
    if (value.name == name && value.kind == kind) return step.values.now[id][0];
  }
  ADD_FAILURE() << name;
  return 0;
}

TEST(ClippingTest, ClippedGradientsTrainLikeDoubles) {
  for (const char* optimiser : {"sgd(momentum=9/10)", "sgd(weight_decay=1/100)", "adamw()",
                                "adam(weight_decay=1/100)", "sgd(momentum=9/10, rule=keras)"}) {
    // All steps, some and none are clipped.
    for (const char* limit : {"1/10", "3/4", "100"}) {
      SCOPED_TRACE(std::string(optimiser) + " " + limit);
      ExpectTrainsLikeDoubles(Clipped(optimiser, limit), 5, 2e-4, OptimiserUpdates);
    }
  }
}

// The norm and the coefficient, as exactly as their units say.
TEST(ClippingTest, TheCoefficientIsTheFormulas) {
  for (const char* limit : {"1/10", "3/4", "100"}) {
    Training t = Prepared(Clipped("sgd()", limit));
    t.run.steps = 4;
    const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
      const std::vector<Reals> gradients = RealGradients(t, step);
      double square = 0;
      for (const Reals& of : gradients) square += Norm(of) * Norm(of);
      const double norm = std::ldexp(static_cast<double>(CellOf(t, step, "gradient norm")), -21);
      EXPECT_NEAR(norm, std::sqrt(square), 2e-5 * std::sqrt(square));
      const double q = std::ldexp(static_cast<double>(CellOf(t, step, "clip coefficient")), -26);
      const double exact = OptimiserFormula(t, step).ClipCoefficient(gradients);
      EXPECT_NEAR(q, exact, 2e-5 * exact);
      if (exact == 1) {
        EXPECT_EQ(q, 1);
        EXPECT_EQ(CellOf(t, step, "w1.clipped"), CellOf(t, step, "w1.unclipped"));
      }
      return OkStatus();
    });
    EXPECT_TRUE(end.ok());
  }
}

TEST(ClippingTest, EveryChangedCellIsRefused) {
  EXPECT_GT(ExpectOneStepOnly(Clipped("sgd(momentum=9/10)", "1/10")), 2000U);
  EXPECT_GT(ExpectOneStepOnly(Clipped("sgd()", "100")), 2000U);
}

// A unit so fine that few squares may be added up before they are numbers.
TEST(ClippingTest, SquaresAreAddedUpInParts) {
  for (const char* profile :
       {"profile clip_norm 31 26\n", "profile clip_norm 31 26\nprofile update_gradient 36 32\n"}) {
    const std::string text = Clipped("sgd(momentum=9/10)", "1/10", profile);
    ExpectTrainsLikeDoubles(text, 4, 5e-5, OptimiserUpdates);
    EXPECT_GT(ExpectOneStepOnly(text), 2000U);
  }
}

TEST(ClippingTest, GradientsOfZeroAreNoDivisionByZero) {
  const Training t = Prepared(R"(flair program 1
batch 2
data x [3] bits 12 scale 8
label y classes 2
param w [2, 3]
z = linear(x, w)
l = cross_entropy(z, y)
loss l
optimiser sgd(rule=keras)
schedule 1/8
clip norm(limit=1/1000)
)",
                              {.data = 0});
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    EXPECT_EQ(CellOf(t, step, "w.unclipped"), 0);
    EXPECT_EQ(CellOf(t, step, "w.clipped"), 0);
    EXPECT_GT(circuit::ExpectEveryChangeIsRefused(t.lowered.circuit, step.values), 100U);
    return OkStatus();
  });
  EXPECT_TRUE(end.ok());
}

}  // namespace
}  // namespace flair::program
