// Damage is found and named; garbage goes and nothing else.
// SPDX-License-Identifier: Apache-2.0
#include "store/upkeep.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "object/tree.h"
#include "store/store_testing.h"

namespace flair {
namespace {

const auto kNoObject = [](ObjectKind, const Digest&) { return false; };
const auto kEveryObject = [](ObjectKind, const Digest&) { return true; };

auto Keeping(std::set<Digest> hashes) {
  return [hashes = std::move(hashes)](const Digest& hash) { return hashes.contains(hash); };
}

class UpkeepTest : public testing::Test {
 protected:
  UpkeepTest() : store_(Must(ObjectStore::Open(env_, "/s"))) {}
  void Reopen() { store_ = Must(ObjectStore::Open(env_, "/s")); }
  void Later(std::int64_t seconds) { env_.SetNowNs(env_.NowNs() + seconds * 1'000'000'000); }

  MemEnv env_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(UpkeepTest, AFlippedBitAnywhereInAPackIsReported) {
  {
    const auto batch = Must(store_->Begin());
    Must(batch->PutObject(ObjectKind::kTree, EncodeTree(Tree{})));
    Must(Put(*batch, Weights(3000, 1), kFloat32));
    Must(Put(*batch, Noise(300, 2)));
    Must(Put(*batch, {}));
    EXPECT_OK(batch->Commit());
  }
  const std::string path = "/s/packs/" + Must(env_.ListDir("/s/packs")).front();
  const Bytes good = env_.ContentsOf(path);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::byte>(1 << (at % 8));
    env_.ReplaceContents(path, bad);
    // Damage to the version reads as a newer format, which opening refuses.
    const auto opened = ObjectStore::Open(env_, "/s");
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code(), ErrorCode::kUnsupported) << at;
      EXPECT_TRUE(at >= 8 && at < 12) << at;
      continue;
    }
    const auto damage = Must((*opened)->Verify());
    ASSERT_FALSE(damage.empty()) << "byte " << at << " of " << good.size();
    EXPECT_NE(damage.front().what.find("pack "), std::string::npos) << damage.front().what;
  }
  env_.ReplaceContents(path, good);
  Reopen();
  EXPECT_TRUE(Must(store_->Verify()).empty());
}

TEST_F(UpkeepTest, ACutPackIsReportedAndHidesOnlyItself) {
  const ContentRef lost = PutOne(*store_, Noise(500, 1));
  const std::string path = "/s/packs/" + Must(env_.ListDir("/s/packs")).front();
  const ContentRef kept = PutOne(*store_, Noise(500, 2));
  const Bytes good = env_.ContentsOf(path);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, good.size() / 2, good.size() - 1}) {
    env_.ReplaceContents(path,
                         Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    Reopen();
    EXPECT_TRUE(store_->HasContent(kept.hash));
    EXPECT_FALSE(store_->HasContent(lost.hash));
    // Not "not found": it may be what the damaged pack held.
    EXPECT_ERROR(kCorrupt, store_->ContentBytes(lost.hash));
    EXPECT_EQ(Must(store_->Verify()).size(), 1u);
    EXPECT_ERROR(kCorrupt, store_->CollectGarbage(kNoObject, Keeping({}), 0));
  }
}

TEST_F(UpkeepTest, AReadNamesPackAndOffsetOfDamage) {
  const ContentRef content = PutOne(*store_, Noise(500, 1));
  const std::string name = Must(env_.ListDir("/s/packs")).front();
  Bytes bad = env_.ContentsOf("/s/packs/" + name);
  bad[100] ^= std::byte{1};
  env_.ReplaceContents("/s/packs/" + name, bad);
  Reopen();
  Bytes out(500);
  const Status status = store_->ReadContent(content.hash, 0, out);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kCorrupt);
  EXPECT_NE(status.error().message().find(name + ", offset 24"), std::string::npos)
      << status.error().message();
}

