// The round as the hub lives it: push, propose, review, merge, and every way it is refused.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "hub/accept.h"
#include "hub/hub_testing.h"
#include "object/attachment.h"
#include "object/review.h"

namespace flair::hub {
namespace {

using testing::HasSubstr;

class CycleTest : public testing::Test {
 protected:
  CycleTest() {
    const Answer made =
        hub_.Ask(Method::kPost, "/api/v1/repos", owner_token_, R"({"name":"digits"})");
    EXPECT_EQ(made.status, 201) << made.text;
    repo_id_ = std::string(made.body.at("id").as_string());
    base_ = "/api/v1/repos/" + owner_.wallet().ToBase58() + "/digits";
    Invite(maintainer_, "maintainer");
    Invite(site_a_, "contributor");
    Invite(site_b_, "contributor");
    store_ = Get(hub_.stores().Open(repo_id_));
  }

  void Invite(const Keypair& who, const std::string& role) {
    const Answer a = hub_.Ask(Method::kPut, base_ + "/members/" + who.wallet().ToBase58(),
                              owner_token_, R"({"role":")" + role + "\"}");
    EXPECT_EQ(a.status, 200) << a.text;
  }

  FileId PutFile(ObjectBatch& batch, const std::vector<float>& weights) {
    TestTensor t = F32(weights);
    File file;
    file.format = FileFormat::kSafetensors;
    file.segments.push_back(InlineSegment{ToBytes("header")});
    const ContentRef content = Get(batch.PutContent(*SourceOfBytes(t.bytes), {}));
    file.segments.push_back(TensorSegment{
        .name = "fc.weight", .tensor = {.dtype = DType::kF32, .dims = t.dims, .content = content}});
    return FileId{Get(batch.PutObject(ObjectKind::kFile, EncodeFile(file)))};
  }
  FileId PutText(ObjectBatch& batch, const std::string& text) {
    File file;
    file.segments.push_back(BlobSegment{Get(batch.PutContent(*SourceOfBytes(AsBytes(text)), {}))});
    return FileId{Get(batch.PutObject(ObjectKind::kFile, EncodeFile(file)))};
  }

  struct Wanted {
    std::vector<CommitId> parents;
    std::vector<float> weights = {1, 2, 3, 4};
    std::string policy;
    std::uint64_t samples = 100;
    bool is_signed = true;
  };
  struct Made {
    CommitId id;
    std::vector<AttachmentId> attachments;
  };

