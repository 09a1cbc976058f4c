// blame, fsck and gc over a repository on disk.
// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "repo/blame.h"
#include "repo/branching.h"
#include "repo/fsck.h"
#include "repo/gc.h"
#include "repo/merging.h"
#include "repo/oplog.h"
#include "repo/working_copy_testing.h"

namespace flair {
namespace {

using UpkeepTest = WorkingCopyTest;

TEST_F(UpkeepTest, BlameNamesTheCommitThatLastChangedATensor) {
  WriteModel("a.safetensors", {1});
  WriteModel("b.safetensors", {1});
  const CommitId first = CommitAll("first");
  WriteModel("b.safetensors", {2});
  const CommitId second = CommitAll("second");
  Write("notes", "no tensor");
  CommitAll("third");
  const auto entries = Blame(repo().objects(), HeadCommit(), "*");
  ASSERT_TRUE(entries.ok()) << entries.error().message();
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].path, "a.safetensors");
  EXPECT_EQ((*entries)[0].commit, first);
  EXPECT_EQ((*entries)[1].commit, second);
  EXPECT_EQ(Blame(repo().objects(), HeadCommit(), "v*").error().code(), ErrorCode::kNotFound);
}

TEST_F(UpkeepTest, BlameFollowsTheParentThatHoldsTheValue) {
  WriteModel("m.safetensors", {1});
  const CommitId first = CommitAll("first");
  WriteModel("m.safetensors", {2});
  const CommitId second = CommitAll("second");
  WriteModel("m.safetensors", {1});  // back to an old value: that is a change of its own
  const CommitId third = CommitAll("third");
  EXPECT_EQ(Blame(repo().objects(), third, "w").value()[0].commit, third);
  EXPECT_EQ(Blame(repo().objects(), second, "w").value()[0].commit, second);
  EXPECT_EQ(Blame(repo().objects(), first, "w").value()[0].commit, first);
}

TEST_F(UpkeepTest, FsckNamesAFlippedBit) {
  std::vector<float> w(200'000);
  std::uint32_t random = 1;  // no structure a codec could use
  for (float& v : w) v = static_cast<float>(random = random * 1664525 + 1013904223);
  WriteModel("m.safetensors", w);
  CommitAll("first");
  const auto good = Fsck(repo());
  ASSERT_TRUE(good.ok()) << good.error().message();
  EXPECT_TRUE(good->ok()) << good->problems[0];
  EXPECT_EQ(good->num_commits, 1U);

  std::filesystem::path largest;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(root_ + "/.flair/objects")) {
    if (!file.is_regular_file()) continue;
    if (largest.empty() || file.file_size() > std::filesystem::file_size(largest)) largest = file;
  }
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(largest) / 2);
  std::filesystem::permissions(largest, std::filesystem::perms::owner_all);
  {
    std::fstream pack(largest, std::ios::in | std::ios::out | std::ios::binary);
    pack.seekg(middle);
    const int byte = pack.get();
    pack.seekp(middle);
    pack.put(static_cast<char>(byte ^ 1));
  }
  repo_ = Repository::Open(PosixEnv(), root_).value();
  const auto damaged = Fsck(repo());
  ASSERT_TRUE(damaged.ok()) << damaged.error().message();
  ASSERT_FALSE(damaged->ok());
  EXPECT_NE(damaged->problems[0].find("pack"), std::string::npos) << damaged->problems[0];
}

TEST_F(UpkeepTest, FsckMissesASignatureThatIsGone) {
  Write("a", "1");
  const CommitId id = CommitAll("first");
  ASSERT_TRUE(repo().db().Exec("DELETE FROM attachments").ok());
  const auto report = Fsck(repo());
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_EQ(report->problems.size(), 1U);
  EXPECT_NE(report->problems[0].find("commit " + id.Short()), std::string::npos)
      << report->problems[0];
}

TEST_F(UpkeepTest, FsckRunsMergesAgainAndNamesAForgedOne) {
  WriteModel("m.safetensors", {1, 2});
  const CommitId base = CommitAll("base");
  WriteModel("m.safetensors", {3, 2});
  const CommitId mine = CommitAll("mine", 1);
  ASSERT_TRUE(Reset(repo(), base, ResetMode::kHard).ok());
  WriteModel("m.safetensors", {1, 6});
  CommitAll("theirs", 3);
  MergeRequest request;
  request.others = {mine};
  const auto merged = Merge(repo(), request, key());
  ASSERT_TRUE(merged.ok()) << merged.error().message();

  auto report = Fsck(repo(), {}, FsckMerges::kRunAgain);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_TRUE(report->ok()) << report->problems[0];
  EXPECT_EQ(report->num_merges, 1U);
  EXPECT_EQ(Fsck(repo()).value().num_merges, 0U);

  // The same recipe over the tree of one side, signed by its author.
  Commit forged = ReadCommit(repo().objects(), *merged->commit).value();
  forged.tree = ReadCommit(repo().objects(), mine).value().tree;
  const auto batch = repo().objects().Begin().value();
  const CommitId id{batch->PutObject(ObjectKind::kCommit, EncodeCommit(forged)).value()};
  ASSERT_TRUE(batch->Commit().ok());
  ASSERT_TRUE(CreateBranch(repo(), "forged", id).ok());
  report = Fsck(repo(), {}, FsckMerges::kRunAgain);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->num_merges, 2U);
  ASSERT_FALSE(report->ok());
  EXPECT_NE(report->problems.back().find("merge " + id.Short() + ": the recipe gives tree"),
            std::string::npos)
      << report->problems.back();
}

TEST_F(UpkeepTest, GcKeepsWhatUndoNeedsUntilHistoryEnds) {
  WriteModel("m.safetensors", {1});
  const CommitId first = CommitAll("first");
  WriteModel("m.safetensors", {2});
  const CommitId second = CommitAll("second");
  ASSERT_TRUE(Reset(repo(), first, ResetMode::kHard).ok());
  Write("draft", "added, never committed");
  ASSERT_TRUE(Add(repo(), {"draft"}).ok());

  const auto kept = CollectGarbage(repo(), {.grace_s = 0});
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  EXPECT_TRUE(repo().objects().HasObject(ObjectKind::kCommit, second.digest));
  EXPECT_TRUE(Fsck(repo()).value().ok());

  // Older than everything: the second commit is nobody's any more.
  const auto gone = CollectGarbage(repo(), {.grace_s = -10, .keep_history_s = -10});
  ASSERT_TRUE(gone.ok()) << gone.error().message();
  EXPECT_GT(gone->removed_records, 0U);
  EXPECT_GT(gone->removed_operations, 0U);
  EXPECT_FALSE(repo().objects().HasObject(ObjectKind::kCommit, second.digest));
  EXPECT_EQ(Resolve(repo(), second.ToHex()).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(repo().objects().HasObject(ObjectKind::kCommit, first.digest));
  const auto report = Fsck(repo());
  EXPECT_TRUE(report.value().ok()) << report.value().problems[0];

  std::filesystem::remove(root_ + "/draft");
  ASSERT_TRUE(Restore(repo(), {"draft"}, {}).ok());
  EXPECT_EQ(Read("draft"), "added, never committed");
}

}  // namespace
}  // namespace flair
