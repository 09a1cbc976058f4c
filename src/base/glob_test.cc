// SPDX-License-Identifier: Apache-2.0
#include "base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace flair {
namespace {

TEST(GlobTest, AgreesWithTheTable) {
  const struct {
    const char* pattern;
    const char* text;
    GlobKind kind;
    bool matches;
  } kRows[] = {
      {"", "", GlobKind::kName, true},
      {"", "a", GlobKind::kName, false},
      {"a", "a", GlobKind::kName, true},
      {"conv*", "conv1.weight", GlobKind::kName, true},
      {"*.weight", "conv1.weight", GlobKind::kName, true},
      {"*.bias", "conv1.weight", GlobKind::kName, false},
      {"*a*b*c", "xxaxxbxxc", GlobKind::kName, true},
      {"*a*b*c", "xxaxxcxxb", GlobKind::kName, false},
      {"a?c", "abc", GlobKind::kName, true},
      {"a?c", "ac", GlobKind::kName, false},
      {"layer[0-3]", "layer2", GlobKind::kName, true},
      {"layer[0-3]", "layer4", GlobKind::kName, false},
      {"layer[!0-3]", "layer4", GlobKind::kName, true},
      {"[]x]", "]", GlobKind::kName, true},
      {"[ab", "[ab", GlobKind::kName, true},
      {"\\*", "*", GlobKind::kName, true},
      {"\\*", "a", GlobKind::kName, false},
      {"*", "a/b", GlobKind::kName, true},
      {"*", "a/b", GlobKind::kPath, false},
      {"a?b", "a/b", GlobKind::kPath, false},
      {"a[!x]b", "a/b", GlobKind::kPath, false},
      {"*/*", "a/b", GlobKind::kPath, true},
      {"**", "a/b/c", GlobKind::kPath, true},
      {"a/**", "a/b/c", GlobKind::kPath, true},
      {"a/**", "b/c", GlobKind::kPath, false},
      {"**/c", "c", GlobKind::kPath, true},
      {"**/c", "a/b/c", GlobKind::kPath, true},
      {"**/c", "a/bc", GlobKind::kPath, false},
      {"a/**/c", "a/c", GlobKind::kPath, true},
      {"a/**/c", "a/x/y/c", GlobKind::kPath, true},
      {"a/**/c", "a/xc", GlobKind::kPath, false},
      {"a/**/c", "ac", GlobKind::kPath, false},
      {"**/*.pt", "runs/a/model.pt", GlobKind::kPath, true},
      {"*.pt", "runs/model.pt", GlobKind::kPath, false},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(GlobMatch(row.pattern, row.text, row.kind), row.matches)
        << row.pattern << " on " << row.text;
  }
}

// Backtracking matchers need exponential time here.
TEST(GlobTest, AHostilePatternIsStillFast) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  pattern += "b";
  EXPECT_FALSE(GlobMatch(pattern, std::string(2000, 'a'), GlobKind::kName));
}

TEST(GlobTest, OnlyWildcardsMakeAGlob) {
  EXPECT_TRUE(IsGlob("a*"));
  EXPECT_TRUE(IsGlob("a?"));
  EXPECT_TRUE(IsGlob("[a]"));
  EXPECT_FALSE(IsGlob("model.safetensors"));
}

}  // namespace
}  // namespace flair
