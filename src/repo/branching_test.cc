// SPDX-License-Identifier: Apache-2.0
#include "repo/branching.h"

#include "repo/config.h"
#include "repo/oplog.h"
#include "repo/working_copy_testing.h"

namespace flair {
namespace {

class BranchingTest : public WorkingCopyTest {
 protected:
  void SetUp() override {
    WorkingCopyTest::SetUp();
    Write("a", "one");
    Write("b", "one");
    first_ = CommitAll("first");
  }
  CommitId first_;
};

TEST_F(BranchingTest, SwitchingBringsTheFilesOfTheBranch) {
  ASSERT_TRUE(Switch(repo(), "other", SwitchMode::kCreate).ok());
  Write("a", "two");
  Write("c/d", "new");
  const CommitId second = CommitAll("second");
  const auto back = Switch(repo(), "main", SwitchMode::kExisting);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->commit, first_);
  EXPECT_EQ(Read("a"), "one");
  EXPECT_EQ(Read("c/d"), "(absent)");
  EXPECT_TRUE(IsClean());
  ASSERT_TRUE(Switch(repo(), "other", SwitchMode::kExisting).ok());
  EXPECT_EQ(HeadCommit(), second);
  EXPECT_EQ(Read("c/d"), "new");
}

TEST_F(BranchingTest, WhatWasAddedIsCarriedAlongWhenItDoesNotCollide) {
  ASSERT_TRUE(Switch(repo(), "other", SwitchMode::kCreate).ok());
  Write("a", "two");
  CommitAll("second");
  Write("b", "edited");
  ASSERT_TRUE(Add(repo(), {"b"}).ok());
  ASSERT_TRUE(Switch(repo(), "main", SwitchMode::kExisting).ok());
  EXPECT_EQ(Read("a"), "one");
  EXPECT_EQ(Read("b"), "edited");
  const auto status = ReadStatus(repo()).value();
  EXPECT_EQ(status.staged, (std::vector<PathChange>{{"b", FileChange::kModified}}));
}

TEST_F(BranchingTest, NothingAddedOrEditedIsLostBySwitching) {
  ASSERT_TRUE(Switch(repo(), "other", SwitchMode::kCreate).ok());
  Write("a", "two");
  CommitAll("second");
  Write("a", "three");
  const auto edited = Switch(repo(), "main", SwitchMode::kExisting);
  ASSERT_FALSE(edited.ok());
  EXPECT_EQ(edited.error().code(), ErrorCode::kConflict);
  ASSERT_TRUE(Add(repo(), {"a"}).ok());
  const auto added = Switch(repo(), "main", SwitchMode::kExisting);
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Read("a"), "three");
  EXPECT_EQ(ReadHead(repo()).value().branch, "heads/other");
}

TEST_F(BranchingTest, AnUntrackedFileInTheWayStopsTheSwitch) {
  ASSERT_TRUE(Switch(repo(), "other", SwitchMode::kCreate).ok());
  Write("c", "tracked there");
  CommitAll("second");
  ASSERT_TRUE(Switch(repo(), "main", SwitchMode::kExisting).ok());
  Write("c", "mine");
  EXPECT_EQ(Switch(repo(), "other", SwitchMode::kExisting).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Read("c"), "mine");
}

