// SPDX-License-Identifier: Apache-2.0
#include "repo/merge_commits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/threads.h"
#include "repo/graph_testing.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

MergeOptions Options(MergeMethod method = MergeMethod::kFedAvg) {
  MergeOptions options;
  options.method = method;
  options.weights = Get(ParseWeights("", method));
  options.time_s = 1'700'100'000;
  options.message = "merge";
  return options;
}

DeriveOptions Derive() {
  DeriveOptions options;
  options.time_s = 1'700'200'000;
  options.message = "derive";
  return options;
}

std::vector<float> Normal(std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> out(n);
  for (float& v : out) v = static_cast<float>(static_cast<std::int32_t>(random())) * 0x1p-33F;
  return out;
}

class MergeCommitsTest : public testing::Test {
 protected:
  Result<PreparedMerge> Merge(const CommitId& target, const std::vector<CommitId>& inputs,
                              const MergeOptions& options) {
    std::vector<MergeInput> list;
    for (const CommitId& id : inputs) list.push_back({.commit = id, .samples = 0});
    return PrepareMerge(graph_.store(), target, list, options);
  }
  CommitId Model(const TestModel& model, std::vector<CommitId> parents, std::uint64_t samples = 0) {
    return graph_.PutModelCommit(model, std::move(parents), samples);
  }
  std::vector<float> Floats(const PreparedMerge& merged, const std::string& name = "w") {
    return graph_.Floats(merged.tree, name);
  }

  TestGraph graph_;
};

TEST_F(MergeCommitsTest, FedAvgWeighsContributionsBySamples) {
  const CommitId base = Model({{"w", F32({1, 2})}}, {});
  const CommitId a = Model({{"w", F32({2, 2})}}, {base}, 300);
  const CommitId b = Model({{"w", F32({1, 6})}}, {base}, 100);
  const PreparedMerge merged = Get(Merge(base, {a, b}, Options()));
  ASSERT_TRUE(merged.ok());
  EXPECT_THAT(Floats(merged), ElementsAre(1.75F, 3.0F));
  EXPECT_EQ(merged.num_combined, 1U);
  ASSERT_TRUE(merged.commit.merge);
  EXPECT_EQ(merged.commit.merge->method, "fedavg");
  EXPECT_EQ(merged.commit.merge->base, base);
  ASSERT_THAT(merged.commit.parents, SizeIs(3));
  EXPECT_EQ(merged.commit.parents[0], base);
  EXPECT_LT(merged.commit.parents[1], merged.commit.parents[2]);
  // Weights follow the order of the parents, not of the call.
  const bool a_first = merged.commit.parents[1] == a;
  EXPECT_EQ(merged.commit.merge->alpha[a_first ? 0 : 1], 3 * kAlphaOne / 4);
  EXPECT_EQ(Get(Merge(base, {b, a}, Options())).id, merged.id);
}

TEST_F(MergeCommitsTest, TheSameRecipeGivesTheSameCommitOnOneTwoAndSevenThreads) {
  constexpr std::size_t kElements = 700'001;  // several blocks and a rest
  const CommitId base = Model({{"w", F32(Normal(kElements, 1))}, {"v", F32(Normal(5, 2))}}, {});
  std::vector<CommitId> inputs;
  for (std::uint32_t i = 0; i < 5; ++i) {
    inputs.push_back(Model({{"w", F32(Normal(kElements, 10 + i))}, {"v", F32(Normal(5, 20 + i))}},
                           {base}, 10 + i));
  }
  for (const MergeMethod method : {MergeMethod::kFedAvg, MergeMethod::kMedian,
                                   MergeMethod::kTrimmedMean, MergeMethod::kKrum}) {
    std::vector<CommitId> ids;
    for (const std::size_t threads : {1U, 2U, 7U}) {
      SetThreadCount(threads);
      const PreparedMerge merged = Get(Merge(base, inputs, Options(method)));
      ids.push_back(merged.id);
      EXPECT_TRUE(RerunMerge(graph_.store(), merged.commit).ok()) << MergeMethodName(method);
    }
    SetThreadCount(0);
    EXPECT_THAT(ids, testing::Each(ids[0])) << MergeMethodName(method);
  }
}

