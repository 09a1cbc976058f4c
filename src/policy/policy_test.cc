// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace flair {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Policy Parsed(std::string_view text) {
  auto p = ParsePolicy(text);
  EXPECT_TRUE(p.ok()) << (p.ok() ? "" : p.error().message());
  return p.ok() ? *p : Policy{};
}

TEST(PolicyTest, ReadsEveryKeyWithItsLine) {
  const Policy p = Parsed(
      "format = 1\n"
      "[access]\nrepository = \"private\"\nupdates = \"open\"\n"
      "[branches.main]\npush = [\"owner\", \"maintainer\"]\nreviews = 2\n"
      "[contribution]\nmin_samples = 100\nmin_steps = 5\nmax_steps = 50\nmax_update_norm = 1.5\n"
      "[merge]\nmethods = [\"fedavg\", \"krum\"]\nstaleness = 3\nmin_contributions = 2\n"
      "[tensors]\nfrozen = [\"embed.*\"]\nlocal = [\"bn.*\"]\nstatistics = [\"*.running_*\"]\n"
      "counters = [\"*.num_batches_tracked\"]\n"
      "[licence]\nspdx = \"Apache-2.0\"\n");
  EXPECT_EQ(p.is_private, true);
  EXPECT_THAT(p.RuleFor("main").push.value, SizeIs(2));
  EXPECT_EQ(p.RuleFor("main").reviews.value, 2u);
  EXPECT_EQ(p.RuleFor("main").reviews.line, 7u);
  EXPECT_EQ(p.min_samples.value, 100u);
  EXPECT_EQ(p.min_samples.line, 9u);
  EXPECT_EQ(p.max_steps->value, 50u);
  EXPECT_EQ(p.max_update_norm->value, 1.5);
  EXPECT_EQ(p.max_update_norm->line, 12u);
  EXPECT_THAT(p.merge_methods->value, SizeIs(2));
  EXPECT_EQ(p.staleness->value, 3u);
  EXPECT_EQ(p.min_contributions.value, 2u);
  EXPECT_EQ(p.RoleOf("embed.weight"), PolicyTensorRole::kFrozen);
  EXPECT_EQ(p.RoleOf("bn.weight"), PolicyTensorRole::kLocal);
  EXPECT_EQ(p.RoleOf("layer.running_var"), PolicyTensorRole::kStatistic);
  EXPECT_EQ(p.RoleOf("layer.num_batches_tracked"), PolicyTensorRole::kCounter);
  EXPECT_EQ(p.RoleOf("layer.weight"), PolicyTensorRole::kTrainable);
  EXPECT_EQ(p.licence_spdx.value, "Apache-2.0");
}