  Made Commit(const Keypair& author, const Wanted& w) {
    const auto batch = Get(store_->objects().Begin());
    Tree tree;
    if (!w.policy.empty()) {
      tree.entries.push_back({.path = "flair.toml",
                              .mode = FileMode::kRegular,
                              .file = PutText(*batch, w.policy),
                              .size_bytes = w.policy.size()});
    }
    tree.entries.push_back({.path = "model.safetensors",
                            .mode = FileMode::kRegular,
                            .file = PutFile(*batch, w.weights),
                            .size_bytes = 6 + 4 * w.weights.size()});
    flair::Commit commit;
    commit.tree = TreeId{Get(batch->PutObject(ObjectKind::kTree, EncodeTree(tree)))};
    commit.parents = w.parents;
    commit.author = author.wallet();
    commit.time_s = static_cast<std::uint64_t>(1'767'225'600 + ++clock_);
    commit.message = "round " + std::to_string(clock_);
    if (w.samples > 0) {
      commit.training.emplace();
      commit.training->num_samples = w.samples;
      commit.training->num_steps = 10;
    }
    Get(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
    Made made{.id = IdOf(commit), .attachments = {}};
    if (w.is_signed) {
      const Attachment s = SignCommit(made.id, author, commit.time_s);
      Get(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(s)));
      made.attachments.push_back(IdOf(s));
    }
    Get(batch->Commit());
    return made;
  }

  Result<PushOutcome> Push(const Keypair& who, Who role, const Made& made,
                           const std::string& target = "main",
                           std::optional<CommitId> expected_old = {},
                           const std::string& source = "work") {
    Request request;
    const auto repo =
        Get(Query(hub_.db(), [&](Database& db) { return FindRepoById(db, repo_id_); }));
    Call call{.request = request,
              .endpoint = Endpoints()[0],
              .parameters = {},
              .session = Session{.token_id = "t", .wallet = who.wallet().ToBase58(), .scopes = 15},
              .repo = repo,
              .role = role};
    return AcceptPush(hub_.context(), call, *store_,
                      {.target = target,
                       .source_branch = source,
                       .tip = made.id,
                       .attachments = made.attachments,
                       .expected_old = expected_old,
                       .title = ""});
  }

  // The owner's first push: model and policy.
  CommitId Begin(const std::string& policy = "format = 1\n[contribution]\nmin_samples = 50\n") {
    policy_ = policy;
    const Made first = Commit(owner_, {.parents = {}, .policy = policy, .samples = 0});
    const PushOutcome outcome = Get(Push(owner_, Who::kOwner, first));
    EXPECT_TRUE(outcome.moved);
    return first.id;
  }
  PushOutcome Propose(const Keypair& site, const CommitId& on, const std::vector<float>& weights,
                      std::uint64_t samples = 100) {
    return Get(
        Push(site, Who::kContributor,
             Commit(site,
                    {.parents = {on}, .weights = weights, .policy = policy_, .samples = samples})));
  }

  Answer Review(const Keypair& who, const std::string& token, std::int64_t number,
                const CommitId& commit, Verdict verdict = Verdict::kApprove) {
    Attachment a;
    a.subject = commit;
    a.kind = AttachmentKind::kReview;
    a.payload = EncodeReview({.verdict = verdict, .text = "seen"});
    a.time_s = 1'767'225'600 + static_cast<std::uint64_t>(++clock_);
    SignAttachment(a, who);
    return hub_.Ask(Method::kPost, base_ + "/proposals/" + std::to_string(number) + "/reviews",
                    token, R"({"attachment":")" + ToHex(EncodeAttachment(a)) + "\"}");
  }
  Answer Prepare(const std::string& numbers, const std::string& more = "") {
    return hub_.Ask(Method::kPost, base_ + "/merges", owner_token_,
                    R"({"proposals":[)" + numbers + "]" + more + "}");
  }
  Answer Finish(const Answer& prepared, const Keypair& signer, const std::string& token) {
    const CommitId id =
        Get(CommitId::FromHex(std::string_view(prepared.body.at("commit_id").as_string())));
    const Attachment s = SignCommit(id, signer, 1'767'225'600);
    return hub_.Ask(
        Method::kPost,
        base_ + "/merges/" + std::string(prepared.body.at("merge").as_string()) + "/finish", token,
        R"({"signature":")" + ToHex(EncodeAttachment(s)) + "\"}");
  }
  std::string Main() {
    const Answer a = hub_.Ask(Method::kGet, base_ + "/refs", owner_token_);
    return std::string(a.body.at("refs").as_array().at(0).as_object().at("commit").as_string());
  }

