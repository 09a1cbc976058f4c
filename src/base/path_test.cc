// SPDX-License-Identifier: Apache-2.0
#include "base/path.h"

#include <gtest/gtest.h>

namespace flair {
namespace {

TEST(PathTest, AcceptsOrdinaryNames) {
  const std::string part(255, 'x');
  for (const std::string& path :
       {std::string("a"), std::string("a/b.c"), std::string("weights/model-00001-of-2.safetensors"),
        std::string("\xC3\xA9t\xC3\xA9/\xF0\x9F\x98\x80"), std::string(".gitignore"),
        std::string("x.flair/y"), std::string("..."), std::string("a b"), part,
        part + "/" + part + "/" + part + "/" + part}) {
    EXPECT_TRUE(CheckRepoPath(path).ok()) << path;
  }
}

TEST(PathTest, RefusesWhatATreeMustNotName) {
  const std::string part(255, 'x');
  const std::vector<std::pair<std::string, std::string>> kBad = {
      {"", "is empty"},
      {"/a", "empty part"},
      {"a/", "empty part"},
      {"a//b", "empty part"},
      {".", "\".\""},
      {"a/./b", "\".\""},
      {"..", "\"..\""},
      {"a/../b", "\"..\""},
      {"../a", "\"..\""},
      {".flair/x", "version-control"},
      {"a/.FlAiR", "version-control"},
      {".git", "version-control"},
      {"a/.GIT/b", "version-control"},
      {"a\\b", "backslash"},
      {"c:x", "colon"},
      {std::string("a\0b", 3), "control"},
      {"a\nb", "control"},
      {"a\x7F", "control"},
      {"a\xC2\x9B", "control"},
      {"\xFF", "UTF-8"},
      {"a\xC0\x80", "UTF-8"},
      {"\xED\xA0\x80", "UTF-8"},
      {"\xF4\x90\x80\x80", "UTF-8"},
      {"a\xE2\x82", "UTF-8"},
      {part + "x", "255"},
      {part + "/" + part + "/" + part + "/" + part + "/x", "1024"},
  };
  for (const auto& [path, rule] : kBad) {
    const Status status = CheckRepoPath(path);
    ASSERT_FALSE(status.ok()) << path;
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().message().find(rule), std::string::npos) << status.error().message();
    EXPECT_EQ(status.error().message().find('\n'), std::string::npos);
  }
}

TEST(PathTest, NormalisesWhatAUserTypes) {
  EXPECT_EQ(*NormaliseRepoPath("a//b/./c"), "a/b/c");
  EXPECT_EQ(*NormaliseRepoPath("x/../y"), "y");
  EXPECT_EQ(*NormaliseRepoPath("./a/"), "a");
  for (const char* bad :
       {"", ".", "..", "a/../..", "../x", "/etc/passwd", "a/../../a", "x/../.git"}) {
    EXPECT_EQ(NormaliseRepoPath(bad).error().code(), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(PathTest, FindsNamesThatDifferOnlyByCase) {
  EXPECT_TRUE(CheckNoCaseCollisions({"a", "b", "A/x" + std::string("y"), "c/a"}).error().code() ==
              ErrorCode::kInvalidArgument)
      << "a file a and a folder A";
  EXPECT_TRUE(CheckNoCaseCollisions({"a/x", "a/y", "b/x"}).ok());
  EXPECT_FALSE(CheckNoCaseCollisions({"Model.pt", "model.pt"}).ok());
  EXPECT_FALSE(CheckNoCaseCollisions({"Dir/x", "dir/y"}).ok());
}

TEST(PathTest, JoinsAndFindsParents) {
  EXPECT_EQ(JoinPath("", "a"), "a");
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(ParentPath("a"), "");
  EXPECT_EQ(ParentPath("/x"), "/");
  EXPECT_EQ(ParentPath("a/b/c"), "a/b");
}

}  // namespace
}  // namespace flair