TEST(PolicyTest, RefusesWhatItWouldNotEnforceAndNamesTheLine) {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {"format = 1\n[contribution]\nmin_sample = 5\n",
       "flair.toml:3: unknown key 'contribution.min_sample'; the nearest known key is "
       "'contribution.min_samples'"},
      {"format = 1\n[branches.main]\nreview = 1\n",
       "flair.toml:3: unknown key 'branches.main.review'; the nearest known key is "
       "'branches.*.reviews'"},
      {"format = 1\n[contributions]\nmin_samples = 5\n", "the nearest known key is 'contribution'"},
      {"format = 1\nmin_sampels = 5\n", "the nearest known key is 'contribution.min_samples'"},
      {"format = 1\n[access]\nupdates = \"sealed\"\n", "flair.toml:3: 'access.updates = "},
      {"format = 1\n[proof]\ntier = \"full\"\n", "flair.toml:3: 'proof.tier' is not enforced"},
      {"format = 1\n[program]\nlr_max = 0.1\n", "not enforced"},
      {"format = 1\n[contribution]\nregistered_card = 1\n", "true or false"},
      {"format = 1\n[program]\nhash = \"12ab\"\n", "64 hex digits"},
      {"[contribution]\nmin_samples = 5\n", "'format = 1' is missing"},
      {"format = 2\n", "'format' must be 1"},
      {"format = \"1\"\n", "'format' must be 1"},
      {"format = 1\n[contribution]\nmin_samples = -5\n", "flair.toml:3: "},
      {"format = 1\n[contribution]\nmin_samples = \"many\"\n", "a whole number"},
      {"format = 1\n[contribution]\nmax_update_norm = nan\n", "a number above zero"},
      {"format = 1\n[contribution]\nmax_update_norm = 0\n", "a number above zero"},
      {"format = 1\n[contribution]\nmin_steps = 9\nmax_steps = 3\n", "flair.toml:4: "},
      {"format = 1\n[branches.main]\npush = [\"everybody\"]\n", "\"owner\""},
      {"format = 1\n[branches]\nmain = 3\n", "a table"},
      {"format = 1\nmerge = 3\n", "a table"},
      {"format = 1\n[merge]\nmethods = []\n", "at least one"},
      {"format = 1\n[merge]\nmethods = [1]\n", "a list of texts"},
      {"format = 1\n[hub]\nkey = \"0OIl\"\n", "base58"},
      {"format = 1\n[tensors]\nfrozen = \"a\"\n", "a list of texts"},
      {"format = 1\n[licence]\nspdx = \"<script>\"\n", "SPDX"},
      {"format = 1\n[contribution]\nmin_samples = 5\nmin_samples = 6\n", "flair.toml:4: "},
      {"format = = 1\n", "flair.toml:1: "},
      {"[%", "flair.toml:1: "},
      {"\xc3\xa9 = 1\n", "flair.toml:1: "},
      {"\xef\xbb\x84", "flair.toml:1: "},
      {"format = 1\n\xff\n", "flair.toml:"},
  };
  for (const auto& c : kCases) {
    const auto p = ParsePolicy(c.text);
    ASSERT_FALSE(p.ok()) << c.text;
    EXPECT_EQ(p.error().code(), ErrorCode::kInvalidArgument) << c.text;
    EXPECT_THAT(p.error().message(), HasSubstr(c.says)) << c.text;
  }
  EXPECT_FALSE(ParsePolicy(std::string(kMaxPolicyBytes + 1, ' ')).ok());
}

TEST(PolicyTest, AnEmptyTextIsTheDefault) {
  const Policy p = Parsed("");
  EXPECT_TRUE(MayPush(p, "main", PolicyRole::kOwner));
  EXPECT_FALSE(MayPush(p, "main", PolicyRole::kMaintainer));
  EXPECT_FALSE(MayPush(p, "main", PolicyRole::kContributor));
  EXPECT_EQ(p.RuleFor("anything").reviews.value, 1u);
}

constexpr std::string_view kStrict =
    "format = 1\n"
    "[contribution]\n"
    "min_samples = 100\n"
    "min_steps = 5\n"
    "max_steps = 50\n"
    "max_update_norm = 2.0\n"
    "[tensors]\n"
    "frozen = [\"embed.*\"]\n";

CommitFacts Good() {
  CommitFacts f;
  f.commit = "abc";
  f.num_samples = 100;
  f.num_steps = 5;
  f.has_training = true;
  f.changes_weights = true;
  f.update_norm = 2.0;
  f.changed_tensors = {"fc.weight"};
  f.changed_paths = {"model.safetensors"};
  return f;
}

