// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "remote/hub_api.h"

namespace flair {
namespace {

CommitId CommitOf(char digit) { return *CommitId::FromHex(std::string(64, digit)); }

struct Case {
  Commit commit;
  wire::MergeRequest request;
  wire::PreparedMerge prepared;

  Case() {
    const Wallet author = Keypair::FromSeed({}).wallet();
    commit.tree = TreeId{CommitOf('9').digest};
    commit.parents = {CommitOf('f'), CommitOf('1'), CommitOf('2')};
    commit.author = author;
    commit.time_s = 1'770'000'000;
    commit.message = "round 1";
    commit.merge = MergeRecipe{.method = "fedavg",
                               .base = CommitOf('f'),
                               .alpha = {1U << 23, 1U << 23},
                               .parameters = {},
                               .unknown = {}};
    request.author = author.ToBase58();
    request.time_s = commit.time_s;
    request.message = commit.message;
    request.method = "fedavg";
  }
  Result<Commit> Check() {
    if (prepared.commit_body.empty()) prepared.commit_body = EncodeCommit(commit);
    if (prepared.commit_id.empty()) prepared.commit_id = IdOf(commit).ToHex();
    return CheckPreparedMerge(prepared, request, CommitOf('f'), {CommitOf('2'), CommitOf('1')});
  }
};

TEST(MergeCheckTest, AcceptsWhatWasAskedFor) {
  Case c;
  const auto checked = c.Check();
  ASSERT_TRUE(checked.ok()) << checked.error().message();
  EXPECT_EQ(IdOf(*checked), IdOf(c.commit));
}

TEST(MergeCheckTest, SignsNothingElse) {
  const struct {
    const char* what;
    std::function<void(Case&)> corrupt;
  } kCases[] = {
      {"another id", [](Case& c) { c.prepared.commit_id = std::string(64, 'a'); }},
      {"a broken body", [](Case& c) { c.prepared.commit_body = ToBytes("x"); }},
      {"another tip", [](Case& c) { c.commit.parents[0] = CommitOf('e'); }},
      {"a parent missing", [](Case& c) { c.commit.parents.pop_back(); }},
      {"a parent more", [](Case& c) { c.commit.parents.push_back(CommitOf('3')); }},
      {"a parent swapped", [](Case& c) { c.commit.parents[2] = CommitOf('3'); }},
      {"another author",
       [](Case& c) { c.commit.author = Keypair::FromSeed({std::byte{1}}).wallet(); }},
      {"another time", [](Case& c) { c.commit.time_s += 1; }},
      {"another message", [](Case& c) { c.commit.message = "evil"; }},
      {"no recipe", [](Case& c) { c.commit.merge.reset(); }},
      {"another method", [](Case& c) { c.commit.merge->method = "ours"; }},
  };
  for (const auto& test : kCases) {
    Case c;
    test.corrupt(c);
    const auto checked = c.Check();
    ASSERT_FALSE(checked.ok()) << test.what;
    EXPECT_EQ(checked.error().code(), ErrorCode::kRejected) << test.what;
  }
}

}  // namespace
}  // namespace flair
