// Clone, fetch, pull and push against a real hub in this process.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/extent.h"
#include "repo/oplog.h"
#include "repo/refs.h"
#include "repo/worktree.h"
#include "transfer_site.h"

namespace flair {
namespace {

constexpr std::uint64_t kTime = 1'770'000'000;
constexpr const char* kModel = "model.safetensors";

class TransferTest : public ::testing::Test {
 protected:
  TransferTest() : hub_(folder_ / "hub"), owner_(hub_.url(), 1), site_(hub_.url(), 2) {
    const auto created = owner_.api().CreateRepo({.name = "digits"});
    EXPECT_TRUE(created.ok()) << created.error().message();
    address_ = {hub_.url(), owner_.wallet(), "digits"};
    const auto invited = owner_.api().SetMember(address_, site_.wallet(), "contributor");
    EXPECT_TRUE(invited.ok()) << invited.error().message();
  }

  std::unique_ptr<Repository> NewRepo(const std::string& name) {
    auto repo = Repository::Init(PosixEnv(), folder_ / name);
    EXPECT_TRUE(repo.ok()) << repo.error().message();
    EXPECT_TRUE(AddRemote(**repo, {"origin", address_.ToUrl(), ""}).ok());
    return std::move(repo).value();
  }
  PushOutcome MustPush(Repository& repo, Site& site, const PushOptions& options = {}) {
    auto pushed = Push(repo, site.api(), "origin", options);
    EXPECT_TRUE(pushed.ok()) << pushed.error().message();
    return pushed.ok() ? std::move(pushed).value() : PushOutcome{};
  }
  CloneOutcome MustClone(const std::string& name, Site& site, const CloneOptions& options = {}) {
    auto cloned = Clone(PosixEnv(), site.api(), address_, folder_ / name, options);
    EXPECT_TRUE(cloned.ok()) << cloned.error().message();
    return cloned.ok() ? std::move(cloned).value() : CloneOutcome{};
  }
  // The owner's first version is on the hub.
  std::unique_ptr<Repository> Start(std::size_t num_elements = 5000) {
    auto repo = NewRepo("owner");
    first_ = CommitFile(*repo, kModel, ModelBytes(1, 0, 3, num_elements), owner_.key(), kTime);
    EXPECT_TRUE(MustPush(*repo, owner_).moved);
    return repo;
  }