TEST(PolicyTest, WhatAContributionWasTrainedByAndOn) {
  const std::string hash(64, 'a');
  const Policy p = Parsed(
      "format = 1\n[contribution]\nregistered_card = true\n[program]\nhash = \"" + hash + "\"\n");
  CommitFacts good = Good();
  good.program = Digest::FromHex(hash).value();
  good.card_problem = "";
  EXPECT_THAT(CheckContribution(p, good, PolicyRole::kContributor), IsEmpty());

  CommitFacts unknown = good;  // only the hub knows its cards
  unknown.card_problem.reset();
  EXPECT_THAT(CheckContribution(p, unknown, PolicyRole::kContributor), IsEmpty());

  CommitFacts no_weights = good;
  no_weights.changes_weights = false;
  no_weights.program.reset();
  no_weights.card_problem = "names no data card";
  EXPECT_THAT(CheckContribution(p, no_weights, PolicyRole::kContributor), IsEmpty());

  const struct {
    void (*spoil)(CommitFacts&);
    const char* says;
  } kCases[] = {
      {[](CommitFacts& f) { f.program.reset(); },
       "flair.toml:5: program.hash: commit abc: names no program; must be aaaaaaaaaaaa"},
      {[](CommitFacts& f) { f.program->bytes[0] = std::byte{1}; },
       "flair.toml:5: program.hash: commit abc: trained by program 01aaaaaaaaaa; must be "
       "aaaaaaaaaaaa"},
      {[](CommitFacts& f) { f.card_problem = "names no data card"; },
       "flair.toml:3: contribution.registered_card: commit abc: names no data card"},
  };
  for (const auto& c : kCases) {
    CommitFacts facts = good;
    c.spoil(facts);
    const auto found = CheckContribution(p, facts, PolicyRole::kContributor);
    ASSERT_EQ(found.size(), 1u) << c.says;
    EXPECT_EQ(found[0].ToText(), c.says);
  }
}

TEST(PolicyTest, EachBrokenRuleNamesItsLine) {
  const Policy p = Parsed(kStrict);
  EXPECT_THAT(CheckContribution(p, Good(), PolicyRole::kContributor), IsEmpty());

  const struct {
    const char* what;
    void (*spoil)(CommitFacts&);
    std::uint32_t line;
    const char* rule;
  } kCases[] = {
      {"few samples", [](CommitFacts& f) { f.num_samples = 99; }, 3, "contribution.min_samples"},
      {"few steps", [](CommitFacts& f) { f.num_steps = 4; }, 4, "contribution.min_steps"},
      {"many steps", [](CommitFacts& f) { f.num_steps = 51; }, 5, "contribution.max_steps"},
      {"large norm", [](CommitFacts& f) { f.update_norm = 2.0001; }, 6,
       "contribution.max_update_norm"},
      {"NaN norm", [](CommitFacts& f) { f.update_norm = std::numeric_limits<double>::quiet_NaN(); },
       6, "contribution.max_update_norm"},
      {"no norm", [](CommitFacts& f) { f.update_norm.reset(); }, 6, "contribution.max_update_norm"},
      {"frozen", [](CommitFacts& f) { f.changed_tensors.push_back("embed.weight"); }, 8,
       "tensors.frozen"},
      {"NaN", [](CommitFacts& f) { f.non_finite_tensors = {"fc.weight"}; }, 0, "finite weights"},
      {"policy", [](CommitFacts& f) { f.changed_paths.push_back("flair.toml"); }, 0, "owner only"},
      {"program", [](CommitFacts& f) { f.changed_paths.push_back("program.flair"); }, 0,
       "owner only"},
  };
  for (const auto& c : kCases) {
    CommitFacts f = Good();
    c.spoil(f);
    const auto violations = CheckContribution(p, f, PolicyRole::kMaintainer);
    ASSERT_THAT(violations, SizeIs(1)) << c.what;
    EXPECT_EQ(violations[0].line, c.line) << c.what;
    EXPECT_EQ(violations[0].rule, c.rule) << c.what;
    if (c.line != 0) {
      EXPECT_THAT(violations[0].ToText(), HasSubstr("flair.toml:" + std::to_string(c.line) + ": "));
    }
  }
}

TEST(PolicyTest, AnOwnerMayChangeThePolicy) {
  CommitFacts f = Good();
  f.changed_paths.push_back("flair.toml");
  EXPECT_THAT(CheckContribution(Parsed(kStrict), f, PolicyRole::kOwner), IsEmpty());
}

