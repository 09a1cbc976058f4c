// What a hub does with pushes that are broken, forged or incomplete, and what a client
// does with a hub whose packs rot.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "object/file.h"
#include "object/tree.h"
#include "remote/upload.h"
#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/history.h"
#include "transfer_site.h"

namespace flair {
namespace {

constexpr std::uint64_t kTime = 1'770'000'000;
constexpr const char* kModel = "model.safetensors";

// A push by hand: each step can be corrupted.
class TransferAttackTest : public ::testing::Test {
 protected:
  TransferAttackTest() : hub_(std::make_unique<TestHub>(folder_ / "hub")), owner_(hub_->url(), 1) {
    EXPECT_TRUE(owner_.api().CreateRepo({.name = "digits"}).ok());
    address_ = {hub_->url(), owner_.wallet(), "digits"};
    repo_ = Repository::Init(PosixEnv(), folder_ / "owner").value();
    EXPECT_TRUE(AddRemote(*repo_, {"origin", address_.ToUrl(), ""}).ok());
    first_ = CommitFile(*repo_, kModel, ModelBytes(1, 0, 3, 5000), owner_.key(), kTime);
    EXPECT_TRUE(Push(*repo_, owner_.api(), "origin").ok());
    next_ = CommitFile(*repo_, kModel, ModelBytes(1, 1, 3, 5000), owner_.key(), kTime + 1);
  }

  struct Upload {
    wire::PushRequest request;
    std::vector<AttachmentId> attachments;
    std::string bytes;  // frames
  };

  // The honest upload of `tip` to a hub that holds `haves`.
  Upload Honest(const CommitId& tip) { return Honest(tip, {first_}); }
  Upload Honest(const CommitId& tip, const std::vector<CommitId>& haves) {
    ClosureOptions options;
    options.attachments = [&](const CommitId& c) -> Result<std::vector<AttachmentId>> {
      FLAIR_TRY(const auto entries, ListAttachments(*repo_, c));
      std::vector<AttachmentId> ids;
      for (const auto& entry : entries) ids.push_back(entry.id);
      return ids;
    };
    const Closure closure = WalkClosure(repo_->objects(), {tip}, haves, options).value();
    Upload upload;
    upload.request = {.target = "main",
                      .source_branch = "main",
                      .tip = tip,
                      .objects = closure.objects,
                      .contents = {}};
    for (const ContentRef& c : closure.contents) upload.request.contents.push_back(c.hash);
    for (const auto& [kind, id] : closure.objects) {
      if (kind == ObjectKind::kAttachment) upload.attachments.push_back(AttachmentId{id});
    }
    upload.bytes = Frames(upload.request.objects, upload.request.contents);
    return upload;
  }

  std::string Frames(const std::vector<wire::ObjectName>& objects,
                     const std::vector<Digest>& contents) {
    const auto records =
        repo_->objects().Locate(objects, contents, [](const Digest&) { return false; }).value();
    const auto frames = FramesOf(records);
    UploadStream stream(repo_->objects(), frames, 0);
    Bytes buffer(1 << 20);
    std::string out;
    for (;;) {
      const std::size_t n = stream.Read(buffer).value();
      if (n == 0) return out;
      out += AsText(ByteView(buffer).first(n));
    }
  }

  Result<wire::FinishResult> Send(const Upload& upload) {
    FLAIR_TRY(const wire::PushState state, owner_.api().CreatePush(address_, upload.request));
    std::size_t at = 0;
    const BodySource source = [&](MutableByteView out) -> Result<std::size_t> {
      const std::size_t n = std::min(out.size(), upload.bytes.size() - at);
      std::copy_n(AsBytes(upload.bytes).begin() + static_cast<std::ptrdiff_t>(at), n, out.begin());
      at += n;
      return n;
    };
    if (!upload.bytes.empty()) {
      FLAIR_DO(owner_.api().AppendPush(address_, state.push, 0, upload.bytes.size(), source));
    }
    wire::FinishRequest finish;
    finish.upload_bytes = upload.bytes.size();
    finish.attachments = upload.attachments;
    return owner_.api().FinishPush(address_, state.push, finish);
  }

