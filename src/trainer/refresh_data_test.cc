// Registered data committed to anew, with the proof that they are the same.
// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "base/path.h"
#include "base/sanitizers_testing.h"
#include "data/prover/registered_testing.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/opening_book.h"

namespace flair::trainer {
namespace {

using data::kFolder;
using data::kRequest;
using testing::HasSubstr;

class RefreshDataTest : public testing::Test {
 protected:
  RefreshDataTest() { Register(env_); }

  static void Register(Env& env) {
    data::PutData(env);
    ASSERT_TRUE(data::RegisterData(env, kFolder, kRequest).ok());
  }
  static proof::MatrixId Committed(Env& env) {
    const data::DataCard card = data::ReadCard(env, kFolder).value();
    return {.shape = card.shape, .root = card.root};
  }
  static std::uint64_t NumLeft(Env& env, const proof::MatrixId& matrix) {
    const std::string book = JoinPath(kFolder, std::string(data::kOpeningsFolder));
    return proof::OpeningBook::NumLeft(env, book, matrix).value();
  }
  static Digest Wallet() {
    Digest wallet;
    wallet.bytes.fill(std::byte{3});
    return wallet;
  }

  MemEnv env_;
};

TEST_F(RefreshDataTest, CardsAreTiedToEachOtherLinkByLink) {
  proof::MatrixId last = Committed(env_);
  for (std::uint64_t generation = 1; generation <= 2; ++generation) {
    const auto made = RefreshDataProven(env_, kFolder, Wallet());
    ASSERT_TRUE(made.ok()) << made.error().message();
    EXPECT_EQ(made->card.generation, generation);
    const Bytes proof = ReadFile(env_, made->proof_path, 1 << 28).value();
    const Bytes text = ReadFile(env_, made->statement_path, 1 << 16).value();
    const proof::RefreshClaim claim = proof::DecodeRefresh(AsText(text)).value();
    EXPECT_EQ(claim.before, last);
    last = Committed(env_);
    EXPECT_EQ(claim.after, last);
    ASSERT_TRUE(claim.cards);
    EXPECT_EQ((*claim.cards)[1], made->card);
    EXPECT_EQ(claim.wallet, Wallet());
    EXPECT_FALSE(Exists(env_, JoinPath(kFolder, "refresh.pending")));
    const auto bits = proof::VerifyRefresh(claim, proof);
    ASSERT_TRUE(bits.ok()) << bits.error().message();
    EXPECT_GE(*bits, 100);
    // What the holder opens is the new one.
    EXPECT_EQ(data::OpenData(env_, kFolder)->matrix.root(), last.root);
    for (const proof::MatrixId& matrix : {claim.before, claim.after}) {
      EXPECT_LT(NumLeft(env_, matrix), matrix.shape.num_pads);
    }
  }
  EXPECT_TRUE(Exists(env_, JoinPath(kFolder, "refresh-1.proof")));
  EXPECT_TRUE(Exists(env_, JoinPath(kFolder, "refresh-2.proof")));
}

TEST_F(RefreshDataTest, AUsedUpCommitmentHasNoProofAndStays) {
  const proof::MatrixId used = Committed(env_);
  {
    auto book = proof::OpeningBook::Open(env_, JoinPath(kFolder, "openings"));
    std::vector<std::uint64_t> columns(used.shape.num_pads);
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;
    ASSERT_TRUE(book->Reserve(used, columns).ok());
  }
  const auto refused = RefreshDataProven(env_, kFolder, Wallet());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(refused.error().hint(), HasSubstr("--no-proof"));
  EXPECT_EQ(Committed(env_), used);
  EXPECT_FALSE(Exists(env_, JoinPath(kFolder, "refresh-1.proof")));
  EXPECT_TRUE(data::RefreshData(env_, kFolder).ok());
}

// Of data that changed there is nothing to be proven.
TEST_F(RefreshDataTest, OtherDataAreRefused) {
  data::Put(env_, "/d/y.npy",
            data::Npy(">i2", "(3,)", data::Elements(2, data::ByteOrder::kBig, {0, 1, 1})));
  const auto refused = RefreshDataProven(env_, kFolder, Wallet());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("no longer"));
}

// Wherever it is stopped, by a disk that fails or a power cut: the old card or the new one, no
// proof that is not counted, and whoever refreshes next spends no opening a second time.
TEST_F(RefreshDataTest, AStoppedOneIsGoneOnWith) {
  for (const CrashNames names : {CrashNames::kLost, CrashNames::kKept}) {
    for (std::uint64_t k = 1;; k += kEachFailure) {
      MemEnv disk;
      Register(disk);
      const proof::MatrixId before = Committed(disk);
      FaultEnv env(disk);
      env.FailAt(k);
      const bool failed = !RefreshDataProven(env, kFolder, Wallet()).ok();
      env.Heal();
      disk.Crash(names);
      if (Exists(disk, JoinPath(kFolder, "refresh-1.proof"))) {
        EXPECT_LT(NumLeft(disk, before), before.shape.num_pads) << "after failure " << k;
      }
      // Never a new card without its proof.
      const auto held = data::OpenData(disk, kFolder);
      ASSERT_TRUE(held.ok()) << held.error().message();
      if (held->card.generation == 1) {
        EXPECT_TRUE(Exists(disk, JoinPath(kFolder, "refresh-1.statement.json"))) << k;
        EXPECT_LT(NumLeft(disk, Committed(disk)), before.shape.num_pads);
      }
      if (failed) {
        const auto again = RefreshDataProven(disk, kFolder, Wallet());
        ASSERT_TRUE(again.ok()) << k << again.error().message();
        EXPECT_EQ(again->claim.before, before);
      }
      EXPECT_EQ(data::OpenData(disk, kFolder)->card.generation, 1U);
      const Bytes proof = ReadFile(disk, JoinPath(kFolder, "refresh-1.proof"), 1 << 28).value();
      const Bytes text =
          ReadFile(disk, JoinPath(kFolder, "refresh-1.statement.json"), 1 << 16).value();
      const proof::RefreshClaim claim = proof::DecodeRefresh(AsText(text)).value();
      EXPECT_TRUE(proof::VerifyRefresh(claim, proof).ok());
      EXPECT_EQ(claim.after, Committed(disk));
      for (const proof::MatrixId& matrix : {before, claim.after}) {
        const std::uint64_t each = zk::NumQueries(matrix.shape.row_length(), matrix.shape.n());
        EXPECT_GE(NumLeft(disk, matrix), matrix.shape.num_pads - each) << k;
      }
      EXPECT_TRUE(!failed || !Exists(disk, JoinPath(kFolder, "refresh.pending"))) << k;
      if (!failed) {
        EXPECT_GT(k, 20U);
        break;
      }
    }
  }
}

// What waits is of this card and this wallet, or it is left.
TEST_F(RefreshDataTest, AStoppedOneOfSomethingElseIsNotGoneOnWith) {
  const std::string pending = JoinPath(kFolder, "refresh.pending");
  const auto stop = [&] {
    const std::uint64_t last = [&] {
      MemEnv disk;
      Register(disk);
      FaultEnv env(disk);
      EXPECT_TRUE(RefreshDataProven(env, kFolder, Wallet()).ok());
      return env.operations();
    }();
    FaultEnv env(env_);
    env.FailAt(last - 5);
    EXPECT_FALSE(RefreshDataProven(env, kFolder, Wallet()).ok());
    EXPECT_TRUE(Exists(env_, pending));
    EXPECT_EQ(data::ReadCard(env_, kFolder)->generation, 0U);
  };
  stop();
  Digest other;
  const auto made = RefreshDataProven(env_, kFolder, other);
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ(made->claim.wallet, other);
  EXPECT_EQ(made->card.generation, 1U);
  // Without a proof there is nothing to go on with.
  Register(env_ = MemEnv());
  stop();
  EXPECT_EQ(RefreshDataUnproven(env_, kFolder)->generation, 1U);
  EXPECT_FALSE(Exists(env_, pending));
  // A file that is none is named.
  ASSERT_TRUE(WriteFileAtomically(env_, pending, AsBytes("FLRW")).ok());
  const auto refused = RefreshDataProven(env_, kFolder, Wallet());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kCorrupt);
}

// Attack on one's own budget: a card is read, another process replaces it, and its matrix is
// opened.
TEST_F(RefreshDataTest, WhoeverRefreshesHasTheLock) {
  const auto book = proof::OpeningBook::Open(env_, JoinPath(kFolder, "openings"));
  ASSERT_TRUE(book.ok());
  EXPECT_EQ(RefreshDataProven(env_, kFolder, Wallet()).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(RefreshDataUnproven(env_, kFolder).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(data::ReadCard(env_, kFolder)->generation, 0U);
  // Nothing is made in a folder of something else.
  EXPECT_EQ(RefreshDataUnproven(env_, "/nothing").error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(Exists(env_, "/nothing"));
}

}  // namespace
}  // namespace flair::trainer