  TestHub hub_;
  Keypair owner_ = TestKey(1);
  Keypair maintainer_ = TestKey(2);
  Keypair site_a_ = TestKey(3);
  Keypair site_b_ = TestKey(4);
  std::string owner_token_ = hub_.SignIn(owner_);
  std::string maintainer_token_ = hub_.SignIn(maintainer_);
  std::string repo_id_;
  std::string base_;
  std::string policy_;
  std::shared_ptr<RepoStore> store_;
  int clock_ = 0;
};

TEST_F(CycleTest, TwoSitesAreReviewedAndMergedIntoOneCommit) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4}, 100);
  const PushOutcome b = Propose(site_b_, first, {1, 4, 3, 4}, 300);
  EXPECT_FALSE(a.moved);
  EXPECT_EQ(a.proposal_number, 1);
  EXPECT_EQ(b.proposal_number, 2);
  EXPECT_EQ(Main(), first.ToHex());

  EXPECT_EQ(Prepare("1,2").status, 403) << "no approvals yet";
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 201);
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 2, b.commit).status, 201);
  const Answer prepared = Prepare("1,2", R"(,"method":"fedavg","message":"round 1")");
  ASSERT_EQ(prepared.status, 201) << prepared.text;
  EXPECT_EQ(Main(), first.ToHex()) << "preparing moves nothing";
  const Answer done = Finish(prepared, owner_, owner_token_);
  ASSERT_EQ(done.status, 200) << done.text;
  EXPECT_EQ(Main(), std::string(prepared.body.at("commit_id").as_string()));

  const Answer commit = hub_.Ask(Method::kGet, base_ + "/commits/main", owner_token_);
  EXPECT_EQ(commit.body.at("parents").as_array().size(), 3u);
  const Answer shown = hub_.Ask(Method::kGet, base_ + "/proposals/1", owner_token_);
  EXPECT_EQ(shown.body.at("state").as_string(), "merged");
  // W = B + 1/4 (A - B) + 3/4 (C - B)
  const Answer file = hub_.Ask(Method::kGet, base_ + "/files/main/model.safetensors", owner_token_);
  std::array<float, 4> w{};
  ASSERT_EQ(file.text.size(), 6 + sizeof w);
  std::memcpy(w.data(), file.text.data() + 6, sizeof w);
  EXPECT_EQ(w, (std::array<float, 4>{1.25F, 3.5F, 3, 4}));
  // The hub signed a receipt for it.
  const Answer attachments = hub_.Ask(Method::kGet, base_ + "/attachments/main", owner_token_);
  EXPECT_THAT(attachments.text, HasSubstr("\"receipt\""));
  EXPECT_THAT(attachments.text, HasSubstr(hub_.context().wallet.wallet().ToBase58()));
  EXPECT_EQ(Finish(prepared, owner_, owner_token_).status, 409) << "a merge ends once";
}

TEST_F(CycleTest, TheSameBranchUpdatesItsProposalAndOldApprovalsCountNoMore) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, a.commit).status, 201);
  const PushOutcome again = Propose(site_a_, a.commit, {3, 2, 3, 4});
  EXPECT_EQ(again.proposal_number, 1);
  const Answer shown = hub_.Ask(Method::kGet, base_ + "/proposals/1", owner_token_);
  EXPECT_EQ(shown.body.at("approvals").to_number<int>(), 0);
  EXPECT_TRUE(shown.body.at("reviews").as_array().at(0).as_object().at("stale").as_bool());
  const Answer refused = Prepare("1");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.text, HasSubstr("0 of 1 approvals"));
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, a.commit).status, 409) << "of the old commit";
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, again.commit).status, 201);
  EXPECT_EQ(Prepare("1").status, 201);
}

TEST_F(CycleTest, AnAuthorsOwnApprovalDoesNotCount) {
  const CommitId first = Begin();
  // A maintainer proposes: main takes pushes of owners only.
  const PushOutcome p = Get(
      Push(maintainer_, Who::kMaintainer,
           Commit(maintainer_, {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = policy_})));
  EXPECT_FALSE(p.moved);
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, p.commit).status, 201);
  EXPECT_EQ(Prepare("1").status, 403);
  EXPECT_EQ(Review(owner_, owner_token_, 1, p.commit).status, 201);
  EXPECT_EQ(Prepare("1").status, 201);
}

TEST_F(CycleTest, ARejectionStandsUntilItsReviewerSaysOtherwise) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 201);
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, a.commit, Verdict::kReject).status, 201);
  EXPECT_EQ(Prepare("1").status, 403);
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, a.commit, Verdict::kApprove).status, 201);
  EXPECT_EQ(Prepare("1").status, 201);
}

TEST_F(CycleTest, AMergeWhoseTargetMovedIsPreparedAnew) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 201);
  const Answer prepared = Prepare("1");
  ASSERT_EQ(prepared.status, 201) << prepared.text;
  const Made direct =
      Commit(owner_, {.parents = {first}, .weights = {1, 2, 3, 5}, .policy = policy_});
  EXPECT_TRUE(Get(Push(owner_, Who::kOwner, direct)).moved);
  const Answer stale = Finish(prepared, owner_, owner_token_);
  EXPECT_EQ(stale.status, 409);
  EXPECT_THAT(stale.text, HasSubstr("moved since"));
  EXPECT_EQ(Main(), direct.id.ToHex());
}

