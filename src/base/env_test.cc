// The same expectations for PosixEnv and MemEnv, then what each adds.
// SPDX-License-Identifier: Apache-2.0
#include "base/env.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/disk.h"
#include "base/fault_env.h"
#include "base/mem_env.h"
#include "base/path.h"

namespace flair {
namespace {

enum class Which { kPosix, kMem };

class EnvTest : public testing::TestWithParam<Which> {
 protected:
  EnvTest() {
    if (GetParam() == Which::kPosix) {
      env_ = &PosixEnv();
      std::string pattern = testing::TempDir() + "/flair-env-XXXXXX";
      folder_ = mkdtemp(pattern.data());
    } else {
      env_ = &mem_;
      folder_ = "/work";
      EXPECT_TRUE(mem_.MakeDir(folder_).ok());
    }
  }
  ~EnvTest() override {
    if (GetParam() == Which::kPosix) std::filesystem::remove_all(folder_);
  }
  std::string At(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, std::string_view text, WriteMode mode) {
    auto file = env_->OpenForWrite(At(name), mode);
    ASSERT_TRUE(file.ok()) << file.error().message();
    ASSERT_TRUE((*file)->Append(AsBytes(text)).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  std::string Read(const std::string& name) {
    auto bytes = ReadFile(*env_, At(name), 1000);
    return bytes.ok() ? std::string(AsText(*bytes)) : "error " + bytes.error().message();
  }

  MemEnv mem_;
  Env* env_ = nullptr;
  std::string folder_;
};
INSTANTIATE_TEST_SUITE_P(Envs, EnvTest, testing::Values(Which::kPosix, Which::kMem),
                         [](const auto& which) {
                           return which.param == Which::kPosix ? "Posix" : "Mem";
                         });

TEST_P(EnvTest, WriteModesCreateTruncateAndAppend) {
  Write("a", "one", WriteMode::kCreateNew);
  EXPECT_EQ(env_->OpenForWrite(At("a"), WriteMode::kCreateNew).error().code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(env_->OpenForWrite(At("a"), WriteMode::kCreatePrivate).error().code(),
            ErrorCode::kAlreadyExists);
  Write("a", " two", WriteMode::kAppend);
  EXPECT_EQ(Read("a"), "one two");
  Write("a", "3", WriteMode::kTruncate);
  EXPECT_EQ(Read("a"), "3");
  Write("b", "fresh", WriteMode::kAppend);
  EXPECT_EQ(Read("b"), "fresh");
}

TEST_P(EnvTest, MissingThingsAreNotFound) {
  EXPECT_EQ(env_->OpenForRead(At("no")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(env_->Stat(At("no")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(env_->ListDir(At("no")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(env_->RemoveFile(At("no")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(env_->Rename(At("no"), At("x")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(env_->OpenForWrite(At("no/x"), WriteMode::kCreateNew).error().code(),
            ErrorCode::kNotFound);
}

TEST_P(EnvTest, ReadsAnyRangeAndRefusesToReadPastTheEnd) {
  Write("a", "0123456789", WriteMode::kCreateNew);
  auto source = env_->OpenForRead(At("a"));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->size_bytes(), 10u);
  Bytes out(4);
  ASSERT_TRUE((*source)->ReadAt(3, out).ok());
  EXPECT_EQ(AsText(out), "3456");
  EXPECT_EQ((*source)->ReadAt(7, out).error().code(), ErrorCode::kCorrupt);
  EXPECT_TRUE((*source)->ReadAt(10, {}).ok());
}

TEST_P(EnvTest, AFolderIsNotReadAsAFile) {
  EXPECT_EQ(env_->OpenForRead(folder_).error().code(), ErrorCode::kIo);
}

TEST_P(EnvTest, ReadFileRefusesMoreThanItsLimit) {
  Write("a", "0123456789", WriteMode::kCreateNew);
  EXPECT_TRUE(ReadFile(*env_, At("a"), 10).ok());
  EXPECT_EQ(ReadFile(*env_, At("a"), 9).error().code(), ErrorCode::kUnsupported);
}

TEST_P(EnvTest, FoldersListSortedAndGoOnlyWhenEmpty) {
  ASSERT_TRUE(MakeDirs(*env_, At("d/e/f")).ok());
  ASSERT_TRUE(MakeDirs(*env_, At("d/e/f")).ok());
  ASSERT_TRUE(env_->MakeDir(At("d/e")).ok()) << "making what is there is no error";
  for (const char* name : {"d/z", "d/B", "d/a"}) Write(name, "", WriteMode::kCreateNew);
  EXPECT_EQ(*env_->ListDir(At("d")), (std::vector<std::string>{"B", "a", "e", "z"}));
  EXPECT_FALSE(env_->RemoveDir(At("d")).ok());
  EXPECT_EQ(env_->MakeDir(At("d/a")).error().code(), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(RemoveTree(*env_, At("d")).ok());
  EXPECT_FALSE(Exists(*env_, At("d")));
  EXPECT_TRUE(RemoveTree(*env_, At("d")).ok()) << "nothing to remove is no error";
}

TEST_P(EnvTest, RenameReplacesAFileAndMovesAFolder) {
  Write("a", "new", WriteMode::kCreateNew);
  Write("b", "old", WriteMode::kCreateNew);
  ASSERT_TRUE(env_->Rename(At("a"), At("b")).ok());
  EXPECT_EQ(Read("b"), "new");
  EXPECT_FALSE(Exists(*env_, At("a")));
  ASSERT_TRUE(MakeDirs(*env_, At("d/e")).ok());
  Write("d/e/x", "deep", WriteMode::kCreateNew);
  ASSERT_TRUE(env_->Rename(At("d"), At("moved")).ok());
  EXPECT_EQ(Read("moved/e/x"), "deep");
}

TEST_P(EnvTest, StatTellsKindSizeAndExecutable) {
  Write("a", "12345", WriteMode::kCreateNew);
  auto info = env_->Stat(At("a"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->kind, FileKind::kFile);
  EXPECT_EQ(info->size_bytes, 5u);
  EXPECT_FALSE(info->executable);
  EXPECT_GT(info->mtime_ns, 1'500'000'000'000'000'000);
  ASSERT_TRUE(env_->SetExecutable(At("a"), true).ok());
  EXPECT_TRUE(env_->Stat(At("a"))->executable);
  ASSERT_TRUE(env_->SetExecutable(At("a"), false).ok());
  EXPECT_FALSE(env_->Stat(At("a"))->executable);
  EXPECT_EQ(env_->Stat(folder_)->kind, FileKind::kDirectory);
}

TEST_P(EnvTest, ALockExcludesOthersUntilItDies) {
  auto first = env_->Lock(At("lock"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(env_->Lock(At("lock")).error().code(), ErrorCode::kConflict);
  EXPECT_TRUE(env_->Lock(At("other")).ok());
  first->reset();
  EXPECT_TRUE(env_->Lock(At("lock")).ok());
}

TEST_P(EnvTest, AtomicWriteReplacesAndLeavesNoTempFile) {
  ASSERT_TRUE(WriteFileAtomically(*env_, At("f"), AsBytes("one")).ok());
  ASSERT_TRUE(WriteFileAtomically(*env_, At("f"), AsBytes("two")).ok());
  EXPECT_EQ(Read("f"), "two");
  EXPECT_EQ(*env_->ListDir(folder_), std::vector<std::string>{"f"});
}

TEST_P(EnvTest, ClockMovesAndRandomBytesDiffer) {
  const std::int64_t before = env_->MonotonicNs();
  EXPECT_GE(env_->MonotonicNs(), before);
  Bytes a(32), b(32);
  env_->RandomBytes(a);
  env_->RandomBytes(b);
  EXPECT_NE(a, b);
  EXPECT_GT(*env_->FreeSpaceBytes(folder_), 0u);
}

TEST(PosixEnvTest, PrivateFilesAreForTheOwnerOnlyAndSymlinksAreSeen) {
  std::string pattern = testing::TempDir() + "/flair-env-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  ASSERT_TRUE(PosixEnv().OpenForWrite(folder + "/secret", WriteMode::kCreatePrivate).ok());
  struct stat st {};
  ASSERT_EQ(stat((folder + "/secret").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  for (const char* text : {"one", "two"}) {
    ASSERT_TRUE(
        WriteFileAtomically(PosixEnv(), folder + "/whole", AsBytes(text), WriteMode::kCreatePrivate)
            .ok());
    ASSERT_EQ(stat((folder + "/whole").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
  }
  ASSERT_EQ(symlink("secret", (folder + "/link").c_str()), 0);
  EXPECT_EQ(PosixEnv().Stat(folder + "/link")->kind, FileKind::kSymlink);
  ASSERT_TRUE(RemoveTree(PosixEnv(), folder).ok());
  EXPECT_FALSE(Exists(PosixEnv(), folder));
}

TEST(MemEnvTest, ACrashLosesUnsyncedBytesAndNames) {
  MemEnv env;
  ASSERT_TRUE(env.MakeDir("/d").ok());
  ASSERT_TRUE(env.SyncDir("/").ok());
  auto file = env.OpenForWrite("/d/a", WriteMode::kCreateNew);
  ASSERT_TRUE((*file)->Append(AsBytes("kept")).ok());
  ASSERT_TRUE((*file)->Sync().ok());
  ASSERT_TRUE(env.SyncDir("/d").ok());
  ASSERT_TRUE((*file)->Append(AsBytes(" lost")).ok());
  ASSERT_TRUE(env.OpenForWrite("/d/unnamed", WriteMode::kCreateNew).ok());
  ASSERT_TRUE(env.MakeDir("/e").ok());
  env.Crash();
  EXPECT_EQ(AsText(env.ContentsOf("/d/a")), "kept");
  EXPECT_FALSE(Exists(env, "/d/unnamed"));
  EXPECT_FALSE(Exists(env, "/e"));
  EXPECT_FALSE((*file)->Append(AsBytes("x")).ok());
}

TEST(MemEnvTest, ACrashUndoesARenameUnlessTheFolderWasSynced) {
  for (const bool synced : {false, true}) {
    MemEnv env;
    ASSERT_TRUE(WriteFileAtomically(env, "/a", AsBytes("old")).ok());
    auto file = env.OpenForWrite("/t", WriteMode::kCreateNew);
    ASSERT_TRUE((*file)->Append(AsBytes("new")).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE(env.Rename("/t", "/a").ok());
    if (synced) {
      ASSERT_TRUE(env.SyncDir("/").ok());
    }
    env.Crash();
    EXPECT_EQ(AsText(env.ContentsOf("/a")), synced ? "new" : "old");
    EXPECT_FALSE(Exists(env, "/t"));
  }
}

TEST(MemEnvTest, AFileRenamedWithoutSyncMayComeBackEmpty) {
  MemEnv env;
  auto file = env.OpenForWrite("/t", WriteMode::kCreateNew);
  ASSERT_TRUE((*file)->Append(AsBytes("new")).ok());
  ASSERT_TRUE(env.Rename("/t", "/a").ok());
  env.Crash(CrashNames::kKept);
  EXPECT_TRUE(env.ContentsOf("/a").empty());
}

TEST(FaultEnvTest, AnAtomicWriteThatFailsAnywhereLeavesTheOldFileOrTheNew) {
  std::uint64_t k = 1;
  for (bool done = false; !done; ++k) {
    ASSERT_LT(k, 50u);
    MemEnv mem;
    ASSERT_TRUE(WriteFileAtomically(mem, "/f", AsBytes("old")).ok());
    FaultEnv env(mem);
    env.FailAt(k);
    const Status status = WriteFileAtomically(env, "/f", AsBytes("new"));
    done = env.operations() < k;
    EXPECT_EQ(status.ok(), done);
    const std::string now(AsText(mem.ContentsOf("/f")));
    EXPECT_TRUE(now == "old" || now == "new") << "k = " << k << ": " << now;
    mem.Crash();
    const std::string after(AsText(mem.ContentsOf("/f")));
    EXPECT_TRUE(after == "old" || after == "new") << "k = " << k << ": " << after;
    if (done) {
      EXPECT_EQ(after, "new");
    }
  }
  EXPECT_EQ(k - 1, 7u) << "open, append, sync, close, rename, sync folder, then none fails";
}

TEST(FaultEnvTest, ADiskThatIsTooSmallIsSaidBeforeItIsFull) {
  MemEnv mem;
  FaultEnv env(mem);
  ASSERT_TRUE(MakeDirs(env, "/a").ok());
  EXPECT_TRUE(CheckFreeSpace(env, "/a/b/c", 1 << 20).ok());
  env.SetFreeSpaceBytes((5 << 20) - 1);
  EXPECT_TRUE(CheckFreeSpace(env, "/a/b/c", 4 << 20).ok());
  const Status full = CheckFreeSpace(env, "/a/b/c", 5 << 20);
  EXPECT_EQ(full.error().code(), ErrorCode::kNoSpace);
  EXPECT_EQ(full.error().message(), "/a/b/c needs about 5 MiB of disk, and 4 are free");
}

TEST(FaultEnvTest, WhetherAFileCouldBeWrittenLeavesNothing) {
  MemEnv mem;
  FaultEnv env(mem);
  ASSERT_TRUE(MakeDirs(env, "/a/b").ok());
  EXPECT_TRUE(CheckWritable(env, "/a/f").ok());
  EXPECT_EQ(mem.ListDir("/a")->size(), 1U);
  EXPECT_EQ(CheckWritable(env, "/a/b").error().message(), "/a/b is a folder");
  EXPECT_EQ(CheckWritable(env, "/none/f").error().message(), "/none/f: there is no folder /none");
  env.FailAt(1);
  EXPECT_EQ(CheckWritable(env, "/a/f").error().code(), ErrorCode::kIo);
}

TEST(FaultEnvTest, FailsOnceWithTheCodeAskedForAndHalfTheBytes) {
  MemEnv mem;
  FaultEnv env(mem);
  env.FailAt(2, FaultSpan::kOnce, ErrorCode::kNoSpace);
  auto file = env.OpenForWrite("/f", WriteMode::kCreateNew);
  EXPECT_EQ((*file)->Append(AsBytes("abcd")).error().code(), ErrorCode::kNoSpace);
  EXPECT_TRUE((*file)->Append(AsBytes("ef")).ok());
  EXPECT_EQ(AsText(mem.ContentsOf("/f")), "abef");
  EXPECT_EQ(env.operations(), 3u);
}

}  // namespace
}  // namespace flair
