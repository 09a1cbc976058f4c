// SPDX-License-Identifier: Apache-2.0
#include "object/attachment.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/blake3.h"
#include "object/attachment_format.h"
#include "object/encoding.h"

namespace flair {
namespace {

constexpr std::uint32_t kSubject = 1;
constexpr std::uint32_t kKind = 2;
constexpr std::uint32_t kPayload = 3;
constexpr std::uint32_t kAuthor = 4;
constexpr std::uint32_t kTime = 5;
constexpr std::array kBodyFields = {kSubject, kKind, kPayload, kAuthor, kTime};

// A commit signature's payload: scheme byte, then the signature.
constexpr std::size_t kSignaturePayloadBytes = 1 + std::tuple_size_v<Signature>;

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }
Error Rejected(std::string what) { return Error(ErrorCode::kRejected, std::move(what)); }

Status CheckScheme(std::uint64_t scheme) {
  if (scheme == static_cast<std::uint64_t>(SignatureScheme::kRaw)) return OkStatus();
  return Error(ErrorCode::kUnsupported, "signature scheme " + std::to_string(scheme) +
                                            " is not accepted by this version of flair");
}

Result<Attachment> DecodeBody(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kBodyFields));
  if (!m.unknown().empty()) {
    return Corrupt("field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  Attachment a;
  FLAIR_TRY(a.subject.digest, m.TakeDigest(kSubject));
  FLAIR_TRY(const std::uint64_t kind, m.Uint(kKind));
  if (kind == 0 || kind > static_cast<std::uint64_t>(AttachmentKind::kMetadata)) {
    return Error(ErrorCode::kUnsupported,
                 "kind " + std::to_string(kind) + " is not known to this version of flair");
  }
  a.kind = static_cast<AttachmentKind>(kind);
  if (m.Has(kPayload)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kPayload));
    if (payload.empty()) return Corrupt("an empty payload, which is left out");
    a.payload.assign(payload.begin(), payload.end());
  }
  FLAIR_TRY(const ByteView author, m.Raw(kAuthor));
  FLAIR_TRY(a.author, Wallet::FromBytes(author));
  FLAIR_TRY(a.time_s, m.Uint(kTime));
  if (a.time_s > kMaxTimeSeconds) return Corrupt("its time lies after the year 9999");
  return a;
}

Result<Attachment> DecodeEnvelope(ByteView envelope) {
  if (envelope.size() > kMaxAttachmentBytes) {
    return Corrupt(std::to_string(envelope.size()) + " bytes; the limit is " +
                   std::to_string(kMaxAttachmentBytes));
  }
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(envelope, kAttachmentEnvelopeFields));
  if (!m.unknown().empty()) {
    return Corrupt("field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  FLAIR_TRY(const ByteView body, m.Raw(kEnvelopeBody));
  FLAIR_TRY(Attachment a, DecodeBody(body));
  if (a.kind == AttachmentKind::kSignature) {
    if (m.Has(kEnvelopeScheme) || m.Has(kEnvelopeSignature)) {
      return Corrupt("a commit signature is not signed itself");
    }
    if (a.payload.size() != kSignaturePayloadBytes) {
      return Corrupt("a commit signature has " + std::to_string(kSignaturePayloadBytes) +
                     " bytes, this has " + std::to_string(a.payload.size()));
    }
    return a;
  }
  FLAIR_TRY(const std::uint64_t scheme, m.Uint(kEnvelopeScheme));
  if (scheme != static_cast<std::uint64_t>(SignatureScheme::kRaw) &&
      scheme != static_cast<std::uint64_t>(SignatureScheme::kSolanaOffchain)) {
    return Error(ErrorCode::kUnsupported, "signature scheme " + std::to_string(scheme) +
                                              " is not known to this version of flair");
  }
  a.scheme = static_cast<SignatureScheme>(scheme);
  FLAIR_TRY(const ByteView signature, m.Raw(kEnvelopeSignature));
  if (signature.size() != a.signature.size()) {
    return Corrupt("a signature has 64 bytes, this has " + std::to_string(signature.size()));
  }
  std::copy(signature.begin(), signature.end(), a.signature.begin());
  return a;
}

// REQUIRES: a.kind == kSignature.
Status VerifyCommitSignatureOf(const Wallet& author, const Attachment& a) {
  if (a.payload.size() != kSignaturePayloadBytes) {
    return Corrupt("a commit signature has " + std::to_string(kSignaturePayloadBytes) +
                   " bytes, this has " + std::to_string(a.payload.size()));
  }
  FLAIR_DO(CheckScheme(std::to_integer<std::uint64_t>(a.payload[0])));
  Signature signature;
  std::copy(a.payload.begin() + 1, a.payload.end(), signature.begin());
  return VerifySignature(author, AsBytes(CommitSigningText(a.subject)), signature);
}

}  // namespace

