// Attachment: what is learnt about a commit after it was made.
//
// Place: object. The id covers the body; the stored object is an envelope of
// body and signature. A commit's own signature is an attachment of kind
// kSignature, whose payload is scheme byte and 64 signature bytes over
// CommitSigningText, and whose envelope carries no second signature. Every other
// kind is signed by its author over "Flair attachment v1\n<id>".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/ed25519.h"
#include "object/commit.h"
#include "object/ids.h"

namespace flair {

inline constexpr std::size_t kMaxAttachmentBytes = std::size_t{16} << 20;

enum class AttachmentKind : std::uint8_t {
  kSignature = 1,
  kProof = 2,
  kCommitment = 3,
  kReceipt = 4,
  kReview = 5,
  kEval = 6,
  kNft = 7,
  kMetadata = 8,
};
std::string_view AttachmentKindName(AttachmentKind k);

// How the signed text reached the key.
enum class SignatureScheme : std::uint8_t {
  kRaw = 1,             // the text's bytes
  kSolanaOffchain = 2,  // Solana's off-chain message envelope (not accepted yet)
};

struct Attachment {
  CommitId subject;
  AttachmentKind kind = AttachmentKind::kSignature;
  Bytes payload;
  Wallet author;
  std::uint64_t time_s = 0;
  // Absent for kSignature, present for every other kind.
  std::optional<SignatureScheme> scheme;
  Signature signature{};
  bool operator==(const Attachment&) const = default;
};

Bytes EncodeAttachmentBody(const Attachment& a);
Bytes EncodeAttachment(const Attachment& a);  // the envelope, as stored
Result<Attachment> DecodeAttachment(ByteView envelope);
AttachmentId IdOf(const Attachment& a);
std::string AttachmentSigningText(const AttachmentId& id);

// A kSignature attachment by `key` over the commit.
Attachment SignCommit(const CommitId& id, const Keypair& key, std::uint64_t time_s);
// Any other kind: fills author, scheme and signature.
void SignAttachment(Attachment& a, const Keypair& key);

// Errors: kRejected when the signature is false, kUnsupported for an unknown
// scheme. For kSignature the author must be the commit's: pass the commit.
Status VerifyAttachment(const Attachment& a);
Status VerifyCommitSignature(const Commit& commit, const Attachment& signature);

}  // namespace flair
