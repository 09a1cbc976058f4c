// What a disk that fails, or loses its power, leaves of a registration and of a refresh.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "data/prover/registered_testing.h"

namespace flair::data {
namespace {

using testing::AnyOf;

// For every change of the disk that fails, and every power cut after it: `change` fails with kIo,
// and what is there is `whole` or what was there before.
void AtEveryFault(const std::function<void(MemEnv&)>& before,
                  const std::function<Status(Env&)>& change,
                  const std::function<void(Env&, bool done)>& look) {
  for (const CrashNames names : {CrashNames::kLost, CrashNames::kKept}) {
    for (std::uint64_t k = 1;; ++k) {
      MemEnv disk;
      before(disk);
      FaultEnv env(disk);
      env.FailAt(k);
      const Status status = change(env);
      env.Heal();
      look(disk, status.ok());
      disk.Crash(names);
      look(disk, status.ok());
      if (status.ok()) {
        EXPECT_GT(k, 5U);
        break;
      }
      ASSERT_EQ(status.error().code(), ErrorCode::kIo) << status.error().message();
    }
  }
}

TEST(RegisteredDataFaultTest, AtEveryFailureOfTheDiskASetIsRegisteredOrNot) {
  AtEveryFault(
      PutData,
      [](Env& env) -> Status {
        FLAIR_DO(RegisterData(env, kFolder, kRequest));
        return OkStatus();
      },
      [](Env& env, bool done) {
        const auto held = OpenData(env, kFolder);
        if (held.ok()) {
          EXPECT_EQ(held->set.columns.at(0), kImages);
          return;
        }
        EXPECT_FALSE(done);
        EXPECT_EQ(held.error().code(), ErrorCode::kNotFound) << held.error().message();
      });
}

TEST(RegisteredDataFaultTest, ADiskThatIsTooSmallIsSaidBeforeTheWork) {
  MemEnv disk;
  PutData(disk);
  FaultEnv env(disk);
  env.SetFreeSpaceBytes(1 << 10);
  const auto refused = RegisterData(env, kFolder, kRequest);
  EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("MiB of disk"));
  EXPECT_FALSE(Exists(disk, kFolder));
}

TEST(RegisteredDataFaultTest, AfterAFailureASetCanBeRegistered) {
  for (std::uint64_t k = 1; k < 8; ++k) {
    MemEnv disk;
    PutData(disk);
    FaultEnv env(disk);
    env.FailAt(k);
    ASSERT_EQ(RegisterData(env, kFolder, kRequest).error().code(), ErrorCode::kIo) << k;
    env.Heal();
    EXPECT_TRUE(RegisterData(env, kFolder, kRequest).ok());
    EXPECT_TRUE(OpenData(env, kFolder).ok());
  }
}

TEST(RegisteredDataFaultTest, AtEveryFailureOfTheDiskASetIsRefreshedOrNot) {
  AtEveryFault(
      [](MemEnv& env) {
        PutData(env);
        ASSERT_TRUE(RegisterData(env, kFolder, kRequest).ok());
      },
      [](Env& env) -> Status {
        FLAIR_DO(RefreshData(env, kFolder));
        return OkStatus();
      },
      [](Env& env, bool done) {
        const auto held = OpenData(env, kFolder);
        ASSERT_TRUE(held.ok()) << held.error().message();
        EXPECT_THAT(held->card.generation, AnyOf(done ? 1U : 0U, 1U));
        EXPECT_EQ(held->set.columns.at(1), kLabels);
      });
}

}  // namespace
}  // namespace flair::data
