// Every operation that can fail fails once, every crash happens once: what the store
// shows afterwards is the state before the batch or the state after, whole.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "object/tree.h"
#include "store/object_store.h"
#include "store/publish.h"
#include "store/store_testing.h"
#include "store/upkeep.h"

namespace flair {
namespace {

// Packs of 2 MiB: the batch below has three, so that it needs the pending file.
std::unique_ptr<ObjectStore> OpenSmall(Env& env) { return Must(OpenStore(env, "/s", 2 * kMiB)); }

struct Change {
  Bytes large = Noise(3 * kMiB + 7, 1);
  Bytes small = Weights(3000, 2);
  Bytes tree = EncodeTree(Tree{});

  // Other sizes for every seed: one pack to five. Seed 0 is the change above.
  static Change OfSeed(std::uint64_t seed) {
    Change change;
    if (seed == 0) return change;
    std::mt19937_64 random(seed);
    change.large = Noise(1 + random() % (8 * kMiB), seed);
    change.small = Weights(4 + random() % 100'000, seed + 1);
    return change;
  }
  // More than one pack holds: the batch goes through the pending file.
  bool needs_several_packs() const { return large.size() > 2 * kMiB; }

  Status Apply(ObjectStore& store) const {
    FLAIR_TRY(const auto batch, store.Begin());
    FLAIR_DO(batch->PutObject(ObjectKind::kTree, tree));
    FLAIR_DO(Put(*batch, small, kFloat32));
    FLAIR_DO(Put(*batch, large));
    return batch->Commit();
  }
  // How many of the three are there.
  int Visible(const ObjectStore& store) const {
    return (store.HasObject(ObjectKind::kTree, Must(ComputeObjectId(ObjectKind::kTree, tree)))
                ? 1
                : 0) +
           (store.HasContent(Blake3(small)) ? 1 : 0) + (store.HasContent(Blake3(large)) ? 1 : 0);
  }
};

class DurabilityTest : public testing::Test {
 protected:
  // A store that holds `before_`, durably.
  std::unique_ptr<MemEnv> Fresh() const {
    auto env = std::make_unique<MemEnv>();
    const auto store = OpenSmall(*env);
    PutOne(*store, before_);
    return env;
  }
  void ExpectOldOrNew(Env& env, bool committed, const std::string& when) const {
    const auto store = OpenSmall(env);
    const int visible = change_.Visible(*store);
    EXPECT_TRUE(visible == 0 || visible == 3) << when << ": " << visible << " of 3 visible";
    if (committed) {
      EXPECT_EQ(visible, 3) << when;
    }
    EXPECT_TRUE(store->HasContent(Blake3(before_))) << when;
    const auto damage = Must(store->Verify());
    EXPECT_TRUE(damage.empty()) << when << ": " << damage.front().what;
    EXPECT_TRUE(Must(env.ListDir("/s/tmp")).empty()) << when << ": leftovers";
    for (const std::string& name : Must(env.ListDir("/s/packs"))) {
      EXPECT_NE(name.find(".pack"), std::string::npos) << when << ": " << name;
    }
    // And it goes on working.
    if (visible == 0) {
      EXPECT_OK(change_.Apply(*store));
      EXPECT_EQ(change_.Visible(*store), 3) << when;
    }
  }