TEST_F(UpkeepTest, GarbageGoesAndTheRestStays) {
  const Bytes kept_bytes = Weights(2 * kMiB, 1);
  ContentRef kept;
  ContentRef garbage;
  Digest kept_tree;
  Digest garbage_file;
  {
    const auto batch = Must(store_->Begin());
    kept_tree = Must(batch->PutObject(ObjectKind::kTree, EncodeTree(Tree{})));
    garbage_file = Must(batch->PutObject(ObjectKind::kFile, ToBytes("garbage")));
    kept = Must(Put(*batch, kept_bytes, kFloat32));
    garbage = Must(Put(*batch, Noise(3 * kMiB, 2)));
    EXPECT_OK(batch->Commit());
  }
  const ContentRef alone = PutOne(*store_, Noise(1000, 3));  // a pack of garbage only
  const std::uint64_t before = store_->StoredBytes();
  Later(100);
  const auto result = Must(store_->CollectGarbage(
      [&](ObjectKind kind, const Digest& id) {
        return kind == ObjectKind::kTree && id == kept_tree;
      },
      Keeping({kept.hash}), 50));
  EXPECT_EQ(result.removed_records, 1u + 4 + 2) << "object; head and blocks; head and block";
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    EXPECT_TRUE(ReadAll(*store_, kept.hash) == kept_bytes);
    EXPECT_TRUE(store_->HasObject(ObjectKind::kTree, kept_tree));
    EXPECT_FALSE(store_->HasObject(ObjectKind::kFile, garbage_file));
    EXPECT_FALSE(store_->HasContent(garbage.hash));
    EXPECT_FALSE(store_->HasContent(alone.hash));
    EXPECT_EQ(store_->StoredBytes(), before - result.freed_bytes);
    EXPECT_TRUE(Must(store_->Verify()).empty());
  }
  // Nothing is left to do.
  EXPECT_EQ(Must(store_->CollectGarbage(kEveryObject, Keeping({kept.hash}), 0)).removed_records,
            0u);
}

TEST_F(UpkeepTest, YoungPacksStay) {
  const ContentRef content = PutOne(*store_, Noise(1000, 1));
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({}), 3600)).removed_records, 0u);
  EXPECT_TRUE(store_->HasContent(content.hash));
  Later(3601);
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({}), 3600)).removed_records, 2u);
  EXPECT_FALSE(store_->HasContent(content.hash));
  EXPECT_EQ(store_->StoredBytes(), 0u);
}

TEST_F(UpkeepTest, BasesOfWhatIsKeptStay) {
  const Bytes first = Weights(kMiB, 1);
  const Bytes second = Trained(first, 2);
  const Bytes third = Trained(second, 3);
  const ContentRef a = PutOne(*store_, first, kFloat32);
  const ContentRef b = PutOne(*store_, second, DeltaTo(a.hash));
  const ContentRef c = PutOne(*store_, third, DeltaTo(b.hash));
  Later(100);
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({c.hash}), 0)).removed_records, 0u);
  Reopen();
  EXPECT_TRUE(ReadAll(*store_, c.hash) == third);
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({b.hash}), 0)).removed_records, 2u);
  EXPECT_TRUE(ReadAll(*store_, b.hash) == second);
  EXPECT_FALSE(store_->HasContent(c.hash));
}

TEST_F(UpkeepTest, ABaseOfAYoungDeltaStays) {
  const Bytes first = Weights(kMiB, 1);
  const ContentRef a = PutOne(*store_, first, kFloat32);
  Later(1000);
  const Bytes second = Trained(first, 2);
  const ContentRef b = PutOne(*store_, second, DeltaTo(a.hash));
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({}), 500)).removed_records, 0u);
  EXPECT_TRUE(ReadAll(*store_, b.hash) == second);
}

TEST_F(UpkeepTest, SecondCopiesGo) {
  const auto other = Must(ObjectStore::Open(env_, "/s"));
  const Bytes bytes = Noise(5000, 1);
  const ContentRef content = PutOne(*store_, bytes);
  PutOne(*other, bytes);  // has not seen the first
  Reopen();
  const std::uint64_t before = store_->StoredBytes();
  Later(10);
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({content.hash}), 0)).removed_records,
            2u);
  EXPECT_EQ(store_->StoredBytes(), before / 2);
  EXPECT_TRUE(ReadAll(*store_, content.hash) == bytes);
}

TEST_F(UpkeepTest, DeltasOnEachOtherInTwoProcessesStayReadable) {
  // One process stores x, then y on x; the other y, then x on y. Whichever copies are
  // chosen, reading ends.
  const auto other = Must(ObjectStore::Open(env_, "/s"));
  const Bytes x = Weights(kMiB, 1);
  const Bytes y = Trained(x, 2);
  const ContentRef cx = PutOne(*store_, x, kFloat32);
  const ContentRef cy = PutOne(*store_, y, DeltaTo(cx.hash));
  PutOne(*other, y, kFloat32);
  PutOne(*other, x, DeltaTo(cy.hash));
  Reopen();
  EXPECT_TRUE(ReadAll(*store_, cx.hash) == x);
  EXPECT_TRUE(ReadAll(*store_, cy.hash) == y);
  EXPECT_TRUE(Must(store_->Verify()).empty());
  Later(10);
  EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping({cx.hash, cy.hash}), 0)).removed_records,
            4u);
  Reopen();
  EXPECT_TRUE(ReadAll(*store_, cx.hash) == x);
  EXPECT_TRUE(ReadAll(*store_, cy.hash) == y);
}

