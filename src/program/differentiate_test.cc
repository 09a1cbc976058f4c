// SPDX-License-Identifier: Apache-2.0
// The derivative against finite differences of the double-precision evaluator.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "program/evaluate.h"
#include "program/program_testing.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

struct Case {
  Program program;
  Graph graph;
  RealInputs inputs;
};

Case Prepared(std::string_view text) {
  Case c;
  c.program = Parsed(text);
  const auto shapes = CheckProgram(c.program);
  EXPECT_TRUE(shapes.ok());
  auto graph = BuildGraph(c.program, *shapes);
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  c.graph = std::move(*graph);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const auto fill = [&](const Dims& dims, double factor) {
    Reals values(NumElements(dims));
    for (double& v : values) v = factor * normal(random);
    return values;
  };
  std::size_t id = 0;
  for (const Column& column : c.program.columns) {
    Reals values = fill((*shapes)[id++], 1);
    for (double& v : values) {
      if (column.is_label()) v = static_cast<double>(random() % column.classes);
    }
    c.inputs.columns.push_back(std::move(values));
  }
  for (std::size_t i = 0; i < c.program.parameters.size(); ++i) {
    c.inputs.parameters.push_back(fill((*shapes)[id++], 0.5));
  }
  for (std::size_t i = 0; i < c.program.buffers.size(); ++i) {
    Reals values = fill((*shapes)[id++], 0.5);
    for (double& v : values) v = std::abs(v) + 0.1;
    c.inputs.buffers.push_back(std::move(values));
  }
  return c;
}

void ExpectDerivativesMatch(std::string_view text) {
  Case c = Prepared(text);
  const std::vector<Reals> values = Evaluate(c.graph, c.inputs);
  const double h = 1e-6;
  for (std::size_t p = 0; p < c.program.parameters.size(); ++p) {
    ASSERT_TRUE(c.graph.gradients[p].has_value()) << c.program.parameters[p].name;
    const Reals& gradient = values[*c.graph.gradients[p]];
    ASSERT_EQ(gradient.size(), c.inputs.parameters[p].size());
    for (std::size_t i = 0; i < gradient.size(); i += 1 + gradient.size() / 9) {
      double& w = c.inputs.parameters[p][i];
      const double kept = w;
      w = kept + h;
      const double above = Evaluate(c.graph, c.inputs)[c.graph.loss][0];
      w = kept - h;
      const double below = Evaluate(c.graph, c.inputs)[c.graph.loss][0];
      w = kept;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-6 * (1 + std::abs(gradient[i])))
          << c.program.parameters[p].name << " " << i;
    }
  }
}

TEST(DifferentiateTest, Mlp) { ExpectDerivativesMatch(kMlp); }
TEST(DifferentiateTest, EveryOperator) { ExpectDerivativesMatch(kZoo); }

TEST(DifferentiateTest, StridedConvolutionsAndOverlappingPools) {
  ExpectDerivativesMatch(R"(flair program 1
batch 2
data x [4, 9, 7] bits 16 scale 12
label y classes 3
param a [6, 2, 3, 2]
param b [6]
param g [6]
param c [3, 6]
buffer m [6]
buffer v [6]
h = conv(x, a, b, stride=[2, 1], pad=[1, 0, 0, 1], dilation=[1, 2], groups=2)
n = batch_norm(h, g, b, m, v, mode=eval)
p = max_pool(n, window=[3, 2], stride=[1, 2], pad=[1, 1, 0, 1])
q = reduce(p, axes=[3, 2], by=mean)
z = linear(q, c)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1
)");
}

TEST(DifferentiateTest, ALossThatCountsTwice) {
  std::string text(kMlp);
  text.replace(text.find("loss l"), 6, "k = add(l, l, beta=1/2)\nloss k");
  ExpectDerivativesMatch(text);
}

TEST(DifferentiateTest, AScalarThatIsNoSumOfLossesIsRefused) {
  std::string text(kMlp);
  text.replace(text.find("loss l"), 6, "k = mul(l, l)\nloss k");
  const Program p = Parsed(text);
  const auto graph = BuildGraph(p, *CheckProgram(p));
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().message(),
            "node 'l': a loss reaches the program's loss through add, affine and reduce only");
}

}  // namespace
}  // namespace flair::program