TEST_F(CycleTest, OnlyItsMaintainersOwnSignatureFinishesAMerge) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  EXPECT_EQ(Review(maintainer_, maintainer_token_, 1, a.commit).status, 201);
  const Answer prepared = Prepare("1");
  ASSERT_EQ(prepared.status, 201) << prepared.text;
  EXPECT_EQ(Finish(prepared, maintainer_, owner_token_).status, 422) << "another's signature";
  EXPECT_EQ(Finish(prepared, owner_, maintainer_token_).status, 403) << "another's merge";
  EXPECT_EQ(Main(), first.ToHex());
  EXPECT_EQ(Finish(prepared, owner_, owner_token_).status, 200);
}

TEST_F(CycleTest, APushIsRefusedForWhatItCarries) {
  const CommitId first = Begin(
      "format = 1\n[contribution]\nmin_samples = 50\nmax_update_norm = 5.0\n"
      "[tensors]\nfrozen = [\"embed.*\"]\n");
  const float kNan = std::numeric_limits<float>::quiet_NaN();
  const struct {
    const char* what;
    Wanted wanted;
    ErrorCode code;
    const char* says;
  } kCases[] = {
      {"unsigned",
       {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = policy_, .is_signed = false},
       ErrorCode::kRejected,
       "no signature"},
      {"few samples",
       {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = policy_, .samples = 49},
       ErrorCode::kPolicyViolation,
       "flair.toml:3: contribution.min_samples"},
      {"large norm",
       {.parents = {first}, .weights = {90, 2, 3, 4}, .policy = policy_},
       ErrorCode::kPolicyViolation,
       "flair.toml:4: contribution.max_update_norm"},
      {"NaN",
       {.parents = {first}, .weights = {kNan, 2, 3, 4}, .policy = policy_},
       ErrorCode::kPolicyViolation,
       "NaN or Inf in fc.weight"},
      {"its own policy",
       {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = "format = 1\n"},
       ErrorCode::kPolicyViolation,
       "changes flair.toml, which only an owner may do"},
      {"a broken policy",
       {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = "format = 1\n[merge]\nmethod = 1\n"},
       ErrorCode::kPolicyViolation,
       "nearest known key is 'merge.methods'"},
      {"an unrelated history",
       {.parents = {}, .weights = {2, 2, 3, 4}, .policy = policy_},
       ErrorCode::kConflict,
       "no history in common"},
  };
  for (const auto& c : kCases) {
    const auto outcome = Push(site_a_, Who::kContributor, Commit(site_a_, c.wanted));
    ASSERT_FALSE(outcome.ok()) << c.what;
    EXPECT_EQ(outcome.error().code(), c.code) << c.what << ": " << outcome.error().message();
    EXPECT_THAT(outcome.error().message(), HasSubstr(c.says)) << c.what;
  }
  const Answer listed = hub_.Ask(Method::kGet, base_ + "/proposals?state=all", owner_token_);
  EXPECT_TRUE(listed.body.at("proposals").as_array().empty());
  EXPECT_EQ(Main(), first.ToHex());
}

TEST_F(CycleTest, EveryCommitSinceTheBaseIsChecked) {
  const CommitId first = Begin();
  const Made poor = Commit(
      site_a_, {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = policy_, .samples = 1});
  Made tip = Commit(site_a_, {.parents = {poor.id}, .weights = {3, 2, 3, 4}, .policy = policy_});
  tip.attachments.insert(tip.attachments.end(), poor.attachments.begin(), poor.attachments.end());
  const auto outcome = Push(site_a_, Who::kContributor, tip);
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().message(), HasSubstr("1 samples; at least 50"));
}