TEST_F(MergeCommitsTest, OneSideThatAloneChangedIsTakenExactly) {
  // 1 + (1e-20 - 1) would round to zero: the file itself is taken.
  const CommitId base = Model({{"w", F32({1})}, {"v", F32({1})}}, {});
  const CommitId input = Model({{"w", F32({1e-20F})}, {"v", F32({1})}}, {base}, 5);
  const CommitId target = Model({{"w", F32({1})}, {"v", F32({3})}}, {base});
  const PreparedMerge merged = Get(Merge(target, {input}, Options()));
  EXPECT_THAT(Floats(merged, "w"), ElementsAre(1e-20F));
  EXPECT_THAT(Floats(merged, "v"), ElementsAre(3.0F));
  EXPECT_EQ(merged.num_taken, 1U);
  EXPECT_EQ(merged.num_combined, 0U);

  const PreparedMerge onto_base = Get(Merge(base, {input}, Options()));
  EXPECT_EQ(onto_base.commit.tree, Get(ReadCommit(graph_.store(), input)).tree);
}

TEST_F(MergeCommitsTest, TwoChangedSidesAddTheirUpdates) {
  const CommitId base = Model({{"w", F32({1, 1})}}, {});
  const CommitId target = Model({{"w", F32({2, 1})}}, {base});
  const CommitId input = Model({{"w", F32({1, 5})}}, {base}, 5);
  EXPECT_THAT(Floats(Get(Merge(target, {input}, Options()))), ElementsAre(2, 5));
  EXPECT_THAT(Floats(Get(Merge(target, {input}, Options(MergeMethod::kOurs)))), ElementsAre(2, 1));
  EXPECT_THAT(Floats(Get(Merge(target, {input}, Options(MergeMethod::kTheirs)))),
              ElementsAre(1, 5));
  EXPECT_THAT(Floats(Get(Merge(target, {input}, Options(MergeMethod::kBase)))), ElementsAre(1, 1));
}

TEST_F(MergeCommitsTest, LateWorkIsDiscounted) {
  const CommitId base = Model({{"w", F32({0})}}, {});
  const CommitId a = Model({{"w", F32({1})}}, {base}, 1);
  const CommitId b = Model({{"w", F32({1})}}, {base}, 1);
  const CommitId late = Model({{"w", F32({8})}}, {base}, 1);
  PreparedMerge round = Get(Merge(base, {a, b}, Options()));
  const CommitId target = graph_.Store(round.commit);
  MergeOptions discount = Options();
  discount.staleness = StalenessRule::kDiscount;
  const PreparedMerge merged = Get(Merge(target, {late}, discount));
  const std::uint32_t alpha = merged.commit.merge->alpha[0];
  EXPECT_EQ(alpha, static_cast<std::uint32_t>(std::floor(kAlphaOne / std::sqrt(2.0))));
  EXPECT_THAT(Floats(merged), ElementsAre(static_cast<float>(1 + 8.0 * alpha / kAlphaOne)));
  EXPECT_THAT(Floats(Get(Merge(target, {late}, Options()))), ElementsAre(9));
}

TEST_F(MergeCommitsTest, KrumLeavesThePoisonedUpdateOut) {
  const CommitId base = Model({{"w", F32({0, 0})}}, {});
  const CommitId a = Model({{"w", F32({1, 1})}}, {base});
  const CommitId b = Model({{"w", F32({1.1F, 1})}}, {base});
  const CommitId c = Model({{"w", F32({1, 1.2F})}}, {base});
  const CommitId poisoned = Model({{"w", F32({-10, -10})}}, {base});
  const PreparedMerge merged = Get(Merge(base, {a, b, c, poisoned}, Options(MergeMethod::kKrum)));
  EXPECT_THAT(Floats(merged), ElementsAre(1, 1));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(merged.commit.merge->alpha[i], merged.commit.parents[i + 1] == a ? kAlphaOne : 0U);
  }
  EXPECT_TRUE(RerunMerge(graph_.store(), merged.commit).ok());
}

