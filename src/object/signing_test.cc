// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "base/hex.h"
#include "object/attachment.h"

namespace flair {
namespace {

Keypair Key(unsigned seed) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = static_cast<std::byte>(seed);
  return Keypair::FromSeed(bytes);
}

Commit SomeCommit(const Keypair& author) {
  Commit c;
  c.author = author.wallet();
  c.message = "round 1";
  c.time_s = 1764038364;
  return c;
}

TEST(Signing, TheTextNamesWhatIsSigned) {
  const CommitId commit;
  EXPECT_EQ(CommitSigningText(commit), "Flair commit v1\n" + std::string(64, '0'));
  EXPECT_EQ(AttachmentSigningText({}), "Flair attachment v1\n" + std::string(64, '0'));
}

TEST(Signing, ACommitSignatureSurvivesStorage) {
  const Keypair key = Key(1);
  const Commit c = SomeCommit(key);
  const Attachment signature = SignCommit(IdOf(c), key, 5);
  const auto stored = DecodeAttachment(EncodeAttachment(signature));
  ASSERT_TRUE(stored.ok()) << stored.error().message();
  EXPECT_EQ(*stored, signature);
  EXPECT_TRUE(VerifyCommitSignature(c, *stored).ok());
  EXPECT_TRUE(VerifyAttachment(*stored).ok());
}

TEST(Signing, EveryForgeryIsRejectedForItsOwnReason) {
  const Keypair author = Key(1);
  const Keypair other = Key(2);
  const Commit c = SomeCommit(author);
  const struct {
    const char* name;
    std::function<void(Attachment&)> forge;
    ErrorCode code;
    const char* says;
  } kForgeries[] = {
      {"another commit", [](Attachment& a) { a.subject.digest.bytes[31] ^= std::byte{1}; },
       ErrorCode::kRejected, "the signature is of commit"},
      {"signed by another wallet", [&](Attachment& a) { a = SignCommit(IdOf(c), other, 0); },
       ErrorCode::kRejected, "but its author is"},
      {"another wallet's signature under the author's name",
       [&](Attachment& a) {
         a = SignCommit(IdOf(c), other, 0);
         a.author = author.wallet();
       },
       ErrorCode::kRejected, "signature is not by wallet"},
      {"a changed signature", [](Attachment& a) { a.payload[10] ^= std::byte{1}; },
       ErrorCode::kRejected, "signature is not by wallet"},
      {"another kind",
       [&](Attachment& a) {
         a.kind = AttachmentKind::kReview;
         SignAttachment(a, author);
       },
       ErrorCode::kRejected, "is a review, not a signature"},
      {"a signature over the bare id",
       [&](Attachment& a) {
         const Signature s = author.Sign(IdOf(c).digest.view());
         std::copy(s.begin(), s.end(), a.payload.begin() + 1);
       },
       ErrorCode::kRejected, "signature is not by wallet"},
      {"the off-chain envelope", [](Attachment& a) { a.payload[0] = std::byte{2}; },
       ErrorCode::kUnsupported, "scheme 2"},
      {"an unknown scheme", [](Attachment& a) { a.payload[0] = std::byte{9}; },
       ErrorCode::kUnsupported, "scheme 9"},
      {"no payload", [](Attachment& a) { a.payload.clear(); }, ErrorCode::kCorrupt, "65 bytes"},
  };
  for (const auto& f : kForgeries) {
    Attachment a = SignCommit(IdOf(c), author, 0);
    f.forge(a);
    const Status verdict = VerifyCommitSignature(c, a);
    ASSERT_FALSE(verdict.ok()) << f.name;
    EXPECT_EQ(verdict.error().code(), f.code) << f.name << ": " << verdict.error().message();
    EXPECT_NE(verdict.error().message().find(f.says), std::string::npos)
        << f.name << ": " << verdict.error().message();
  }
}

TEST(Signing, AnAttachmentBindsEveryPartOfItsBody) {
  const Keypair key = Key(3);
  Attachment review;
  review.kind = AttachmentKind::kReview;
  review.payload = ToBytes("approve");
  review.time_s = 7;
  SignAttachment(review, key);
  EXPECT_EQ(review.author, key.wallet());
  ASSERT_TRUE(VerifyAttachment(review).ok());

  const struct {
    const char* part;
    std::function<void(Attachment&)> change;
  } kParts[] = {
      {"subject", [](Attachment& a) { a.subject.digest.bytes[0] ^= std::byte{1}; }},
      {"kind", [](Attachment& a) { a.kind = AttachmentKind::kEval; }},
      {"payload", [](Attachment& a) { a.payload[0] ^= std::byte{1}; }},
      {"author", [](Attachment& a) { a.author = Key(4).wallet(); }},
      {"time", [](Attachment& a) { a.time_s += 1; }},
      {"signature", [](Attachment& a) { a.signature[0] ^= std::byte{1}; }},
      {"no signature", [](Attachment& a) { a.scheme.reset(); }},
  };
  for (const auto& p : kParts) {
    Attachment a = review;
    p.change(a);
    const Status verdict = VerifyAttachment(a);
    ASSERT_FALSE(verdict.ok()) << p.part;
    EXPECT_EQ(verdict.error().code(), ErrorCode::kRejected) << p.part;
  }
  Attachment enveloped = review;
  enveloped.scheme = SignatureScheme::kSolanaOffchain;
  EXPECT_EQ(VerifyAttachment(enveloped).error().code(), ErrorCode::kUnsupported);
}

TEST(Signing, AnAttachmentsIdLeavesItsSignatureOut) {
  Attachment a;
  a.kind = AttachmentKind::kMetadata;
  SignAttachment(a, Key(5));
  const AttachmentId before = IdOf(a);
  a.signature[3] ^= std::byte{1};
  EXPECT_EQ(IdOf(a), before);
  EXPECT_EQ(ComputeObjectId(ObjectKind::kAttachment, EncodeAttachment(a)).value(), before.digest);
}

}  // namespace
}  // namespace flair
