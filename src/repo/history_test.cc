// SPDX-License-Identifier: Apache-2.0
#include "repo/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repo/graph_testing.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class HistoryTest : public testing::Test {
 protected:
  CommitId Make(std::vector<CommitId> parents) {
    const FileId file = graph_.PutText("text " + std::to_string(counter_++));
    return graph_.PutCommit({{"a.txt", file}}, std::move(parents));
  }
  std::vector<CommitId> LogOf(std::vector<CommitId> tips, std::size_t limit = 0) {
    History history(graph_.store());
    std::vector<CommitId> out;
    for (const LogEntry& entry : Get(history.Log(tips, limit))) out.push_back(entry.id);
    return out;
  }
  std::vector<CommitId> Bases(std::vector<CommitId> tips) {
    History history(graph_.store());
    return Get(history.MergeBases(tips));
  }

  TestGraph graph_;
  int counter_ = 0;
};

TEST_F(HistoryTest, LogListsChildrenBeforeParentsAndTheNewestFirst) {
  const CommitId a = Make({});
  const CommitId b = Make({a});
  const CommitId c = Make({a});
  const CommitId d = Make({b, c});
  EXPECT_THAT(LogOf({d}), ElementsAre(d, c, b, a));
  EXPECT_THAT(LogOf({d}, 2), ElementsAre(d, c));
  EXPECT_THAT(LogOf({b, c}), ElementsAre(c, b, a));
  EXPECT_THAT(LogOf({b, d}), ElementsAre(d, c, b, a));
}

TEST_F(HistoryTest, AParentComesLastEvenWhenItsClockWasAhead) {
  Commit parent;
  parent.time_s = 2'000'000'000;
  parent.message = "from the future";
  parent.tree = Get(ReadCommit(graph_.store(), Make({}))).tree;
  const CommitId a = graph_.Store(parent);
  const CommitId b = Make({a});
  const CommitId c = Make({a});
  EXPECT_THAT(LogOf({b, c}), ElementsAre(c, b, a));
}

TEST_F(HistoryTest, FindsTheLowestCommonAncestor) {
  const CommitId root = Make({});
  const CommitId a = Make({root});
  const CommitId b = Make({a});
  const CommitId c = Make({a});
  const CommitId d = Make({root});
  EXPECT_THAT(Bases({b, c}), ElementsAre(a));
  EXPECT_THAT(Bases({b, a}), ElementsAre(a));
  EXPECT_THAT(Bases({b, b}), ElementsAre(b));
  EXPECT_THAT(Bases({b, c, d}), ElementsAre(root));
  EXPECT_THAT(Bases({b, Make({})}), IsEmpty());
}

TEST_F(HistoryTest, ACrissCrossHasTwoBasesAndWhatTheyGrewFromCounts) {
  const CommitId root = Make({});
  const CommitId a = Make({root});
  const CommitId b = Make({root});
  const CommitId ab = Make({a, b});
  const CommitId ba = Make({b, a});
  EXPECT_THAT(Bases({ab, ba}), UnorderedElementsAre(a, b));
  History history(graph_.store());
  const CommitId tips[] = {ab, ba};
  EXPECT_EQ(Get(history.MergeBase(tips)), root);
}

TEST_F(HistoryTest, BasesThatShareNothingGiveTheSmallestId) {
  const CommitId a = Make({});
  const CommitId b = Make({});
  const CommitId tips[] = {Make({a, b}), Make({b, a})};
  History history(graph_.store());
  EXPECT_EQ(Get(history.MergeBase(tips)), std::min(a, b));
  const CommitId strangers[] = {a, b};
  EXPECT_EQ(Get(history.MergeBase(strangers)), std::nullopt);
}

TEST_F(HistoryTest, KnowsAncestors) {
  const CommitId a = Make({});
  const CommitId b = Make({a});
  const CommitId c = Make({a});
  History history(graph_.store());
  EXPECT_TRUE(Get(history.IsAncestor(a, b)));
  EXPECT_TRUE(Get(history.IsAncestor(b, b)));
  EXPECT_FALSE(Get(history.IsAncestor(b, a)));
  EXPECT_FALSE(Get(history.IsAncestor(b, c)));
}

TEST_F(HistoryTest, StalenessCountsTheMergesThatWentOnWithoutTheInput) {
  const CommitId root = Make({});
  const CommitId early = Make({root});
  const CommitId x = Make({root});
  const CommitId merge1 = Make({root, x});
  const CommitId plain = Make({merge1});
  const CommitId y = Make({merge1});
  const CommitId merge2 = Make({plain, y});
  History history(graph_.store());
  EXPECT_EQ(Get(history.Staleness(root, early)), 0U);
  EXPECT_EQ(Get(history.Staleness(merge1, early)), 1U);
  EXPECT_EQ(Get(history.Staleness(merge2, early)), 2U);
  EXPECT_EQ(Get(history.Staleness(merge2, y)), 1U);
  EXPECT_EQ(Get(history.Staleness(merge2, merge2)), 0U);
}

TEST_F(HistoryTest, AShallowCommitHasNoParents) {
  CommitId gone;
  gone.digest.bytes[0] = std::byte{1};
  const CommitId cut = Make({gone});
  const CommitId tip = Make({cut});
  const CommitId tips[] = {tip};
  History whole(graph_.store());
  const auto missing = whole.Log(tips);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  History history(graph_.store(), {cut});
  EXPECT_EQ(Get(history.Log(tips)).size(), 2U);
}

TEST_F(HistoryTest, GraphRowsConnectEveryCommitToItsParents) {
  const CommitId a = Make({});
  const CommitId b = Make({a});
  const CommitId c = Make({a});
  const CommitId d = Make({b, c});
  History history(graph_.store());
  const CommitId tips[] = {d};
  const auto rows = LayOutGraph(Get(history.Log(tips)));
  ASSERT_EQ(rows.size(), 4U);
  // d forks into the lanes of b (first parent) and c; both end in a.
  EXPECT_EQ(rows[0].lane, 0U);
  EXPECT_THAT(rows[0].edges, UnorderedElementsAre(GraphRow::Edge{0, 0}, GraphRow::Edge{0, 1}));
  EXPECT_EQ(rows[1].lane, 1U);
  EXPECT_EQ(rows[1].num_lanes, 2U);
  EXPECT_THAT(rows[1].edges, UnorderedElementsAre(GraphRow::Edge{0, 0}, GraphRow::Edge{1, 1}));
  EXPECT_EQ(rows[2].lane, 0U);
  EXPECT_THAT(rows[2].edges, UnorderedElementsAre(GraphRow::Edge{1, 1}, GraphRow::Edge{0, 1}));
  EXPECT_EQ(rows[3].lane, 1U);
  EXPECT_THAT(rows[3].edges, IsEmpty());
}

}  // namespace
}  // namespace flair