std::string_view AttachmentKindName(AttachmentKind k) {
  switch (k) {
    case AttachmentKind::kSignature:
      return "signature";
    case AttachmentKind::kProof:
      return "proof";
    case AttachmentKind::kCommitment:
      return "commitment";
    case AttachmentKind::kReceipt:
      return "receipt";
    case AttachmentKind::kReview:
      return "review";
    case AttachmentKind::kEval:
      return "eval";
    case AttachmentKind::kNft:
      return "nft";
    case AttachmentKind::kMetadata:
      return "metadata";
  }
  return "unknown";
}

Bytes EncodeAttachmentBody(const Attachment& a) {
  MessageEncoder m;
  m.Raw(kSubject, a.subject.digest.view());
  m.Uint(kKind, static_cast<std::uint64_t>(a.kind));
  if (!a.payload.empty()) m.Raw(kPayload, a.payload);
  m.Raw(kAuthor, a.author.view());
  m.Uint(kTime, a.time_s);
  return m.Take();
}

Bytes EncodeAttachment(const Attachment& a) {
  MessageEncoder m;
  m.Raw(kEnvelopeBody, EncodeAttachmentBody(a));
  if (a.scheme) {
    m.Uint(kEnvelopeScheme, static_cast<std::uint64_t>(*a.scheme));
    m.Raw(kEnvelopeSignature, a.signature);
  }
  return m.Take();
}

Result<Attachment> DecodeAttachment(ByteView envelope) {
  auto a = DecodeEnvelope(envelope);
  if (!a.ok()) return std::move(a).error().In("attachment");
  return a;
}

AttachmentId IdOf(const Attachment& a) {
  return {Blake3DeriveKey("flair.v1.attachment", EncodeAttachmentBody(a))};
}

std::string AttachmentSigningText(const AttachmentId& id) {
  return "Flair attachment v1\n" + id.ToHex();
}

Attachment SignCommit(const CommitId& id, const Keypair& key, std::uint64_t time_s) {
  Attachment a;
  a.subject = id;
  a.kind = AttachmentKind::kSignature;
  a.author = key.wallet();
  a.time_s = time_s;
  const Signature signature = key.Sign(AsBytes(CommitSigningText(id)));
  a.payload.reserve(kSignaturePayloadBytes);
  a.payload.push_back(static_cast<std::byte>(SignatureScheme::kRaw));
  Append(a.payload, signature);
  return a;
}

void SignAttachment(Attachment& a, const Keypair& key) {
  FLAIR_CHECK(a.kind != AttachmentKind::kSignature) << "SignCommit makes commit signatures";
  a.author = key.wallet();
  a.scheme = SignatureScheme::kRaw;
  a.signature = key.Sign(AsBytes(AttachmentSigningText(IdOf(a))));
}

Status VerifyAttachment(const Attachment& a) {
  if (a.kind == AttachmentKind::kSignature) return VerifyCommitSignatureOf(a.author, a);
  if (!a.scheme) return Rejected("attachment " + IdOf(a).Short() + " is not signed");
  FLAIR_DO(CheckScheme(static_cast<std::uint64_t>(*a.scheme)));
  return VerifySignature(a.author, AsBytes(AttachmentSigningText(IdOf(a))), a.signature);
}

Status VerifyCommitSignature(const Commit& commit, const Attachment& signature) {
  const CommitId id = IdOf(commit);
  if (signature.kind != AttachmentKind::kSignature) {
    return Rejected("commit " + id.Short() + ": the attachment is a " +
                    std::string(AttachmentKindName(signature.kind)) + ", not a signature");
  }
  if (signature.subject != id) {
    return Rejected("commit " + id.Short() + ": the signature is of commit " +
                    signature.subject.Short());
  }
  if (signature.author != commit.author) {
    return Rejected("commit " + id.Short() + ": signed by " + signature.author.ToBase58() +
                    ", but its author is " + commit.author.ToBase58());
  }
  auto verdict = VerifyCommitSignatureOf(commit.author, signature);
  if (!verdict.ok()) return std::move(verdict).error().In("commit " + id.Short());
  return verdict;
}

}  // namespace flair