  Change change_;
  Bytes before_ = Weights(5000, 3);
};

TEST_F(DurabilityTest, FailingAnyOperationLeavesTheOldStateOrTheNew) {
  change_ = Change::OfSeed(SoakSeed());
  int faults = 0;
  for (const FaultSpan span : {FaultSpan::kOnce, FaultSpan::kForever}) {
    std::uint64_t operations = 0;
    for (std::uint64_t k = 1; operations == 0 || k <= operations; ++k) {
      ASSERT_LT(k, 500u);
      const auto mem = Fresh();
      FaultEnv env(*mem);
      bool ok = false;
      {
        const auto store = OpenSmall(env);
        env.FailAt(k, span);
        const Status status = change_.Apply(*store);
        ok = status.ok();
        if (!ok) {
          EXPECT_EQ(status.error().code(), ErrorCode::kIo) << status.error().message();
        }
        if (env.operations() < k) operations = k - 1;
      }
      env.Heal();
      const std::string when = "operation " + std::to_string(k);
      ExpectOldOrNew(*mem, ok, when);
      if (operations != 0) {
        EXPECT_GT(operations, change_.needs_several_packs() ? 20u : 5u);
        break;
      }
      ++faults;
    }
  }
  RecordProperty("faults", faults);
}

TEST_F(DurabilityTest, ACrashAtAnyOperationLeavesTheOldStateOrTheNew) {
  change_ = Change::OfSeed(SoakSeed());
  int faults = 0;
  for (const CrashNames names : {CrashNames::kLost, CrashNames::kKept}) {
    for (std::uint64_t k = 1;; ++k) {
      ASSERT_LT(k, 500u);
      const auto mem = Fresh();
      FaultEnv env(*mem);
      bool ok = false;
      bool last = false;
      {
        const auto store = OpenSmall(env);
        env.FailAt(k);
        const Status status = change_.Apply(*store);
        ok = status.ok();
        last = env.operations() < k;
        mem->Crash(names);  // before destructors clean up: nothing they do counts
      }
      ExpectOldOrNew(*mem, ok, "crash at operation " + std::to_string(k));
      if (last) break;
      ++faults;
    }
  }
  RecordProperty("faults", faults);
}

TEST_F(DurabilityTest, ASyncThatFailsFailsTheBatchForGood) {
  MemEnv mem;
  FaultEnv env(mem);
  const auto store = OpenSmall(env);
  // Lease, open, then the writes of a pack that fills, then its sync.
  for (std::uint64_t k = 1; k < 200; ++k) {
    const auto batch = Must(store->Begin());
    env.FailAt(k, FaultSpan::kOnce);
    const auto first = Put(*batch, change_.large);
    const bool failed = !first.ok();
    env.Heal();
    const Status commit = batch->Commit();
    if (failed) {
      EXPECT_FALSE(commit.ok()) << "operation " << k;
      EXPECT_EQ(change_.Visible(*store), 0);
    }
    if (env.operations() < k) break;
    if (commit.ok()) break;
  }
}

TEST_F(DurabilityTest, AFullDiskIsToldAsOne) {
  MemEnv mem;
  FaultEnv env(mem);
  const auto store = OpenSmall(env);
  env.FailAt(3, FaultSpan::kForever, ErrorCode::kNoSpace);
  EXPECT_ERROR(kNoSpace, change_.Apply(*store));
}

TEST_F(DurabilityTest, RecoveryLeavesALivingBatchAlone) {
  MemEnv env;
  const auto writer = OpenSmall(env);
  const auto batch = Must(writer->Begin());
  const ContentRef content = Must(Put(*batch, change_.large));
  EXPECT_FALSE(Must(env.ListDir("/s/tmp")).empty());
  const auto other = OpenSmall(env);  // recovers
  EXPECT_OK(batch->Commit());
  EXPECT_OK(other->Refresh());
  EXPECT_TRUE(ReadAll(*other, content.hash) == change_.large);
}

TEST_F(DurabilityTest, PacksOfAPendingBatchAreInvisible) {
  MemEnv env;
  const auto store = OpenSmall(env);
  EXPECT_OK(change_.Apply(*store));
  const auto names = Must(env.ListDir("/s/packs"));
  ASSERT_EQ(names.size(), 3u);
  const std::string nonce = "0123456789abcdef";
  const auto lock = Must(env.Lock("/s/tmp/" + nonce + ".lock"));
  EXPECT_OK(WriteFileAtomically(env, "/s/packs/" + nonce + ".pending",
                                AsBytes(names[0] + "\n" + names[1] + "\n" + names[2] + "\n")));
  EXPECT_EQ(change_.Visible(*OpenSmall(env)), 0);
  EXPECT_TRUE(Must(VisiblePacks(env, "/s")).empty());
}

TEST_F(DurabilityTest, AStoreOnARealDiskWorksToo) {
  std::string pattern = testing::TempDir() + "/flair-store-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  {
    const auto store = Must(ObjectStore::Open(PosixEnv(), folder + "/objects"));
    EXPECT_OK(change_.Apply(*store));
  }
  const auto store = Must(ObjectStore::Open(PosixEnv(), folder + "/objects"));
  EXPECT_EQ(change_.Visible(*store), 3);
  EXPECT_TRUE(ReadAll(*store, Blake3(change_.large)) == change_.large);
  EXPECT_TRUE(Must(store->Verify()).empty());
  EXPECT_OK(RemoveTree(PosixEnv(), folder));
}

}  // namespace
}  // namespace flair