TEST_F(MergeCommitsTest, RolesDecideWhatIsCombined) {
  const CommitId base = Model({{"bn.num_batches_tracked", I64({1})},
                               {"bn.running_mean", F32({0})},
                               {"frozen", F32({1})},
                               {"local", F32({1})}},
                              {});
  const auto site = [&](float x, std::int64_t n) {
    return Model({{"bn.num_batches_tracked", I64({n})},
                  {"bn.running_mean", F32({x})},
                  {"frozen", F32({1})},
                  {"local", F32({x})}},
                 {base}, 1);
  };
  MergeOptions options = Options();
  options.roles.local = {"loc*"};
  options.roles.frozen = {"frozen"};
  const PreparedMerge merged = Get(Merge(base, {site(2, 5), site(4, 9)}, options));
  ASSERT_TRUE(merged.ok());
  EXPECT_THAT(Floats(merged, "local"), ElementsAre(1));
  EXPECT_THAT(Floats(merged, "bn.running_mean"), ElementsAre(3));
  EXPECT_EQ(graph_.TensorBytes(merged.tree, "model.safetensors", "bn.num_batches_tracked"),
            I64({9}).bytes);
  EXPECT_TRUE(RerunMerge(graph_.store(), merged.commit).ok()) << "roles are part of the recipe";

  const CommitId thaws = Model({{"bn.num_batches_tracked", I64({1})},
                                {"bn.running_mean", F32({0})},
                                {"frozen", F32({2})},
                                {"local", F32({1})}},
                               {base}, 1);
  const PreparedMerge refused = Get(Merge(base, {thaws}, options));
  ASSERT_THAT(refused.conflicts, SizeIs(1));
  EXPECT_EQ(refused.conflicts[0].kind, ConflictReason::kFrozenChanged);
}

// Contents that were never fetched: headers must be enough to see the conflict.
TEST_F(MergeCommitsTest, DTypeAndShapeConflictsAreFoundWithoutAnyContent) {
  const auto absent = [&](DType dtype, std::vector<std::uint64_t> dims, std::uint8_t salt) {
    File file;
    file.format = FileFormat::kSafetensors;
    file.segments.push_back(InlineSegment{ToBytes("header")});
    std::uint64_t size = DTypeBytes(dtype);
    for (const std::uint64_t d : dims) size *= d;
    ContentRef content{.hash = {}, .size_bytes = size};
    content.hash.bytes[0] = static_cast<std::byte>(salt);
    file.segments.push_back(
        TensorSegment{.name = "w", .tensor = {.dtype = dtype, .dims = dims, .content = content}});
    return graph_.PutFile(file);
  };
  const auto commit = [&](FileId file, std::vector<CommitId> parents) {
    return graph_.PutCommit({{"m.safetensors", file}}, std::move(parents), 1);
  };
  const CommitId base = commit(absent(DType::kF32, {4, 2}, 1), {});
  const CommitId good = commit(absent(DType::kF32, {4, 2}, 2), {base});
  const struct {
    const char* difference;
    FileId file;
    ConflictReason reason;
  } kCases[] = {
      {"dtype", absent(DType::kF16, {4, 2}, 3), ConflictReason::kDTypeDiffers},
      {"shape", absent(DType::kF32, {2, 4}, 4), ConflictReason::kShapeDiffers},
      {"rank", absent(DType::kF32, {8}, 5), ConflictReason::kShapeDiffers},
  };
  for (const auto& c : kCases) {
    const CommitId bad = commit(c.file, {base});
    const PreparedMerge merged = Get(Merge(base, {good, bad}, Options()));
    ASSERT_THAT(merged.conflicts, SizeIs(1)) << c.difference;
    EXPECT_EQ(merged.conflicts[0].kind, c.reason) << c.difference;
    EXPECT_EQ(merged.conflicts[0].path, "m.safetensors");
    EXPECT_EQ(merged.conflicts[0].tensor, "w");
    EXPECT_THAT(merged.conflicts[0].reason, HasSubstr(bad.Short()));
  }
}

TEST_F(MergeCommitsTest, AConflictStoresNothing) {
  const CommitId base = Model({{"i", I64({1})}, {"w", F32({1})}}, {});
  const CommitId a = Model({{"i", I64({2})}, {"w", F32({2})}}, {base}, 1);
  const CommitId b = Model({{"i", I64({3})}, {"w", F32({4})}}, {base}, 1);
  const std::uint64_t before = graph_.store().StoredBytes();
  const PreparedMerge merged = Get(Merge(base, {a, b}, Options()));
  ASSERT_THAT(merged.conflicts, SizeIs(1));
  EXPECT_EQ(merged.conflicts[0].kind, ConflictReason::kIntegersDiffer);
  EXPECT_EQ(graph_.store().StoredBytes(), before);
}