  void ExpectRefused(const Upload& upload, ErrorCode code, const std::string& what) {
    const auto result = Send(upload);
    ASSERT_FALSE(result.ok()) << what;
    EXPECT_EQ(result.error().code(), code) << what << ": " << result.error().message();
    EXPECT_EQ(owner_.api().ListRefs(address_)->Find("heads/main"), first_) << what;
    wire::FetchRequest fetch;
    fetch.wants = {upload.request.tip};
    EXPECT_FALSE(owner_.api().PlanFetch(address_, fetch).ok()) << what;
  }

  TempFolder folder_;
  std::unique_ptr<TestHub> hub_;
  Site owner_;
  RepoAddress address_;
  std::unique_ptr<Repository> repo_;
  CommitId first_;
  CommitId next_;
};

TEST_F(TransferAttackTest, TheHonestUploadIsAccepted) {
  const auto result = Send(Honest(next_));
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_TRUE(result->moved);
}

TEST_F(TransferAttackTest, AFlippedBitAnywhereIsRefused) {
  const Upload honest = Honest(next_, {});
  for (std::size_t at = 2; at < honest.bytes.size(); at += honest.bytes.size() / 23) {
    // A repository of its own: where a content is stored already, what is sent for it is
    // passed over, and its flips with it.
    address_.name = "flip" + std::to_string(at);
    ASSERT_TRUE(owner_.api().CreateRepo({.name = address_.name}).ok());
    Upload upload = honest;
    upload.bytes[at] = static_cast<char>(upload.bytes[at] ^ 0x10);
    const auto result = Send(upload);
    ASSERT_FALSE(result.ok()) << at;
    // A flip in a length or a name may make the record another one, which is absent then.
    const ErrorCode code = result.error().code();
    EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kNotFound ||
                code == ErrorCode::kUnsupported)
        << at << ": " << result.error().message();
    EXPECT_FALSE(owner_.api().ListRefs(address_)->Find("heads/main").has_value());
  }
  EXPECT_TRUE(Send(honest).ok());
}

TEST_F(TransferAttackTest, ATruncatedUploadIsRefused) {
  const Upload honest = Honest(next_);
  for (const std::size_t length : {std::size_t{1}, std::size_t{4}, std::size_t{5},
                                   honest.bytes.size() / 2, honest.bytes.size() - 1}) {
    Upload upload = honest;
    upload.bytes.resize(length);
    ExpectRefused(upload, ErrorCode::kCorrupt, "cut at " + std::to_string(length));
  }
}

TEST_F(TransferAttackTest, FramesThatLieAboutTheirLengthAreRefused) {
  Upload upload = Honest(next_);
  for (const char* header : {"\xff\xff\xff\xff", "\x00\x00\x00\x00", "\x01\x00\x00\x10"}) {
    upload.bytes.replace(0, 4, header, 4);
    ExpectRefused(upload, ErrorCode::kCorrupt, "header");
  }
}

TEST_F(TransferAttackTest, AnAbsentObjectIsNamed) {
  const Upload honest = Honest(next_, {});
  for (std::size_t leave = 0; leave < honest.request.objects.size(); ++leave) {
    auto objects = honest.request.objects;
    const auto [kind, missing] = objects[leave];
    objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(leave));
    address_.name = "absent" + std::to_string(leave);
    ASSERT_TRUE(owner_.api().CreateRepo({.name = address_.name}).ok());
    Upload upload = honest;
    upload.bytes = Frames(objects, honest.request.contents);
    const auto result = Send(upload);
    ASSERT_FALSE(result.ok()) << ObjectKindName(kind);
    EXPECT_EQ(result.error().code(), ErrorCode::kNotFound) << result.error().message();
    EXPECT_NE(result.error().message().find(missing.ToHex().substr(0, 12)), std::string::npos)
        << result.error().message();
  }
}

