// Registered data committed to anew, with the proof that they are the same.
// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "base/path.h"
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

TEST_F(RefreshDataTest, NoProofIsSeenThatIsNotCounted) {
  for (std::uint64_t k = 1;; ++k) {
    MemEnv disk;
    Register(disk);
    const proof::MatrixId before = Committed(disk);
    FaultEnv env(disk);
    env.FailAt(k);
    const bool failed = !RefreshDataProven(env, kFolder, Wallet()).ok();
    env.Heal();
    if (Exists(disk, JoinPath(kFolder, "refresh-1.proof"))) {
      EXPECT_LT(NumLeft(disk, before), before.shape.num_pads) << "after failure " << k;
    }
    // The old card or the new one, never a new one without its proof.
    const auto held = data::OpenData(disk, kFolder);
    ASSERT_TRUE(held.ok()) << held.error().message();
    if (held->card.generation == 1) {
      EXPECT_TRUE(Exists(disk, JoinPath(kFolder, "refresh-1.statement.json"))) << k;
      EXPECT_LT(NumLeft(disk, Committed(disk)), before.shape.num_pads);
    }
    if (!failed) {
      EXPECT_GT(k, 8U);
      EXPECT_EQ(held->card.generation, 1U);
      break;
    }
    // And once more, with what the failure left behind.
    EXPECT_TRUE(held->card.generation == 1 || RefreshDataProven(disk, kFolder, Wallet()).ok());
  }
}

}  // namespace
}  // namespace flair::trainer
