// SPDX-License-Identifier: Apache-2.0
#include "repo/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/threads.h"
#include "repo/graph_testing.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DiffTest : public testing::Test {
 protected:
  std::vector<FileDiff> Diff(const CommitId& a, const CommitId& b, const DiffOptions& options) {
    return Get(DiffTrees(graph_.store(), Get(ReadCommitTree(graph_.store(), a)),
                         Get(ReadCommitTree(graph_.store(), b)), options));
  }
  TensorStats Compare(const TestTensor& a, const TestTensor& b, std::size_t bins = 0) {
    const auto ref = [&](const TestTensor& t) {
      return TensorRef{.dtype = t.dtype, .dims = t.dims, .content = graph_.PutContent(t.bytes)};
    };
    return Get(CompareTensors(graph_.store(), ref(a), ref(b), bins));
  }
  TestGraph graph_;
};

TEST_F(DiffTest, ListsWhatHappenedToEachTensor) {
  const CommitId a = graph_.PutModelCommit(
      {{"gone", F32({1})}, {"kept", F32({1})}, {"moved", F32({1})}, {"wider", F32({1})}}, {});
  const CommitId b = graph_.PutModelCommit(
      {{"kept", F32({1})}, {"moved", F32({2})}, {"new", F32({1})}, {"wider", F32({1, 2})}}, {a});
  const auto diffs = Diff(a, b, {});
  ASSERT_THAT(diffs, SizeIs(1));
  EXPECT_EQ(diffs[0].path, "model.safetensors");
  EXPECT_EQ(diffs[0].kind, ChangeKind::kChanged);
  EXPECT_TRUE(diffs[0].rest_changed);
  std::vector<std::pair<std::string, ChangeKind>> tensors;
  for (const TensorDiff& t : diffs[0].tensors) tensors.emplace_back(t.name, t.kind);
  EXPECT_THAT(tensors, ElementsAre(testing::Pair("gone", ChangeKind::kRemoved),
                                   testing::Pair("moved", ChangeKind::kChanged),
                                   testing::Pair("new", ChangeKind::kAdded),
                                   testing::Pair("wider", ChangeKind::kReshaped)));
  EXPECT_THAT(Diff(a, a, {}), IsEmpty());

  DiffOptions options;
  options.tensors_glob = "mov*";
  options.detail = DiffDetail::kStats;
  const auto one = Diff(a, b, options);
  ASSERT_THAT(one, SizeIs(1));
  ASSERT_THAT(one[0].tensors, SizeIs(1));
  EXPECT_EQ(one[0].tensors[0].stats->l2_delta, 1);
  options.tensors_glob = "nothing";
  EXPECT_THAT(Diff(a, b, options), IsEmpty());
}

TEST_F(DiffTest, ListsAddedAndRemovedFiles) {
  const FileId text = graph_.PutText("x");
  const CommitId a = graph_.PutCommit({{"a", text}, {"b", text}}, {});
  const CommitId b = graph_.PutCommit({{"b", text}, {"c", text}}, {a});
  const auto diffs = Diff(a, b, {});
  ASSERT_THAT(diffs, SizeIs(2));
  EXPECT_EQ(diffs[0].kind, ChangeKind::kRemoved);
  EXPECT_EQ(diffs[1].kind, ChangeKind::kAdded);
  DiffOptions options;
  options.include_same = true;
  EXPECT_THAT(Diff(a, b, options), SizeIs(3));
}

TEST_F(DiffTest, MeasuresAChange) {
  const TensorStats s = Compare(F32({3, 0, 1, 1}), F32({3, 4, 1, -1}));
  EXPECT_EQ(s.num_elements, 4U);
  EXPECT_EQ(s.num_changed, 2U);
  EXPECT_DOUBLE_EQ(s.changed_share(), 0.5);
  EXPECT_DOUBLE_EQ(s.l2_before, std::sqrt(11.0));
  EXPECT_DOUBLE_EQ(s.l2_after, std::sqrt(27.0));
  EXPECT_DOUBLE_EQ(s.l2_delta, std::sqrt(20.0));
  EXPECT_DOUBLE_EQ(s.cosine, 9 / (std::sqrt(11.0) * std::sqrt(27.0)));
  EXPECT_EQ(s.max_abs_delta, 4);
}

TEST_F(DiffTest, CountsWhatIsNotFiniteAndLeavesItOut) {
  const TensorStats s = Compare(F32({1, 2, 3, kNan}), F32({kNan, 4, kInf, 1}));
  EXPECT_EQ(s.num_nan, 1U);
  EXPECT_EQ(s.num_inf, 1U);
  EXPECT_EQ(s.num_changed, 4U);
  EXPECT_EQ(s.l2_delta, 2);
  EXPECT_EQ(s.cosine, 1);
}

TEST_F(DiffTest, ZerosHaveACosineByConvention) {
  EXPECT_EQ(Compare(F32({0, 0}), F32({-0.0F, 0})).cosine, 1);
  EXPECT_EQ(Compare(F32({0, 0}), F32({1, 0})).cosine, 0);
}

TEST_F(DiffTest, HistogramsAreSymmetricAroundZero) {
  const TensorStats s = Compare(F32({0, 0, 0, 0}), F32({-2, -0.5F, 0.5F, 2}), 4);
  EXPECT_THAT(s.histogram, ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(Compare(F32({0}), F32({-0.0F}), 3).histogram, ElementsAre(0, 1, 0));
  EXPECT_EQ(Compare(I64({1, 2}), I64({1, 4})).l2_delta, 2);
}

TEST_F(DiffTest, DoesNotDependOnTheNumberOfThreads) {
  std::vector<float> a(600'011);
  std::vector<float> b(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = 1.0F / static_cast<float>(i + 1);
    b[i] = 1.0F / static_cast<float>(i + 3);
  }
  SetThreadCount(1);
  const TensorStats one = Compare(F32(a), F32(b), 9);
  SetThreadCount(7);
  const TensorStats seven = Compare(F32(a), F32(b), 9);
  SetThreadCount(0);
  EXPECT_EQ(one.l2_delta, seven.l2_delta);
  EXPECT_EQ(one.cosine, seven.cosine);
  EXPECT_EQ(one.histogram, seven.histogram);
  EXPECT_EQ(std::accumulate(one.histogram.begin(), one.histogram.end(), std::uint64_t{0}),
            a.size());
}

}  // namespace
}  // namespace flair