TEST_F(MergeCommitsTest, NanInAnInputIsAnErrorThatNamesTensorAndInput) {
  const CommitId base = Model({{"w", F32({1, 1})}}, {});
  const CommitId good = Model({{"w", F32({2, 1})}}, {base}, 1);
  const CommitId bad = Model({{"w", F32({1, kNan})}}, {base}, 1);
  const std::uint64_t before = graph_.store().StoredBytes();
  const auto merged = Merge(base, {good, bad}, Options());
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(merged.error().message(),
              testing::AllOf(HasSubstr("model.safetensors:w"), HasSubstr(bad.Short()),
                             HasSubstr("NaN at element 1")));
  EXPECT_EQ(graph_.store().StoredBytes(), before);
}

TEST_F(MergeCommitsTest, OtherFilesMergeThreeWay) {
  const FileId model = graph_.PutModel({{"w", F32({1})}});
  const FileId one = graph_.PutText("one");
  const FileId two = graph_.PutText("two");
  const FileId three = graph_.PutText("three");
  const CommitId base = graph_.PutCommit({{"a", one}, {"b", one}, {"c", one}, {"m", model}}, {});
  const CommitId target =
      graph_.PutCommit({{"a", two}, {"b", one}, {"m", model}, {"t", one}}, {base});
  const CommitId input =
      graph_.PutCommit({{"a", one}, {"b", three}, {"c", one}, {"m", model}, {"n", two}}, {base}, 1);
  const PreparedMerge merged = Get(Merge(target, {input}, Options()));
  ASSERT_TRUE(merged.ok());
  std::vector<std::pair<std::string, FileId>> files;
  for (const TreeEntry& e : merged.tree.entries) files.emplace_back(e.path, e.file);
  EXPECT_THAT(files, ElementsAre(testing::Pair("a", two), testing::Pair("b", three),
                                 testing::Pair("m", model), testing::Pair("n", two),
                                 testing::Pair("t", one)));

  const CommitId rival =
      graph_.PutCommit({{"a", three}, {"b", one}, {"c", one}, {"m", model}}, {base}, 1);
  const PreparedMerge refused = Get(Merge(target, {rival}, Options()));
  ASSERT_THAT(refused.conflicts, SizeIs(1));
  EXPECT_EQ(refused.conflicts[0].path, "a");
  EXPECT_EQ(refused.conflicts[0].kind, ConflictReason::kFileDiffers);
}

TEST_F(MergeCommitsTest, AnAddedLayerIsTakenAloneButNotMixed) {
  const CommitId base = Model({{"w", F32({1})}}, {});
  const CommitId grown = Model({{"v", F32({1})}, {"w", F32({1})}}, {base}, 1);
  EXPECT_EQ(Get(Merge(base, {grown}, Options())).commit.tree,
            Get(ReadCommit(graph_.store(), grown)).tree);
  const CommitId target = Model({{"w", F32({2})}}, {base});
  const PreparedMerge refused = Get(Merge(target, {grown}, Options()));
  ASSERT_THAT(refused.conflicts, SizeIs(1));
  EXPECT_EQ(refused.conflicts[0].kind, ConflictReason::kLayoutDiffers);
}

TEST_F(MergeCommitsTest, DifferentMetadataKeepsTheTargetsHeaderAndSaysSo) {
  const auto commit = [&](float w, std::string_view metadata, std::vector<CommitId> parents) {
    return graph_.PutCommit({{"model.safetensors", graph_.PutModel({{"w", F32({w})}}, metadata)}},
                            std::move(parents), 1);
  };
  const CommitId base = commit(0, "step 0 ", {});
  const CommitId a = commit(1, "step 5 ", {base});
  const CommitId b = commit(3, "step 0 ", {base});
  const PreparedMerge merged = Get(Merge(base, {a, b}, Options()));
  EXPECT_THAT(Floats(merged), ElementsAre(2));
  EXPECT_THAT(merged.notes, ElementsAre(HasSubstr(a.Short())));
}

