// SPDX-License-Identifier: Apache-2.0
#include "repo/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/threads.h"
#include "repo/graph_testing.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class EvidenceTest : public testing::Test {
 protected:
  CommitId Model(const TestModel& model, std::vector<CommitId> parents = {}) {
    return graph_.PutModelCommit(model, std::move(parents));
  }
  UpdateEvidence Collect(const CommitId& base, const CommitId& tip,
                         const std::vector<CommitId>& others = {}) {
    std::vector<OtherUpdate> list;
    for (const CommitId& other : others) list.push_back({.base = base, .tip = other});
    return Get(CollectEvidence(graph_.store(), base, tip, list));
  }
  TestGraph graph_;
};

TEST_F(EvidenceTest, MeasuresEachLayerAndTheWhole) {
  const CommitId base = Model({{"a", F32({1, 0})}, {"b", F32({2})}, {"same", F32({9})}});
  const CommitId tip = Model({{"a", F32({1, 3})}, {"b", F32({6})}, {"same", F32({9})}}, {base});
  const UpdateEvidence e = Collect(base, tip);
  ASSERT_THAT(e.tensors, SizeIs(2));
  EXPECT_EQ(e.tensors[0].tensor, "a");
  EXPECT_EQ(e.tensors[0].update_norm, 3);
  EXPECT_EQ(e.tensors[0].num_changed, 1U);
  EXPECT_DOUBLE_EQ(*e.tensors[0].cosine, 1 / std::sqrt(10.0));
  EXPECT_EQ(e.tensors[1].update_norm, 4);
  EXPECT_EQ(e.update_norm, 5);
  EXPECT_EQ(e.max_abs, 4);
  EXPECT_EQ(e.num_elements, 3U);
  EXPECT_EQ(e.num_changed, 2U);
  EXPECT_EQ(e.num_compared, 0U);
  EXPECT_FALSE(e.krum_score);
  EXPECT_FALSE(e.norm_ratio);
  EXPECT_TRUE(e.finite());
}

TEST_F(EvidenceTest, APoisonedUpdateStandsOut) {
  const CommitId base = Model({{"w", F32({0, 0})}});
  const CommitId a = Model({{"w", F32({1, 1})}}, {base});
  const CommitId b = Model({{"w", F32({1.5F, 1})}}, {base});
  const CommitId c = Model({{"w", F32({1, 1.5F})}}, {base});
  const CommitId poisoned = Model({{"w", F32({-10, -10})}}, {base});
  const UpdateEvidence bad = Collect(base, poisoned, {a, b, c});
  EXPECT_LT(*bad.cosine, -0.99);
  EXPECT_EQ(bad.krum_rank, 3U);
  EXPECT_GT(*bad.krum_score, 100 * bad.krum_median);
  EXPECT_GT(*bad.norm_ratio, 7);
  EXPECT_EQ(bad.num_compared, 3U);

  const UpdateEvidence good = Collect(base, a, {b, c, poisoned});
  EXPECT_EQ(good.krum_rank, 0U);
  EXPECT_LT(*good.norm_ratio, 1);
}

TEST_F(EvidenceTest, CountsNanAndInfinity) {
  const CommitId base = Model({{"w", F32({0, 0, 0, 0})}});
  const CommitId tip = Model({{"w", F32({kNan, kInf, -kInf, 2})}}, {base});
  const CommitId other = Model({{"w", F32({1, 1, 1, 1})}}, {base});
  const UpdateEvidence e = Collect(base, tip, {other, other});
  EXPECT_EQ(e.num_nan, 1U);
  EXPECT_EQ(e.num_inf, 2U);
  EXPECT_FALSE(e.finite());
  EXPECT_EQ(e.update_norm, 2);
  EXPECT_FALSE(e.krum_score) << "there is no distance to NaN";
}

TEST_F(EvidenceTest, LayoutChangesAreNamedAndOtherLayoutsNotCompared) {
  const CommitId base = Model({{"v", F32({0})}, {"w", F32({0, 0})}});
  const CommitId tip = Model({{"w", F32({1, 2})}, {"x", F32({1})}}, {base});
  const CommitId stranger = Model({{"w", F32({1, 2, 3})}}, {base});
  const UpdateEvidence e = Collect(base, tip, {stranger});
  EXPECT_THAT(e.layout,
              ElementsAre(HasSubstr("v removed, was F32 [1]"), HasSubstr("x added, F32 [1]")));
  EXPECT_EQ(e.num_compared, 0U);
  EXPECT_EQ(e.update_norm, std::sqrt(5.0));
}

TEST_F(EvidenceTest, DoesNotDependOnTheNumberOfThreads) {
  const auto model = [&](float scale) {
    std::vector<float> w(530'003);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = scale / static_cast<float>(i % 97 + 1);
    return Model({{"w", F32(w)}});
  };
  const CommitId base = model(1);
  const std::vector<CommitId> others = {model(1.1F), model(1.3F), model(0.7F)};
  const CommitId tip = model(1.2F);
  SetThreadCount(1);
  const UpdateEvidence one = Collect(base, tip, others);
  SetThreadCount(7);
  const UpdateEvidence seven = Collect(base, tip, others);
  SetThreadCount(0);
  EXPECT_EQ(one.update_norm, seven.update_norm);
  EXPECT_EQ(one.cosine, seven.cosine);
  EXPECT_EQ(one.krum_score, seven.krum_score);
}

}  // namespace
}  // namespace flair
