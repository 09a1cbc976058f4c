// SPDX-License-Identifier: Apache-2.0
#include "cli/graph.h"

#include <gtest/gtest.h>

namespace flair::cli {
namespace {

GraphRow Row(std::size_t lane, std::size_t num_lanes, std::vector<GraphRow::Edge> edges) {
  return {.commit = {}, .lane = lane, .num_lanes = num_lanes, .edges = std::move(edges)};
}

TEST(Graph, ALineIsAColumnOfStars) {
  EXPECT_EQ(DrawGraph({Row(0, 1, {{0, 0}}), Row(0, 1, {})}, {"b\n", "a\n"}), "* b\n* a\n");
}

TEST(Graph, FurtherLinesOfACommitStandBesideItsEdge) {
  EXPECT_EQ(DrawGraph({Row(0, 1, {{0, 0}}), Row(0, 1, {})}, {"b\ntext\n", "a\n"}),
            "* b\n| text\n* a\n");
}

// merge -> (main, side), both -> root
TEST(Graph, AMergeOpensALaneAndItsBaseClosesIt) {
  EXPECT_EQ(DrawGraph({Row(0, 1, {{0, 0}, {0, 1}}), Row(1, 2, {{0, 0}, {1, 1}}),
                       Row(0, 2, {{0, 0}, {1, 0}}), Row(0, 1, {})},
                      {"merge\n", "side\n", "main\n", "root\n"}),
            "* merge\n"
            "|\\\n"
            "| * side\n"
            "* | main\n"
            "|/\n"
            "* root\n");
}

}  // namespace
}  // namespace flair::cli
