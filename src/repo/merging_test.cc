// SPDX-License-Identifier: Apache-2.0
#include "repo/merging.h"

#include "repo/branching.h"
#include "repo/oplog.h"
#include "repo/working_copy_testing.h"

namespace flair {
namespace {

class MergingTest : public WorkingCopyTest {
 protected:
  void SetUp() override {
    WorkingCopyTest::SetUp();
    WriteModel("model.safetensors", {1, 2});
    base_ = CommitAll("base", 100);
  }
  // A commit on a branch of its own from `base_`; HEAD is on main again afterwards.
  CommitId Site(const std::string& name, const std::vector<float>& w, std::uint64_t samples) {
    EXPECT_TRUE(Switch(repo(), name, SwitchMode::kCreate, base_).ok());
    WriteModel("model.safetensors", w);
    const CommitId id = CommitAll(name, samples);
    EXPECT_TRUE(Switch(repo(), "main", SwitchMode::kExisting).ok());
    return id;
  }
  MergeRequest Request(std::vector<CommitId> others) {
    MergeRequest request;
    request.others = std::move(others);
    request.time_s = 1'800'000'000;
    return request;
  }
  CommitId base_;
};

TEST_F(MergingTest, ARoundWeighsBySamples) {
  const CommitId a = Site("a", {2, 2}, 100);
  const CommitId b = Site("b", {1, 6}, 300);
  const auto outcome = Merge(repo(), Request({a, b}), key());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->kind, MergeResultKind::kMerged);
  EXPECT_EQ(HeadCommit(), outcome->commit);
  EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{1.25F, 5}));
  EXPECT_TRUE(IsClean());
  EXPECT_TRUE(VerifyCommit(repo(), *outcome->commit).ok());
  const Commit commit = ReadCommit(repo().objects(), *outcome->commit).value();
  EXPECT_EQ(commit.parents.size(), 3U);
  EXPECT_EQ(commit.parents[0], base_);

  // The same inputs and recipe: the same commit.
  ASSERT_TRUE(Undo(repo()).ok());
  EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{1, 2}));
  EXPECT_EQ(Merge(repo(), Request({b, a}), key()).value().commit, outcome->commit);
}

TEST_F(MergingTest, ADescendantFastForwardsUnlessAMergeIsWanted) {
  const CommitId a = Site("a", {2, 2}, 100);
  MergeRequest request = Request({a});
  request.run = MergeRun::kDryRun;
  EXPECT_EQ(Merge(repo(), request, key()).value().kind, MergeResultKind::kFastForward);
  EXPECT_EQ(HeadCommit(), base_);
  request.run = MergeRun::kReal;
  request.fast_forwards = FastForwards::kNever;
  const auto merged = Merge(repo(), request, key());
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  EXPECT_EQ(merged->kind, MergeResultKind::kMerged);
  ASSERT_TRUE(Undo(repo()).ok());
  request.fast_forwards = FastForwards::kAllow;
  EXPECT_EQ(Merge(repo(), request, key()).value().commit, a);
  EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{2, 2}));
  EXPECT_EQ(Merge(repo(), request, key()).value().kind, MergeResultKind::kUpToDate);
}

TEST_F(MergingTest, WithAConflictNothingHasChanged) {
  Site("a", {2, 2}, 100);
  const CommitId other = Site("shape", {1, 2, 3}, 100);
  ASSERT_TRUE(FastForward(repo(), Resolve(repo(), "a").value(), "merge").ok());
  const CommitId before = HeadCommit();
  const auto outcome = Merge(repo(), Request({other}), key());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(outcome->kind, MergeResultKind::kConflicts);
  ASSERT_EQ(outcome->conflicts.size(), 1U);
  EXPECT_EQ(outcome->conflicts[0].tensor, "w");
  EXPECT_EQ(HeadCommit(), before);
  EXPECT_TRUE(IsClean());
}

TEST_F(MergingTest, LocalEditsAreNeverOverwritten) {
  const CommitId a = Site("a", {2, 2}, 100);
  const CommitId b = Site("b", {1, 6}, 300);
  WriteModel("model.safetensors", {9, 9});
  EXPECT_EQ(Merge(repo(), Request({a, b}), key()).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{9, 9}));
  EXPECT_EQ(HeadCommit(), base_);
}

TEST_F(MergingTest, BadRequestsAreRefused) {
  const CommitId a = Site("a", {2, 2}, 100);
  const CommitId b = Site("b", {1, 6}, 300);
  EXPECT_EQ(Merge(repo(), Request({}), key()).error().code(), ErrorCode::kInvalidArgument);
  MergeRequest request = Request({a, b});
  request.method = "mean";
  EXPECT_EQ(Merge(repo(), request, key()).error().code(), ErrorCode::kInvalidArgument);
  request.method = "linear";
  request.weights = "1,2,3";
  EXPECT_EQ(Merge(repo(), request, key()).error().code(), ErrorCode::kInvalidArgument);
  request.others = {a, b, base_};  // HEAD holds the last one: which weight is whose?
  EXPECT_EQ(Merge(repo(), request, key()).error().code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(Switch(repo(), base_.ToHex(), SwitchMode::kDetach).ok());
  EXPECT_EQ(Merge(repo(), Request({a}), key()).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(MergingTest, RevertRestoresAndUndoTakesItBack) {
  const CommitId a = Site("a", {2, 2}, 100);
  const CommitId b = Site("b", {1, 6}, 300);
  const CommitId merge = Merge(repo(), Request({a, b}), key()).value().commit.value();
  for (const RevertBy by : {RevertBy::kHistory, RevertBy::kSubtract}) {
    const auto outcome = Revert(repo(), {.commit = merge, .by = by}, key());
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{1, 2}));
    const Commit commit = ReadCommit(repo().objects(), *outcome->commit).value();
    EXPECT_EQ(commit.parents, std::vector<CommitId>{merge});
    ASSERT_EQ(commit.lineage.size(), 1U);
    EXPECT_EQ(commit.lineage[0].commit, merge);
    ASSERT_TRUE(Undo(repo()).ok());
    EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{1.25F, 5}));
  }
}

TEST_F(MergingTest, CherryPickAppliesTheChangeHere) {
  const CommitId a = Site("a", {2, 2}, 100);
  Write("notes", "mine");
  CommitAll("notes");
  const auto outcome = CherryPick(repo(), {.commit = a}, key());
  ASSERT_TRUE(outcome.ok()) << outcome.error().message();
  EXPECT_EQ(ReadModel("model.safetensors"), (std::vector<float>{2, 2}));
  EXPECT_EQ(Read("notes"), "mine");
  EXPECT_EQ(ReadCommit(repo().objects(), *outcome->commit).value().message, "a");
}

}  // namespace
}  // namespace flair