TEST_F(TransferAttackTest, AnAbsentContentIsRefused) {
  Upload upload = Honest(next_);
  upload.bytes = Frames(upload.request.objects, {});
  ExpectRefused(upload, ErrorCode::kNotFound, "no contents");
}

TEST_F(TransferAttackTest, ACommitWithoutItsAuthorsSignatureIsRefused) {
  Upload upload = Honest(next_);
  upload.attachments.clear();
  ExpectRefused(upload, ErrorCode::kRejected, "not named");
}

TEST_F(TransferAttackTest, AForgedSignatureIsRefused) {
  Upload upload = Honest(next_);
  Attachment forged = SignCommit(next_, owner_.key(), kTime + 2);
  forged.payload.back() ^= std::byte{1};
  const Attachment strangers = SignCommit(next_, Keypair::FromSeed({std::byte{9}}), kTime);
  for (const Attachment& a : {forged, strangers}) {
    auto batch = repo_->objects().Begin().value();
    ASSERT_TRUE(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(a)).ok());
    ASSERT_TRUE(batch->Commit().ok());
    auto objects = upload.request.objects;
    std::erase_if(objects, [](const auto& o) { return o.first == ObjectKind::kAttachment; });
    objects.emplace_back(ObjectKind::kAttachment, IdOf(a).digest);
    upload.request.objects = objects;
    upload.attachments = {IdOf(a)};
    upload.bytes = Frames(objects, upload.request.contents);
    ExpectRefused(upload, ErrorCode::kRejected, "forged");
  }
}

