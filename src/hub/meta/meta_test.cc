// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "hub/hub_testing.h"
#include "hub/meta/audit.h"
#include "hub/meta/refs.h"

namespace flair::hub {
namespace {

using testing::HasSubstr;

CommitId Fake(int number) {
  CommitId id;
  id.digest.bytes[0] = static_cast<std::byte>(number);
  return id;
}

class MetaTest : public testing::Test {
 protected:
  MetaTest() {
    RepoRow repo;
    repo.id = "r";
    repo.owner = "o";
    repo.name = "n";
    repo.default_branch = "main";
    Get(hub_.db().Write([&](Database& db) { return InsertRepo(db, repo); }));
  }
  Status Move(std::optional<CommitId> from, std::optional<CommitId> to,
              const std::string& name = "heads/main") {
    return hub_.db().Write([&](Database& db) {
      return MoveRef(db,
                     {.repo_id = "r",
                      .name = name,
                      .expected_old = from,
                      .to = to,
                      .actor = "w",
                      .reason = "test"},
                     7);
    });
  }
  std::optional<CommitId> At(const std::string& name = "heads/main") {
    return Get(Query(hub_.db(), [&](Database& db) { return ReadRef(db, "r", name); }));
  }
  Status Raw(const std::string& sql) {
    return hub_.db().Write([&](Database& db) { return db.Exec(sql); });
  }

  TestHub hub_;
};

TEST_F(MetaTest, ARefMovesOnlyFromWhereItIs) {
  Get(Move({}, Fake(1)));
  EXPECT_EQ(Move({}, Fake(2)).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Move(Fake(2), Fake(3)).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(At(), Fake(1));
  Get(Move(Fake(1), Fake(2)));
  EXPECT_EQ(At(), Fake(2));
  Get(Move(Fake(2), {}));
  EXPECT_EQ(At(), std::nullopt);
}

TEST_F(MetaTest, OfManyWhoMoveARefOneWins) {
  Get(Move({}, Fake(1)));
  std::atomic<int> winners{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      if (Move(Fake(1), Fake(100 + i)).ok()) ++winners;
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(winners, 1);
}

TEST_F(MetaTest, RefNamesArePlain) {
  for (const char* bad : {"main", "heads/", "heads//a", "heads/../a", "heads/a b", "heads/a~1",
                          "heads/a^", "heads/@", "heads/a*", "heads/a\nb", "proposals/1", "HEAD"}) {
    EXPECT_EQ(CheckRefName(bad).ok(), false) << bad;
  }
  for (const char* good : {"heads/main", "heads/feature/x", "tags/v1.0", "aliases/prod"}) {
    EXPECT_TRUE(CheckRefName(good).ok()) << good;
  }
}

TEST_F(MetaTest, AFailedTransactionLeavesNothing) {
  const Status status = hub_.db().Write([&](Database& db) -> Status {
    FLAIR_DO(MoveRef(db,
                     {.repo_id = "r",
                      .name = "heads/main",
                      .expected_old = {},
                      .to = Fake(1),
                      .actor = "w",
                      .reason = "test"},
                     7));
    return Error(ErrorCode::kPolicyViolation, "no");
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(At(), std::nullopt);
  const auto entries =
      Get(Query(hub_.db(), [](Database& db) { return ListAudit(db, "r", 0, 10); }));
  EXPECT_TRUE(entries.empty());
}

TEST_F(MetaTest, TheAuditLogTellsEachMoveAndHoldsTogether) {
  Get(Move({}, Fake(1)));
  Get(Move(Fake(1), Fake(2)));
  const auto entries =
      Get(Query(hub_.db(), [](Database& db) { return ListAudit(db, "r", 0, 10); }));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].action, "ref.move");
  EXPECT_THAT(entries[1].detail, HasSubstr(Fake(2).ToHex()));
  Get(hub_.db().Read([](Database& db) { return VerifyAudit(db); }));
}

TEST_F(MetaTest, TheAuditLogRefusesToForget) {
  Get(Move({}, Fake(1)));
  EXPECT_FALSE(Raw("UPDATE audit SET actor='x'").ok());
  EXPECT_FALSE(Raw("DELETE FROM audit").ok());
}

TEST_F(MetaTest, AChangedOrMissingAuditRowIsFound) {
  for (const char* tampering :
       {"UPDATE audit SET actor='x' WHERE number=2", "DELETE FROM audit WHERE number=2",
        "UPDATE audit SET detail='{}' WHERE number=1",
        "UPDATE audit SET time_s=8 WHERE number=3"}) {
    TestHub fresh;
    for (int i = 0; i < 3; ++i) {
      Get(fresh.db().Write(
          [&](Database& db) { return AppendAudit(db, i, "r", "w", "act", "{\"a\":1}"); }));
    }
    Get(fresh.db().Read([](Database& db) { return VerifyAudit(db); }));
    Get(fresh.db().Write([](Database& db) { return db.Exec("DROP TRIGGER audit_never_changes"); }));
    Get(fresh.db().Write([](Database& db) { return db.Exec("DROP TRIGGER audit_never_shrinks"); }));
    Get(fresh.db().Write([&](Database& db) { return db.Exec(tampering); }));
    const Status status = fresh.db().Read([](Database& db) { return VerifyAudit(db); });
    ASSERT_FALSE(status.ok()) << tampering;
    EXPECT_EQ(status.error().code(), ErrorCode::kCorrupt);
  }
}

TEST_F(MetaTest, ACommitIsFoundByPrefixOfSixDigits) {
  const CommitId a = CommitId{Digest::FromHex("abcdef01" + std::string(56, '0')).value()};
  const CommitId b = CommitId{Digest::FromHex("abcdef02" + std::string(56, '0')).value()};
  Get(hub_.db().Write([&](Database& db) -> Status {
    FLAIR_DO(InsertCommit(db, "r", a, 1));
    return InsertCommit(db, "r", b, 1);
  }));
  const auto resolve = [&](std::string_view text) {
    return Query(hub_.db(), [&](Database& db) { return ResolveCommit(db, "r", text); });
  };
  EXPECT_EQ(Get(resolve("abcdef01")), a);
  EXPECT_EQ(Get(resolve(b.ToHex())), b);
  EXPECT_EQ(resolve("abcdef").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(resolve("abcde").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(resolve("012345").error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace flair::hub