TEST_F(CycleTest, AForgedSignatureIsRejected) {
  const CommitId first = Begin();
  Made made =
      Commit(site_a_,
             {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = policy_, .is_signed = false});
  // Site B signs what names site A as its author.
  const Attachment s = SignCommit(made.id, site_b_, 1);
  const auto batch = Get(store_->objects().Begin());
  Get(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(s)));
  Get(batch->Commit());
  made.attachments.push_back(IdOf(s));
  const auto outcome = Push(site_a_, Who::kContributor, made);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::kRejected);
}

TEST_F(CycleTest, ACommitWhoseObjectsAreAbsentIsNotAccepted) {
  const CommitId first = Begin();
  flair::Commit commit;
  commit.tree.digest.bytes[0] = std::byte{1};  // stored nowhere
  commit.parents = {first};
  commit.author = site_a_.wallet();
  commit.time_s = 1;
  const auto batch = Get(store_->objects().Begin());
  Get(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
  const Attachment s = SignCommit(IdOf(commit), site_a_, 1);
  Get(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(s)));
  Get(batch->Commit());
  const auto outcome =
      Push(site_a_, Who::kContributor, {.id = IdOf(commit), .attachments = {IdOf(s)}});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(hub_.Ask(Method::kGet, base_ + "/commits/" + IdOf(commit).ToHex(), owner_token_).status,
            404)
      << "what was not accepted is not served";
}

TEST_F(CycleTest, AStalePushIsAConflict) {
  const CommitId first = Begin();
  const Made second =
      Commit(owner_, {.parents = {first}, .weights = {2, 2, 3, 4}, .policy = policy_});
  EXPECT_TRUE(Get(Push(owner_, Who::kOwner, second, "main", first)).moved);
  const Made other =
      Commit(owner_, {.parents = {first}, .weights = {3, 2, 3, 4}, .policy = policy_});
  EXPECT_EQ(Push(owner_, Who::kOwner, other, "main", first).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Push(owner_, Who::kOwner, other).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(Main(), second.id.ToHex());
}

TEST_F(CycleTest, AnOutlierShowsInTheEvidence) {
  const CommitId first = Begin();
  (void)Propose(site_a_, first, {1.1F, 2.1F, 3.1F, 4.1F});
  (void)Propose(site_b_, first, {1.1F, 2.1F, 3.1F, 4.2F});
  const Keypair poisoner = TestKey(5);
  Invite(poisoner, "contributor");
  const PushOutcome bad = Propose(poisoner, first, {0, 1, 2, 3});
  const auto evidence = Get(wire::ParseObject(bad.evidence_json));
  EXPECT_EQ(evidence.at("compared_with").to_number<int>(), 2);
  EXPECT_LT(evidence.at("cosine").to_number<double>(), -0.9);
  EXPECT_GT(evidence.at("norm_ratio").to_number<double>(), 5);
  EXPECT_EQ(evidence.at("krum_rank").to_number<int>(), 2);
}

TEST_F(CycleTest, AFullDiskMakesTheHubReadOnlyWithAClearWord) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  hub_.env().SetFreeSpaceBytes(1000);
  const Answer refused = Review(owner_, owner_token_, 1, a.commit);
  EXPECT_EQ(refused.status, 507) << refused.text;
  EXPECT_THAT(refused.text, HasSubstr("serves reads only"));
  EXPECT_EQ(hub_.Ask(Method::kGet, base_ + "/proposals/1", owner_token_).status, 200);
  EXPECT_EQ(hub_.Ask(Method::kGet, "/healthz").body.at("status").as_string(), "read-only");
}

TEST_F(CycleTest, ClosedProposalsReopenUnlessTheirBranchHasAnother) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  const std::string one = base_ + "/proposals/1";
  EXPECT_EQ(hub_.Ask(Method::kPost, one + "/close", hub_.SignIn(site_b_)).status, 403);
  EXPECT_EQ(hub_.Ask(Method::kPost, one + "/close", hub_.SignIn(site_a_)).status, 200);
  EXPECT_EQ(hub_.Ask(Method::kPost, one + "/close", owner_token_).status, 409);
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 409);
  EXPECT_EQ(Prepare("1").status, 409);
  EXPECT_EQ(Propose(site_a_, first, {3, 2, 3, 4}).proposal_number, 2);
  EXPECT_EQ(hub_.Ask(Method::kPost, one + "/reopen", owner_token_).status, 409);
  EXPECT_EQ(hub_.Ask(Method::kPost, base_ + "/proposals/2/close", owner_token_).status, 200);
  EXPECT_EQ(hub_.Ask(Method::kPost, one + "/reopen", owner_token_).status, 200);
}

