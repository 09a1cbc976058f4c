// Layouts that would be larger than a proof may be, or hold nothing.
// SPDX-License-Identifier: Apache-2.0
#include "zk/relation/layout.h"

#include <gtest/gtest.h>

#include <vector>

#include "circuit/circuit_testing.h"
#include "zk/training/long_lived.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kManyCells = (std::uint64_t{1} << 32) + 1;

TEST(LayoutTest, WhatIsTooLargeIsRefused) {
  // 10 pieces along each of six axes, and two.
  EXPECT_TRUE(SplitTensor({1023, 1023, 1023, 1023, 1023}).ok());
  EXPECT_FALSE(SplitTensor({1023, 1023, 1023, 1023, 1023, 1023, 3}).ok());

  std::uint64_t offset = 0;
  std::uint64_t other = 0;
  EXPECT_TRUE(PlaceAll({{32, &offset}}).ok());
  EXPECT_FALSE(PlaceAll({{32, &offset}, {0, &other}}).ok());
  EXPECT_FALSE(PlaceAll({{33, &offset}}).ok());
}

TEST(LayoutTest, AProofOfNoStepHasNoLayout) {
  const circuit::Perceptron p = circuit::MakePerceptron({});
  EXPECT_TRUE(Layout::Make(p.circuit, 1).ok());
  EXPECT_FALSE(Layout::Make(p.circuit, 0).ok());
}

TEST(LayoutTest, MatricesOfMoreCellsThanTheyHoldAreRefused) {
  EXPECT_TRUE(WitnessShape(1000).ok());
  EXPECT_FALSE(WitnessShape(std::uint64_t{1} << 50).ok());

  const std::vector<DataColumn> columns = {{.dims = {}, .bits = 30, .bias = 0}};
  EXPECT_TRUE(DataLayout(columns, kManyCells - 1).ok());
  EXPECT_FALSE(DataLayout(columns, kManyCells).ok());
  for (const unsigned bits : {0U, 31U}) {
    EXPECT_FALSE(
        DataLayout(std::vector<DataColumn>{{.dims = {}, .bits = bits, .bias = 0}}, 1).ok());
  }

  circuit::Circuit circuit;
  circuit.axes = {{"n", kManyCells}};
  circuit.values = {{.name = "w", .kind = circuit::Value::Kind::kNumber, .axes = {0}}};
  circuit.carried = {{.number = 0, .role = circuit::Carried::Role::kWeight}};
  EXPECT_FALSE(CarriedLayout(circuit, circuit::Carried::Role::kWeight).ok());
  circuit.axes[0].size = kManyCells - 1;
  EXPECT_TRUE(CarriedLayout(circuit, circuit::Carried::Role::kWeight).ok());
}

}  // namespace
}  // namespace flair::zk
