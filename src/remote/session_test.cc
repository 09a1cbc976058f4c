// SPDX-License-Identifier: Apache-2.0
#include "remote/session.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/mem_env.h"

namespace flair {
namespace {

TEST(SessionTest, TokensOfSeveralHubsLiveInOneFile) {
  MemEnv env;
  const std::string path = "/home/.config/flair/tokens.json";
  EXPECT_FALSE(LoadToken(env, path, "http://a", "w1")->has_value());
  ASSERT_TRUE(SaveToken(env, path, "http://a", {"flr_1", "w1", "t1"}).ok());
  ASSERT_TRUE(SaveToken(env, path, "http://b", {"flr_2", "w2", "t2"}).ok());
  ASSERT_TRUE(SaveToken(env, path, "http://a", {"flr_3", "w1", "t3"}).ok());
  EXPECT_EQ((*LoadToken(env, path, "http://a", "w1"))->token, "flr_3");
  EXPECT_EQ((*LoadToken(env, path, "http://b", ""))->wallet, "w2");
  ASSERT_TRUE(DropToken(env, path, "http://a", "w1").ok());
  EXPECT_FALSE(LoadToken(env, path, "http://a", "w1")->has_value());
  EXPECT_TRUE(LoadToken(env, path, "http://b", "w2")->has_value());
}

TEST(SessionTest, OneWalletNeverActsAsAnother) {
  MemEnv env;
  const std::string path = "/tokens.json";
  ASSERT_TRUE(SaveToken(env, path, "http://a", {"flr_1", "w1", "t1"}).ok());
  ASSERT_TRUE(SaveToken(env, path, "http://a", {"flr_2", "w2", "t2"}).ok());
  EXPECT_EQ((*LoadToken(env, path, "http://a", "w1"))->token, "flr_1");
  EXPECT_EQ((*LoadToken(env, path, "http://a", "w2"))->token, "flr_2");
  EXPECT_FALSE(LoadToken(env, path, "http://a", "w3")->has_value());
  EXPECT_FALSE(LoadToken(env, path, "http://a", "")->has_value());  // which one?
  ASSERT_TRUE(DropToken(env, path, "http://a", "w2").ok());
  EXPECT_TRUE(LoadToken(env, path, "http://a", "w1")->has_value());
  EXPECT_FALSE(LoadToken(env, path, "http://a", "w2")->has_value());
}

TEST(SessionTest, AFileOfTheFirstFormKeepsItsSession) {
  MemEnv env;
  const std::string path = "/tokens.json";
  const std::string old =
      R"({"hubs":{"http://a":{"token":"flr_1","wallet":"w1","expires_at":"t1"}}})";
  ASSERT_TRUE(WriteFileAtomically(env, path, AsBytes(old)).ok());
  EXPECT_EQ((*LoadToken(env, path, "http://a", "w1"))->expires_at, "t1");
  EXPECT_FALSE(LoadToken(env, path, "http://a", "w2")->has_value());
  ASSERT_TRUE(SaveToken(env, path, "http://a", {"flr_2", "w2", "t2"}).ok());
  EXPECT_EQ((*LoadToken(env, path, "http://a", "w1"))->token, "flr_1");
}

TEST(SessionTest, ABrokenTokenFileIsNamed) {
  MemEnv env;
  ASSERT_TRUE(WriteFileAtomically(env, "/tokens.json", AsBytes("{\"hubs\":")).ok());
  const auto token = LoadToken(env, "/tokens.json", "http://a", "w1");
  ASSERT_FALSE(token.ok());
  EXPECT_EQ(token.error().code(), ErrorCode::kCorrupt);
  EXPECT_NE(token.error().message().find("/tokens.json"), std::string::npos);
}

TEST(SessionTest, NobodyElseMayReadTheTokens) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("flair-tokens-" + std::to_string(getpid())))
          .string();
  const std::string path = folder + "/tokens.json";
  ASSERT_TRUE(SaveToken(PosixEnv(), path, "http://a", {"flr_1", "w", ""}).ok());
  ASSERT_TRUE(SaveToken(PosixEnv(), path, "http://b", {"flr_2", "w", ""}).ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flair