  TempFolder folder_;
  TestHub hub_;
  Site owner_;
  Site site_;
  RepoAddress address_;
  CommitId first_;
};

TEST_F(TransferTest, WhatIsPushedIsWhatIsCloned) {
  auto repo = Start();
  CommitFile(*repo, "README.md", "# digits\n", owner_.key(), kTime + 1);
  const PushOutcome pushed = MustPush(*repo, owner_);
  EXPECT_TRUE(pushed.moved);
  EXPECT_EQ(pushed.egress.num_tensors, 0u);
  EXPECT_TRUE(MustPush(*repo, owner_).up_to_date);

  const CloneOutcome clone = MustClone("clone", site_);
  ASSERT_TRUE(clone.repo);
  EXPECT_EQ(clone.branch, "main");
  EXPECT_EQ(clone.commit, pushed.commit);
  EXPECT_EQ(ReadTextFile(folder_ / "clone/model.safetensors"), ModelBytes(1, 0, 3, 5000));
  EXPECT_EQ(ReadTextFile(folder_ / "clone/README.md"), "# digits\n");
  EXPECT_TRUE(VerifyCommit(*clone.repo, pushed.commit).ok());
  EXPECT_TRUE(VerifyCommit(*clone.repo, first_).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "clone/.flair/transfer/") &&
               !std::filesystem::is_empty(folder_ / "clone/.flair/transfer/"));
}

TEST_F(TransferTest, AnUpdateTravelsAsADelta) {
  auto repo = Start(200'000);
  const auto clone = MustClone("clone", site_);
  CommitFile(*repo, kModel, ModelBytes(1, 1, 3, 200'000), owner_.key(), kTime + 5);
  const PushOutcome pushed = MustPush(*repo, owner_);
  EXPECT_TRUE(pushed.moved);
  EXPECT_EQ(pushed.egress.num_tensors, 3u);
  EXPECT_LT(pushed.egress.sent_bytes, pushed.egress.model_bytes * 8 / 10);

  const auto pulled = Pull(*clone.repo, site_.api(), "origin");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(pulled->kind, PullKind::kFastForward);
  EXPECT_LT(pulled->fetch.received_bytes, pushed.egress.model_bytes * 8 / 10);
  EXPECT_EQ(pulled->fetch.model_bytes, pushed.egress.model_bytes);
  EXPECT_EQ(ReadTextFile(folder_ / "clone/model.safetensors"), ModelBytes(1, 1, 3, 200'000));
  const auto again = Pull(*clone.repo, site_.api(), "origin");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->kind, PullKind::kUpToDate);
}

TEST_F(TransferTest, AContributorsPushOpensOneProposalAndUpdatesIt) {
  auto repo = Start();
  const auto clone = MustClone("clone", site_);
  const CommitId one =
      CommitFile(*clone.repo, kModel, ModelBytes(1, 1, 3, 5000), site_.key(), kTime + 5);
  const PushOutcome opened = MustPush(*clone.repo, site_, {.transfer = {}, .title = "round 1"});
  EXPECT_FALSE(opened.moved);
  EXPECT_GE(opened.proposal_number, 1u);
  EXPECT_NE(opened.proposal_url.find("/proposals/"), std::string::npos);
  EXPECT_TRUE(opened.egress.update_norm.has_value());
  EXPECT_EQ(owner_.api().ListRefs(address_)->Find("heads/main"), first_);

  const CommitId two =
      CommitFile(*clone.repo, kModel, ModelBytes(1, 2, 3, 5000), site_.key(), kTime + 6);
  const PushOutcome updated = MustPush(*clone.repo, site_);
  EXPECT_EQ(updated.proposal_number, opened.proposal_number);
  const auto proposal = site_.api().GetProposal(address_, opened.proposal_number);
  ASSERT_TRUE(proposal.ok()) << proposal.error().message();
  EXPECT_EQ(proposal->commit, two.ToHex());
  EXPECT_EQ(proposal->state, "open");
  EXPECT_EQ(proposal->title, "round 1");

  // A reviewer fetches it by its commit.
  FetchOptions options;
  options.also = {{"proposals/1", two}};
  const auto fetched = Fetch(*repo, owner_.api(), "origin", options);
  ASSERT_TRUE(fetched.ok()) << fetched.error().message();
  EXPECT_EQ(*GetRef(*repo, "proposals/1"), two);
  EXPECT_TRUE(VerifyCommit(*repo, one).ok());
}

TEST_F(TransferTest, ARoundIsPreparedByTheHubAndSignedByTheMaintainer) {
  auto repo = Start();
  std::vector<std::uint64_t> numbers;
  for (unsigned char s = 2; s < 5; ++s) {
    Site site(hub_.url(), s);
    ASSERT_TRUE(owner_.api().SetMember(address_, site.wallet(), "contributor").ok());
    const std::string name = "site" + std::to_string(s);
    const auto clone = MustClone(name, site);
    CommitFile(*clone.repo, kModel, ModelBytes(1, s, 3, 5000), site.key(), kTime + s);
    numbers.push_back(MustPush(*clone.repo, site).proposal_number);
  }
  for (const std::uint64_t number : numbers) {
    const auto proposal = owner_.api().GetProposal(address_, number);
    ASSERT_TRUE(proposal.ok());
    const auto json = wire::ParseObject(proposal->raw);
    Attachment review{.subject = *CommitId::FromHex(proposal->commit),
                      .kind = AttachmentKind::kReview,
                      .payload = {},
                      .author = {},
                      .time_s = kTime + 50,
                      .scheme = {},
                      .signature = {}};
    review.payload = ToBytes("\x01\x01\x01");  // field 1, one byte: approve
    SignAttachment(review, owner_.key());
    const Status reviewed = owner_.api().ReviewProposal(address_, number, review);
    ASSERT_TRUE(reviewed.ok()) << reviewed.error().message();
  }
  RoundRequest round;
  round.proposals = numbers;
  round.method = "fedavg";
  round.message = "round 1";
  round.time_s = static_cast<std::uint64_t>(PosixEnv().NowSeconds());
  const auto merged = MergeProposals(owner_.api(), address_, round, owner_.key());
  ASSERT_TRUE(merged.ok()) << merged.error().message();
  ASSERT_TRUE(merged->commit.has_value());
  EXPECT_EQ(owner_.api().ListRefs(address_)->Find("heads/main"), merged->commit);
  EXPECT_EQ(merged->body.parents.size(), 4u);
  const auto pulled = Pull(*repo, owner_.api(), "origin");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_TRUE(VerifyCommit(*repo, *merged->commit).ok());
}

TEST_F(TransferTest, StrangersSeeNoPrivateRepository) {
  auto repo = Start();
  Site stranger(hub_.url(), 9);
  const auto cloned = Clone(PosixEnv(), stranger.api(), address_, folder_ / "x");
  ASSERT_FALSE(cloned.ok());
  EXPECT_EQ(cloned.error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
  const auto pushed = Push(*repo, stranger.api(), "origin");
  ASSERT_FALSE(pushed.ok());
  EXPECT_EQ(pushed.error().code(), ErrorCode::kNotFound);
}

TEST_F(TransferTest, OnlyAcceptedCommitsAreServed) {
  auto repo = Start();
  wire::FetchRequest request;
  request.wants = {*CommitId::FromHex(std::string(64, 'a'))};
  const auto plan = owner_.api().PlanFetch(address_, request);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code(), ErrorCode::kNotFound);
  // Uploaded and never finished: stored nowhere that serves.
  const CommitId next = CommitFile(*repo, "a.txt", "text", owner_.key(), kTime + 1);
  request.wants = {next};
  EXPECT_FALSE(owner_.api().PlanFetch(address_, request).ok());
}

TEST_F(TransferTest, DivergedBranchesAreAConflict) {
  auto repo = Start();
  const auto clone = MustClone("clone", owner_);
  CommitFile(*repo, "a.txt", "ours", owner_.key(), kTime + 1);
  ASSERT_TRUE(MustPush(*repo, owner_).moved);
  CommitFile(*clone.repo, "b.txt", "theirs", owner_.key(), kTime + 2);
  const auto pushed = Push(*clone.repo, owner_.api(), "origin");
  ASSERT_FALSE(pushed.ok());
  EXPECT_EQ(pushed.error().code(), ErrorCode::kConflict);
  const auto pulled = Pull(*clone.repo, owner_.api(), "origin");
  ASSERT_FALSE(pulled.ok());
  EXPECT_EQ(pulled.error().code(), ErrorCode::kConflict);
}

TEST_F(TransferTest, AShallowCloneHasItsDepthAndGoesOn) {
  auto repo = Start();
  for (unsigned v = 1; v < 5; ++v) {
    CommitFile(*repo, kModel, ModelBytes(1, v, 3, 5000), owner_.key(), kTime + v);
  }
  MustPush(*repo, owner_);
  CloneOptions options;
  options.fetch.depth = 2;
  const auto clone = MustClone("clone", site_, options);
  ASSERT_TRUE(clone.commit.has_value());
  EXPECT_EQ(ReachableCommits(clone.repo->objects(), {*clone.commit})->size(), 2u);
  EXPECT_EQ(ReadTextFile(folder_ / "clone/model.safetensors"), ModelBytes(1, 4, 3, 5000));

  // A content that only the cut-off history held comes back.
  CommitFile(*repo, kModel, ModelBytes(1, 0, 3, 5000), owner_.key(), kTime + 9);
  MustPush(*repo, owner_);
  const auto pulled = Pull(*clone.repo, site_.api(), "origin");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_EQ(ReadTextFile(folder_ / "clone/model.safetensors"), ModelBytes(1, 0, 3, 5000));
  CommitFile(*clone.repo, kModel, ModelBytes(1, 7, 3, 5000), site_.key(), kTime + 10);
  EXPECT_GE(MustPush(*clone.repo, site_).proposal_number, 1u);
}

TEST_F(TransferTest, APartialCloneHoldsTheTensorsItAskedForAndGetsTheRestLater) {
  auto repo = Start(100'000);
  CommitFile(*repo, "README.md", "# digits\n", owner_.key(), kTime + 1);
  MustPush(*repo, owner_);
  CloneOptions options;
  options.fetch.tensors_glob = "layer1.*";
  const auto clone = MustClone("clone", site_, options);
  ASSERT_TRUE(clone.repo);
  EXPECT_LT(clone.fetch.received_bytes, 500'000u);  // one of three tensors of 400,000 bytes
  EXPECT_FALSE(std::filesystem::exists(folder_ / "clone/model.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "clone/README.md"));
  FetchOptions all;
  all.tensors_glob = "*";
  const auto fetched = Fetch(*clone.repo, site_.api(), "origin", all);
  ASSERT_TRUE(fetched.ok()) << fetched.error().message();
  EXPECT_TRUE(VerifyCommit(*clone.repo, *clone.commit).ok());
  EXPECT_EQ(ReadTextFile(folder_ / "clone/model.safetensors"), ModelBytes(1, 0, 3, 100'000));
  EXPECT_TRUE(ReadStatus(*clone.repo)->clean());
}

TEST_F(TransferTest, WhatAPartialCloneLeftOutIsNeverDeleted) {
  auto repo = Start(1000);
  CommitFile(*repo, "README.md", "# digits\n", owner_.key(), kTime + 1);
  MustPush(*repo, owner_);
  CloneOptions options;
  options.fetch.tensors_glob = "layer1.*";
  ASSERT_TRUE(MustClone("clone", owner_, options).repo);
  auto clone = Repository::Open(PosixEnv(), folder_ / "clone").value();

  const auto status = ReadStatus(*clone);
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_TRUE(status->clean());
  EXPECT_THAT(status->left_out, ::testing::ElementsAre(kModel));
  WriteTextFile(folder_ / "clone/README.md", "# digits, read\n");
  ASSERT_TRUE(Add(*clone, {""}).ok());
  ASSERT_TRUE(Add(*clone, {kModel}).ok());
  const auto staged = ReadStatus(*clone)->staged;
  ASSERT_EQ(staged.size(), 1u);
  EXPECT_EQ(staged[0].path, "README.md");
  const auto restored = Restore(*clone, {kModel}, {});
  ASSERT_FALSE(restored.ok());
  EXPECT_EQ(restored.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(restored.error().hint(), ::testing::HasSubstr("flair fetch --tensors"));

  // Its commit keeps the model whole on the hub.
  const auto committed = CreateCommit(*clone, {.message = "read"}, owner_.key());
  ASSERT_TRUE(committed.ok()) << committed.error().message();
  EXPECT_TRUE(MustPush(*clone, owner_).moved);
  ASSERT_TRUE(MustClone("whole", site_).repo);
  EXPECT_EQ(ReadTextFile(folder_ / "whole/model.safetensors"), ModelBytes(1, 0, 3, 1000));
}

TEST_F(TransferTest, APartialCloneFollowsItsBranch) {
  auto repo = Start(1000);
  CloneOptions options;
  options.fetch.tensors_glob = "layer1.*";
  ASSERT_TRUE(MustClone("clone", site_, options).repo);
  CommitFile(*repo, kModel, ModelBytes(1, 1, 3, 1000), owner_.key(), kTime + 1);
  CommitFile(*repo, "README.md", "# digits\n", owner_.key(), kTime + 2);
  MustPush(*repo, owner_);
  auto clone = Repository::Open(PosixEnv(), folder_ / "clone").value();
  const auto pulled = Pull(*clone, site_.api(), "origin");
  ASSERT_TRUE(pulled.ok()) << pulled.error().message();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "clone/README.md"));
  EXPECT_TRUE(ReadStatus(*clone)->clean());
  ASSERT_TRUE(Undo(*clone).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "clone/README.md"));
  EXPECT_TRUE(ReadStatus(*clone)->clean());

  // Contents that came while their file was not written yet: still no deletion.
  const auto lock = clone->LockForWriting();
  ASSERT_TRUE(MarkLeftOut(*clone).ok());
  FetchOptions all;
  all.tensors_glob = "*";
  ASSERT_TRUE(Fetch(*clone, site_.api(), "origin", all).ok());
  std::filesystem::remove(folder_ / "clone/model.safetensors");
  EXPECT_FALSE(ReadStatus(*clone)->clean());  // the user's deletion
  ASSERT_TRUE(SetConfig(*clone, std::string("left_out.") + kModel, "1").ok());
  EXPECT_TRUE(ReadStatus(*clone)->clean());
  ASSERT_TRUE(Fetch(*clone, site_.api(), "origin").ok());
  EXPECT_EQ(ReadTextFile(folder_ / "clone/model.safetensors"), ModelBytes(1, 0, 3, 1000));
}

TEST_F(TransferTest, ALightCloneIsForLooking) {
  auto repo = Start(100'000);
  CloneOptions options;
  options.light = "int8";
  ASSERT_TRUE(MustClone("clone", site_, options).repo);
  auto clone = Repository::Open(PosixEnv(), folder_ / "clone").value();
  const auto light = std::filesystem::file_size(folder_ / "clone/model.safetensors");
  EXPECT_GT(light, 0u);
  const auto status = ReadStatus(*clone);
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_TRUE(status->clean());
  EXPECT_EQ(status->light, "int8");
  const auto refused = [](const auto& result) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), ErrorCode::kUnsupported);
    EXPECT_THAT(result.error().message(), ::testing::HasSubstr("light"));
  };
  refused(Push(*clone, site_.api(), "origin"));
  refused(Pull(*clone, site_.api(), "origin"));
  refused(Add(*clone, {""}));
  CommitRequest request;
  request.message = "quantised";
  request.empty = EmptyCommit::kAllow;
  refused(CreateCommit(*clone, request, site_.key()));
  FetchOptions all;
  all.tensors_glob = "*";
  refused(Fetch(*clone, site_.api(), "origin", all));
  // A changed copy shows, a removed one is no deletion.
  WriteTextFile(folder_ / "clone/model.safetensors", "changed");
  EXPECT_EQ(ReadStatus(*clone)->unstaged.size(), 1u);
  std::filesystem::remove(folder_ / "clone/model.safetensors");
  EXPECT_TRUE(ReadStatus(*clone)->clean());
}

TEST_F(TransferTest, FiftyClientsAtOnce) {
  Start(50'000);
  std::vector<std::string> failures(50);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    threads.emplace_back([&, i] {
      HttpClient http;
      HubApi api(http, hub_.url(), site_.api().token());
      const auto cloned = Clone(PosixEnv(), api, address_, folder_ / ("many" + std::to_string(i)));
      if (!cloned.ok()) {
        failures[i] = cloned.error().message();
      } else if (ReadTextFile(folder_ / ("many" + std::to_string(i) + "/model.safetensors")) !=
                 ModelBytes(1, 0, 3, 50'000)) {
        failures[i] = "other bytes";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(failures, ::testing::Each(""));
}

}  // namespace
}  // namespace flair