TEST(PolicyTest, ADocumentNeedsNoSamples) {
  CommitFacts f;
  f.commit = "abc";
  f.changed_paths = {"README.md"};
  EXPECT_THAT(CheckContribution(Parsed(kStrict), f, PolicyRole::kContributor), IsEmpty());
}

TEST(PolicyTest, TrainableMeansNothingElse) {
  const Policy p = Parsed("format = 1\n[tensors]\ntrainable = [\"lora.*\"]\n");
  CommitFacts f = Good();
  f.changed_tensors = {"lora.a", "fc.weight"};
  const auto violations = CheckContribution(p, f, PolicyRole::kContributor);
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].rule, "tensors.trainable");
  EXPECT_EQ(violations[0].line, 3u);
}

TEST(PolicyTest, AMergeNeedsMethodReviewsCountAndFreshness) {
  const Policy p = Parsed(
      "format = 1\n[branches.main]\nreviews = 2\n"
      "[merge]\nmethods = [\"fedavg\"]\nstaleness = 1\nmin_contributions = 2\n");
  MergeFacts good{.branch = "main",
                  .method = "fedavg",
                  .num_contributions = 2,
                  .contributions = {{.proposal = 1, .approvals = 2, .staleness = 1},
                                    {.proposal = 2, .approvals = 3}}};
  EXPECT_THAT(CheckMerge(p, good), IsEmpty());

  MergeFacts f = good;
  f.method = "krum";
  ASSERT_THAT(CheckMerge(p, f), SizeIs(1));
  EXPECT_EQ(CheckMerge(p, f)[0].line, 5u);
  f = good;
  f.num_contributions = 1;
  ASSERT_THAT(CheckMerge(p, f), SizeIs(1));
  EXPECT_EQ(CheckMerge(p, f)[0].line, 7u);
  f = good;
  f.contributions[0].approvals = 1;
  ASSERT_THAT(CheckMerge(p, f), SizeIs(1));
  EXPECT_THAT(CheckMerge(p, f)[0].ToText(), HasSubstr("flair.toml:3: branches.main.reviews"));
  f = good;
  f.contributions[1].staleness = 2;
  ASSERT_THAT(CheckMerge(p, f), SizeIs(1));
  EXPECT_EQ(CheckMerge(p, f)[0].line, 6u);
  f = good;
  f.contributions[1].rejected = true;
  EXPECT_THAT(CheckMerge(p, f), SizeIs(1));
}

TEST(PolicyTest, TheStarterSaysWhatHoldsWithoutIt) {
  const auto without_comments = ParsePolicy(StarterPolicy());
  ASSERT_TRUE(without_comments.ok()) << without_comments.error().message();
  const Policy defaults;
  EXPECT_EQ(without_comments->RuleFor("main").push.value, defaults.RuleFor("main").push.value);
  EXPECT_EQ(without_comments->RuleFor("main").reviews.value,
            defaults.RuleFor("main").reviews.value);
  EXPECT_EQ(without_comments->min_samples.value, defaults.min_samples.value);
  EXPECT_EQ(without_comments->min_contributions.value, defaults.min_contributions.value);
  // What it only suggests is a policy too: the comments in front of keys taken away.
  std::string text(StarterPolicy());
  for (const char* key : {"max_update_norm", "methods", "frozen", "local"}) {
    const std::size_t at = text.find("# " + std::string(key));
    ASSERT_NE(at, std::string::npos) << key;
    text.erase(at, 2);
  }
  const auto all = ParsePolicy(text);
  ASSERT_TRUE(all.ok()) << all.error().message();
  EXPECT_EQ(all->max_update_norm->value, 25.0);
  EXPECT_EQ(all->merge_methods->value.size(), 4u);
}

TEST(PolicyTest, EditDistanceCountsSingleEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("abc", "abc"), 0u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace flair