TEST_F(TransferAttackTest, AnUploadGoesOnOnlyWhereItIs) {
  const Upload honest = Honest(next_);
  const auto state = owner_.api().CreatePush(address_, honest.request);
  ASSERT_TRUE(state.ok());
  const auto append = [&](std::uint64_t offset) {
    std::size_t left = 10;
    return owner_.api().AppendPush(address_, state->push, offset, left,
                                   [&](MutableByteView out) -> Result<std::size_t> {
                                     const std::size_t n = std::min(left, out.size());
                                     std::fill_n(out.begin(), n, std::byte{0});
                                     left -= n;
                                     return n;
                                   });
  };
  EXPECT_EQ(append(5).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(*append(0), 10u);
  EXPECT_EQ(append(0).error().code(), ErrorCode::kConflict);
  EXPECT_EQ(*owner_.api().PushOffset(address_, state->push), 10u);
  EXPECT_EQ(*append(10), 20u);
}

TEST_F(TransferAttackTest, AnotherWalletsPushDoesNotExist) {
  Site other(hub_->url(), 2);
  ASSERT_TRUE(owner_.api().SetMember(address_, other.wallet(), "maintainer").ok());
  const auto state = owner_.api().CreatePush(address_, Honest(next_).request);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(other.api().PushOffset(address_, state->push).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(other.api().FinishPush(address_, state->push, {}).error().code(), ErrorCode::kNotFound);
}

TEST_F(TransferAttackTest, AFinishedPushGivesTheSameAnswerAgain) {
  const Upload honest = Honest(next_);
  const auto state = owner_.api().CreatePush(address_, honest.request);
  std::size_t at = 0;
  ASSERT_TRUE(
      owner_.api()
          .AppendPush(address_, state->push, 0, honest.bytes.size(),
                      [&](MutableByteView out) -> Result<std::size_t> {
                        const std::size_t n = std::min(out.size(), honest.bytes.size() - at);
                        std::copy_n(AsBytes(honest.bytes).begin() + static_cast<std::ptrdiff_t>(at),
                                    n, out.begin());
                        at += n;
                        return n;
                      })
          .ok());
  wire::FinishRequest finish{.upload_bytes = honest.bytes.size(),
                             .attachments = honest.attachments,
                             .expected_old = first_,
                             .title = ""};
  const auto one = owner_.api().FinishPush(address_, state->push, finish);
  ASSERT_TRUE(one.ok()) << one.error().message();
  const auto two = owner_.api().FinishPush(address_, state->push, finish);
  ASSERT_TRUE(two.ok()) << two.error().message();
  EXPECT_EQ(*one, *two);
  EXPECT_EQ(*owner_.api().PushOffset(address_, state->push), honest.bytes.size());
}

TEST_F(TransferAttackTest, AModelWithNaNIsRefused) {
  std::string bytes = ModelBytes(1, 2, 3, 5000);
  bytes.replace(bytes.size() - 4, 4, std::string("\x00\x00\xc0\x7f", 4));
  CommitFile(*repo_, kModel, bytes, owner_.key(), kTime + 3);
  const auto pushed = Push(*repo_, owner_.api(), "origin");
  ASSERT_FALSE(pushed.ok());
  EXPECT_EQ(pushed.error().code(), ErrorCode::kPolicyViolation) << pushed.error().message();
}

TEST_F(TransferAttackTest, APathThatLeavesTheFolderIsRefused) {
  // Such a tree cannot be encoded by our own hand: its bytes are patched.
  const Commit commit = ReadCommit(repo_->objects(), next_).value();
  Bytes tree = repo_->objects().ReadObject(ObjectKind::kTree, commit.tree.digest).value();
  const std::string from = kModel;
  const std::string to = "../../../x.tensor";
  ASSERT_EQ(from.size(), to.size());
  const std::size_t at = std::string(AsText(tree)).find(from);
  ASSERT_NE(at, std::string::npos);
  std::copy_n(AsBytes(to).begin(), to.size(), tree.begin() + static_cast<std::ptrdiff_t>(at));
  Commit evil = commit;
  evil.tree = TreeId{*ComputeObjectId(ObjectKind::kTree, tree)};
  const CommitId id = IdOf(evil);
  const Attachment signature = SignCommit(id, owner_.key(), kTime);
  auto batch = repo_->objects().Begin().value();
  if (!batch->PutObject(ObjectKind::kTree, tree).ok()) return;  // not even our store takes it
  ASSERT_TRUE(batch->PutObject(ObjectKind::kCommit, EncodeCommit(evil)).ok());
  ASSERT_TRUE(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(signature)).ok());
  ASSERT_TRUE(batch->Commit().ok());
  Upload upload = Honest(next_);
  upload.request.tip = id;
  upload.request.objects = {{ObjectKind::kCommit, id.digest},
                            {ObjectKind::kTree, evil.tree.digest},
                            {ObjectKind::kAttachment, IdOf(signature).digest}};
  upload.attachments = {IdOf(signature)};
  upload.bytes = Frames(upload.request.objects, upload.request.contents);
  ExpectRefused(upload, ErrorCode::kCorrupt, "path");
}

TEST_F(TransferAttackTest, APackThatRottedOnTheHubNeverReachesARef) {
  ASSERT_TRUE(Push(*repo_, owner_.api(), "origin").ok());
  hub_.reset();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "hub/repos")) {
    if (entry.path().extension() != ".pack" || entry.file_size() < 20'000) continue;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    file.put('\x5a');
    file.put('\xa5');
  }
  TestHub again(folder_ / "hub");
  Site owner(again.url(), 1);
  const RepoAddress from{again.url(), owner_.wallet(), "digits"};
  const auto cloned = Clone(PosixEnv(), owner.api(), from, folder_ / "clone");
  ASSERT_FALSE(cloned.ok());
  EXPECT_EQ(cloned.error().code(), ErrorCode::kCorrupt) << cloned.error().message();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "clone/model.safetensors"));
}

}  // namespace
}  // namespace flair