TEST_F(UpkeepTest, AReaderInAnotherProcessFindsWhatWasMoved) {
  const Bytes bytes = Noise(kMiB + 9, 1);
  ContentRef content;
  {
    const auto batch = Must(store_->Begin());
    content = Must(Put(*batch, bytes));
    Must(Put(*batch, Noise(100, 2)));
    EXPECT_OK(batch->Commit());
  }
  const auto other = Must(ObjectStore::Open(env_, "/s"));
  Later(10);
  Must(store_->CollectGarbage(kNoObject, Keeping({content.hash}), 0));
  EXPECT_TRUE(ReadAll(*other, content.hash) == bytes) << "without a Refresh";
}

TEST_F(UpkeepTest, ReadersDoNotNoticeWritersAndCollection) {
  constexpr std::uint64_t kRounds = 30;
  const Bytes first = Weights(2 * kMiB, 1);
  const Bytes second = Trained(first, 2);
  const ContentRef a = PutOne(*store_, first, kFloat32);
  ContentRef b;
  std::set<Digest> kept = {a.hash};
  std::vector<Digest> garbage;
  {
    // One pack: every round drops a little of it and so moves what is read.
    const auto batch = Must(store_->Begin());
    b = Must(Put(*batch, second, DeltaTo(a.hash)));
    for (std::uint64_t i = 0; i < kRounds; ++i) {
      garbage.push_back(Must(Put(*batch, Noise(1000, 100 + i))).hash);
    }
    EXPECT_OK(batch->Commit());
  }
  kept.insert(b.hash);
  kept.insert(garbage.begin(), garbage.end());
  const auto other = Must(ObjectStore::Open(env_, "/s"));
  std::atomic<bool> done{false};
  const auto read = [&](const ObjectStore& store) {
    while (!done) {
      Bytes out(second.size());
      EXPECT_OK(store.ReadContent(b.hash, 0, out));
      EXPECT_TRUE(out == second);
    }
  };
  std::thread here([&] { read(*store_); });
  std::thread there([&] { read(*other); });
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    Later(10);
    kept.erase(garbage[i]);
    EXPECT_EQ(Must(store_->CollectGarbage(kNoObject, Keeping(kept), 0)).removed_records, 2u);
    PutOne(*store_, Noise(500, 1000 + i));
    kept.insert(Blake3(Noise(500, 1000 + i)));
  }
  done = true;
  here.join();
  there.join();
}

TEST_F(UpkeepTest, CollectionThatFailsAnywhereLosesNothing) {
  std::mt19937_64 random(SoakSeed());
  const bool sample = SoakSeed() == 0;
  const Bytes bytes = Weights(sample ? kMiB : 4 + random() % (3 * kMiB), 1);
  const Bytes unwanted = Noise(2 * kMiB + (sample ? 0 : random() % (2 * kMiB)), 9);
  int faults = 0;
  for (std::uint64_t k = 1;; ++k) {
    ASSERT_LT(k, 100u);
    MemEnv mem;
    ContentRef content;
    ContentRef garbage;
    {
      const auto store = Must(OpenStore(mem, "/s", kMiB));
      const auto batch = Must(store->Begin());
      content = Must(Put(*batch, bytes, kFloat32));
      garbage = Must(Put(*batch, unwanted));
      EXPECT_OK(batch->Commit());
      PutOne(*store, Noise(100, 5));
    }
    mem.SetNowNs(mem.NowNs() + 100'000'000'000);
    FaultEnv env(mem);
    bool last = false;
    {
      const auto store = Must(OpenStore(env, "/s", kMiB));
      env.FailAt(k);
      const auto result = store->CollectGarbage(kNoObject, Keeping({content.hash}), 0);
      last = env.operations() < k;
      // Giving up the lease may fail without harm, so success comes a little earlier.
      if (last) {
        EXPECT_TRUE(result.ok());
      }
      mem.Crash();
    }
    const auto store = Must(ObjectStore::Open(mem, "/s"));
    EXPECT_TRUE(ReadAll(*store, content.hash) == bytes) << k;
    EXPECT_TRUE(Must(store->Verify()).empty()) << k;
    EXPECT_OK(store->CollectGarbage(kNoObject, Keeping({content.hash}), 0));
    EXPECT_FALSE(store->HasContent(garbage.hash)) << k;
    EXPECT_TRUE(ReadAll(*store, content.hash) == bytes) << k;
    if (last) break;
    ++faults;
  }
  RecordProperty("faults", faults);
}

}  // namespace
}  // namespace flair