TEST_F(BranchingTest, NamesAreCheckedAndTakenOnce) {
  EXPECT_EQ(CreateBranch(repo(), "main", first_).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(CreateBranch(repo(), "../x", first_).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Switch(repo(), "main", SwitchMode::kCreate).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Switch(repo(), "none", SwitchMode::kExisting).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(CreateTag(repo(), "v1", first_).ok());
  EXPECT_EQ(CreateTag(repo(), "v1", first_).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(DeleteTag(repo(), "v2").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(DeleteAlias(repo(), "prod").error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(SetAlias(repo(), "prod", first_).ok());
  ASSERT_TRUE(SetAlias(repo(), "prod", first_).ok());
  EXPECT_EQ(Resolve(repo(), "@prod").value(), first_);
}

TEST_F(BranchingTest, OnlyMergedBranchesAreDeletedWithoutForce) {
  ASSERT_TRUE(Switch(repo(), "other", SwitchMode::kCreate).ok());
  EXPECT_EQ(DeleteBranch(repo(), "other", DeleteMode::kAlways).error().code(),
            ErrorCode::kConflict);
  Write("a", "two");
  CommitAll("second");
  ASSERT_TRUE(Switch(repo(), "main", SwitchMode::kExisting).ok());
  EXPECT_EQ(DeleteBranch(repo(), "other", DeleteMode::kOnlyMerged).error().code(),
            ErrorCode::kConflict);
  ASSERT_TRUE(DeleteBranch(repo(), "other", DeleteMode::kAlways).ok());
  ASSERT_TRUE(CreateBranch(repo(), "same", first_).ok());
  EXPECT_TRUE(DeleteBranch(repo(), "same", DeleteMode::kOnlyMerged).ok());
}

TEST_F(BranchingTest, RenamingTakesHeadAndUpstreamAlong) {
  ASSERT_TRUE(AddRemote(repo(), {.name = "origin", .url = "http://h/o/n", .repo_id = ""}).ok());
  ASSERT_TRUE(SetUpstream(repo(), "main", Upstream{"origin", "main"}).ok());
  ASSERT_TRUE(RenameBranch(repo(), "main", "trunk").ok());
  EXPECT_EQ(ReadHead(repo()).value().branch, "heads/trunk");
  EXPECT_EQ(GetUpstream(repo(), "trunk").value(), (Upstream{"origin", "main"}));
  EXPECT_EQ(GetUpstream(repo(), "main").value(), std::nullopt);
  ASSERT_TRUE(Undo(repo()).ok());
  EXPECT_EQ(ReadHead(repo()).value().branch, "heads/main");
}

TEST_F(BranchingTest, ABranchOfTheRemoteIsTracked) {
  ASSERT_TRUE(CompareAndSwap(repo(), {{.name = "remotes/origin/dev", .old = {}, .to = first_}},
                             "fetch", "fetch")
                  .ok());
  const auto head = Switch(repo(), "dev", SwitchMode::kExisting);
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->branch, "heads/dev");
  EXPECT_EQ(GetUpstream(repo(), "dev").value(), (Upstream{"origin", "dev"}));
}

TEST_F(BranchingTest, ResetMovesWhatItsModeSays) {
  Write("a", "two");
  const CommitId second = CommitAll("second");
  Write("b", "edited");

  ASSERT_TRUE(Reset(repo(), first_, ResetMode::kSoft).ok());
  EXPECT_EQ(ReadStatus(repo()).value().staged.size(), 1U);
  EXPECT_EQ(Read("a"), "two");
  ASSERT_TRUE(Undo(repo()).ok());

  ASSERT_TRUE(Reset(repo(), first_, ResetMode::kMixed).ok());
  EXPECT_TRUE(ReadStatus(repo()).value().staged.empty());
  EXPECT_EQ(Read("a"), "two");
  ASSERT_TRUE(Undo(repo()).ok());

  ASSERT_TRUE(Reset(repo(), first_, ResetMode::kHard).ok());
  EXPECT_EQ(Read("a"), "one");
  EXPECT_EQ(Read("b"), "one");  // an edit nobody committed is overwritten, too...
  EXPECT_TRUE(IsClean());
  ASSERT_TRUE(Undo(repo()).ok());
  EXPECT_EQ(HeadCommit(), second);
  EXPECT_EQ(Read("a"), "two");
  EXPECT_EQ(Read("b"), "edited");  // ...and comes back
}

TEST_F(BranchingTest, FastForwardRefusesAnotherLine) {
  Write("a", "two");
  const CommitId second = CommitAll("second");
  ASSERT_TRUE(Reset(repo(), first_, ResetMode::kHard).ok());
  ASSERT_TRUE(FastForward(repo(), second, "pull").ok());
  EXPECT_EQ(Read("a"), "two");
  ASSERT_TRUE(Reset(repo(), first_, ResetMode::kHard).ok());
  Write("b", "else");
  CommitAll("another line");
  EXPECT_EQ(FastForward(repo(), second, "pull").error().code(), ErrorCode::kConflict);
}

TEST_F(BranchingTest, ADetachedHeadCommitsWithoutABranch) {
  const auto head = Switch(repo(), first_.ToHex(), SwitchMode::kDetach);
  ASSERT_TRUE(head.ok());
  EXPECT_TRUE(head->branch.empty());
  Write("a", "two");
  const CommitId second = CommitAll("loose");
  EXPECT_EQ(HeadCommit(), second);
  EXPECT_EQ(GetRef(repo(), "heads/main").value(), first_);
}

TEST(UnbornBranch, SwitchingMovesNothingButTheName) {
  std::string pattern = (std::filesystem::temp_directory_path() / "flair-repo-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  {
    const auto repo = Repository::Init(PosixEnv(), pattern).value();
    const auto head = Switch(*repo, "dev", SwitchMode::kCreate);
    ASSERT_TRUE(head.ok()) << head.error().message();
    EXPECT_EQ(head->branch, "heads/dev");
    EXPECT_FALSE(head->commit);
  }
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace flair