TEST_F(MergeCommitsTest, ADryRunComputesNothing) {
  const CommitId base = Model({{"w", F32({1})}}, {});
  const CommitId a = Model({{"w", F32({2})}}, {base}, 1);
  const CommitId b = Model({{"w", F32({kNan})}}, {base}, 3);
  MergeOptions options = Options();
  options.run = MergeRun::kDryRun;
  const std::uint64_t before = graph_.store().StoredBytes();
  const PreparedMerge merged = Get(Merge(base, {a, b}, options));
  EXPECT_TRUE(merged.ok());
  EXPECT_EQ(merged.num_combined, 1U);
  EXPECT_THAT(merged.commit.merge->alpha, SizeIs(2));
  EXPECT_EQ(graph_.store().StoredBytes(), before);
}

TEST_F(MergeCommitsTest, WrongCallsAreRefused) {
  const CommitId base = Model({{"w", F32({1})}}, {});
  const CommitId a = Model({{"w", F32({2})}}, {base}, 1);
  const CommitId silent = Model({{"w", F32({3})}}, {base});
  const CommitId stranger = Model({{"w", F32({4})}}, {}, 1);
  const auto code = [&](const std::vector<CommitId>& inputs, const MergeOptions& options) {
    const auto merged = Merge(base, inputs, options);
    return merged.ok() ? ErrorCode{} : merged.error().code();
  };
  EXPECT_EQ(code({}, Options()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({a, a}, Options()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({a, silent}, Options()), ErrorCode::kInvalidArgument) << "no sample count";
  EXPECT_EQ(code({stranger}, Options()), ErrorCode::kInvalidArgument) << "no common history";
  EXPECT_EQ(code({a, silent}, Options(MergeMethod::kKrum)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({a, silent}, Options(MergeMethod::kTheirs)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({base}, Options()), ErrorCode::kAlreadyExists);
  MergeOptions options = Options(MergeMethod::kLinear);
  options.weights = Get(ParseWeights("0.5,0.5", MergeMethod::kLinear));
  EXPECT_EQ(code({a}, options), ErrorCode::kInvalidArgument) << "two weights, one input";
  options = Options();
  options.message.assign(kMaxMessageBytes + 1, 'x');
  EXPECT_EQ(code({a}, options), ErrorCode::kInvalidArgument) << "message too long";
}

TEST_F(MergeCommitsTest, RerunRejectsEveryChangedRecipe) {
  const CommitId base = Model({{"w", F32({1, 2})}}, {});
  const CommitId a = Model({{"w", F32({2, 2})}}, {base}, 3);
  const CommitId b = Model({{"w", F32({1, 6})}}, {base}, 1);
  const Commit good = Get(Merge(base, {a, b}, Options())).commit;
  ASSERT_TRUE(RerunMerge(graph_.store(), good).ok());
  const struct {
    const char* change;
    void (*apply)(Commit&);
    ErrorCode code;
  } kCases[] = {
      {"tree", [](Commit& c) { c.tree.digest.bytes[0] ^= std::byte{1}; }, ErrorCode::kRejected},
      {"weights", [](Commit& c) { std::swap(c.merge->alpha[0], c.merge->alpha[1]); },
       ErrorCode::kRejected},
      {"base", [](Commit& c) { c.merge->base = c.parents[1]; }, ErrorCode::kRejected},
      {"method", [](Commit& c) { c.merge->method = "median"; }, ErrorCode::kRejected},
      {"unknown method", [](Commit& c) { c.merge->method = "alchemy"; }, ErrorCode::kUnsupported},
      {"no recipe", [](Commit& c) { c.merge.reset(); }, ErrorCode::kInvalidArgument},
  };
  for (const auto& c : kCases) {
    Commit bad = good;
    c.apply(bad);
    const Status status = RerunMerge(graph_.store(), bad);
    ASSERT_FALSE(status.ok()) << c.change;
    EXPECT_EQ(status.error().code(), c.code) << c.change << ": " << status.error().message();
  }
}

TEST_F(MergeCommitsTest, RevertByHistoryRestoresTheBytes) {
  const CommitId base = Model({{"v", F32({7})}, {"w", F32({1e-20F})}}, {});
  const CommitId bad = Model({{"v", F32({7})}, {"w", F32({5})}}, {base});
  const CommitId tip = Model({{"v", F32({8})}, {"w", F32({5})}}, {bad});
  const PreparedMerge reverted =
      Get(PrepareRevert(graph_.store(), tip, bad, RevertBy::kHistory, Derive()));
  ASSERT_TRUE(reverted.ok());
  EXPECT_THAT(Floats(reverted, "w"), ElementsAre(1e-20F));
  EXPECT_THAT(Floats(reverted, "v"), ElementsAre(8));
  EXPECT_THAT(reverted.commit.parents, ElementsAre(tip));
  EXPECT_THAT(reverted.commit.lineage,
              ElementsAre(Lineage{.kind = LineageKind::kRevertHistory, .commit = bad}));

  const PreparedMerge at_once =
      Get(PrepareRevert(graph_.store(), bad, bad, RevertBy::kHistory, Derive()));
  EXPECT_EQ(at_once.commit.tree, Get(ReadCommit(graph_.store(), base)).tree);
}

TEST_F(MergeCommitsTest, WhatChangedAgainRevertsBySubtractionOnly) {
  const CommitId base = Model({{"n", I64({1})}, {"w", F32({1})}}, {});
  const CommitId bad = Model({{"n", I64({1})}, {"w", F32({5})}}, {base});
  const CommitId tip = Model({{"n", I64({1})}, {"w", F32({6})}}, {bad});
  const PreparedMerge refused =
      Get(PrepareRevert(graph_.store(), tip, bad, RevertBy::kHistory, Derive()));
  ASSERT_THAT(refused.conflicts, SizeIs(1));
  EXPECT_EQ(refused.conflicts[0].kind, ConflictReason::kChangedSince);
  const PreparedMerge reverted =
      Get(PrepareRevert(graph_.store(), tip, bad, RevertBy::kSubtract, Derive()));
  EXPECT_THAT(Floats(reverted), ElementsAre(2));
}

TEST_F(MergeCommitsTest, AMergeIsRevertedAgainstItsFirstParent) {
  const CommitId base = Model({{"w", F32({1})}}, {});
  const CommitId a = Model({{"w", F32({2})}}, {base}, 1);
  const CommitId b = Model({{"w", F32({4})}}, {base}, 1);
  const CommitId merge = graph_.Store(Get(Merge(base, {a, b}, Options())).commit);
  const PreparedMerge reverted =
      Get(PrepareRevert(graph_.store(), merge, merge, RevertBy::kHistory, Derive()));
  EXPECT_EQ(reverted.commit.tree, Get(ReadCommit(graph_.store(), base)).tree);
}

// A round is reverted, done again elsewhere by another method, and that result merged.
TEST_F(MergeCommitsTest, ARevertedRoundCanBeDoneAgainByAnotherMethod) {
  const CommitId base = Model({{"w", F32({0, 0})}}, {});
  const CommitId a = Model({{"w", F32({1, 1})}}, {base}, 1);
  const CommitId b = Model({{"w", F32({2, 1})}}, {base}, 1);
  const CommitId c = Model({{"w", F32({9, 9})}}, {base}, 1);
  const CommitId round = graph_.Store(Get(Merge(base, {a, b, c}, Options())).commit);
  const CommitId main = graph_.Store(
      Get(PrepareRevert(graph_.store(), round, round, RevertBy::kHistory, Derive())).commit);
  const CommitId again =
      graph_.Store(Get(Merge(base, {a, b, c}, Options(MergeMethod::kMedian))).commit);
  EXPECT_THAT(Floats(Get(Merge(main, {again}, Options()))), ElementsAre(2, 1));
}

TEST_F(MergeCommitsTest, CherryPickAppliesTheUpdate) {
  const CommitId base = Model({{"v", F32({0})}, {"w", F32({1})}}, {});
  const CommitId picked = Model({{"v", F32({9})}, {"w", F32({4})}}, {base});
  const CommitId tip = Model({{"v", F32({0})}, {"w", F32({2})}}, {base});
  const PreparedMerge result = Get(PrepareCherryPick(graph_.store(), tip, picked, Derive()));
  EXPECT_THAT(Floats(result, "w"), ElementsAre(5));
  EXPECT_THAT(Floats(result, "v"), ElementsAre(9));
  EXPECT_THAT(result.commit.lineage,
              ElementsAre(Lineage{.kind = LineageKind::kCherryPick, .commit = picked}));
  EXPECT_FALSE(PrepareCherryPick(graph_.store(), tip, base, Derive()).ok());
  EXPECT_FALSE(PrepareRevert(graph_.store(), tip, picked, RevertBy::kHistory, Derive()).ok());
}

}  // namespace
}  // namespace flair