TEST_F(CycleTest, AFileComesByRangeAndTag) {
  (void)Begin();
  const std::string file = base_ + "/files/main/model.safetensors";
  const Answer whole = hub_.Ask(Method::kGet, file, owner_token_);
  EXPECT_EQ(whole.status, 200);
  const Answer part = hub_.Ask(Method::kGet, file, owner_token_, "", {{"Range", "bytes=4-9"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.text, whole.text.substr(4, 6));
  const Answer known = hub_.Ask(Method::kGet, file, owner_token_, "",
                                {{"If-None-Match", *whole.headers.Find("ETag")}});
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(hub_.Ask(Method::kGet, base_ + "/files/main/absent", owner_token_).status, 404);
  EXPECT_EQ(hub_.Ask(Method::kGet, file).status, 404) << "private";
}

TEST_F(CycleTest, MethodsAndCountsAreThePolicys) {
  const CommitId first =
      Begin("format = 1\n[merge]\nmethods = [\"fedavg\"]\nmin_contributions = 2\n");
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  const PushOutcome b = Propose(site_b_, first, {1, 4, 3, 4});
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 201);
  EXPECT_EQ(Review(owner_, owner_token_, 2, b.commit).status, 201);
  EXPECT_THAT(Prepare("1").text, HasSubstr("flair.toml:4: merge.min_contributions"));
  EXPECT_THAT(Prepare("1,2", R"(,"method":"median")").text,
              HasSubstr("flair.toml:3: merge.methods"));
  EXPECT_EQ(Prepare("1,2").status, 201);
  EXPECT_EQ(Prepare("1,1").status, 400);
  EXPECT_EQ(Prepare("1,3").status, 404);
}

TEST_F(CycleTest, AMergeIsHeldToThePolicyOfItsDay) {
  const CommitId first = Begin("format = 1\n[contribution]\nmin_samples = 50\n");
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 201);
  const Answer early = Prepare("1");
  EXPECT_EQ(early.status, 201);
  const Made stricter = Commit(
      owner_, {.parents = {first}, .policy = "format = 1\n[contribution]\nmin_samples = 200\n"});
  EXPECT_TRUE(Get(Push(owner_, Who::kOwner, stricter)).moved);
  const Answer late = Prepare("1");
  EXPECT_EQ(late.status, 403);
  EXPECT_THAT(late.text, HasSubstr("flair.toml:3: contribution.min_samples: commit " +
                                   a.commit.Short() + ": 100 samples; at least 200"));
  EXPECT_EQ(Finish(early, owner_, owner_token_).status, 409);  // prepared before the branch moved
}

TEST_F(CycleTest, TheLastOwnerStays) {
  const std::string self = base_ + "/members/" + owner_.wallet().ToBase58();
  EXPECT_EQ(hub_.Ask(Method::kDelete, self, owner_token_).status, 409);
  EXPECT_EQ(hub_.Ask(Method::kPut, self, owner_token_, R"({"role":"reader"})").status, 409);
}

TEST_F(CycleTest, WhatHappenedIsInTheAuditLog) {
  const CommitId first = Begin();
  const PushOutcome a = Propose(site_a_, first, {2, 2, 3, 4});
  EXPECT_EQ(Review(owner_, owner_token_, 1, a.commit).status, 201);
  const Answer prepared = Prepare("1");
  EXPECT_EQ(Finish(prepared, owner_, owner_token_).status, 200);
  const Answer log = hub_.Ask(Method::kGet, base_ + "/audit-log", owner_token_);
  for (const char* action :
       {"repo.create", "member.set", "ref.move", "proposal.open", "proposal.review"}) {
    EXPECT_THAT(log.text, HasSubstr(action));
  }
}

}  // namespace
}  // namespace flair::hub
