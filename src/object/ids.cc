// SPDX-License-Identifier: Apache-2.0
#include "object/ids.h"

#include "crypto/blake3.h"
#include "object/attachment_format.h"
#include "object/encoding.h"

namespace flair {

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kFile:
      return "file";
    case ObjectKind::kTree:
      return "tree";
    case ObjectKind::kCommit:
      return "commit";
    case ObjectKind::kAttachment:
      return "attachment";
  }
  return "unknown";
}

Result<Digest> ComputeObjectId(ObjectKind kind, ByteView stored) {
  switch (kind) {
    case ObjectKind::kFile:
      return Blake3DeriveKey("flair.v1.file", stored);
    case ObjectKind::kTree:
      return Blake3DeriveKey("flair.v1.tree", stored);
    case ObjectKind::kCommit:
      return Blake3DeriveKey("flair.v1.commit", stored);
    case ObjectKind::kAttachment: {
      auto envelope = MessageDecoder::Parse(stored, kAttachmentEnvelopeFields);
      if (!envelope.ok()) return std::move(envelope).error().In("attachment");
      auto body = envelope->Raw(kEnvelopeBody);
      if (!body.ok()) return std::move(body).error().In("attachment");
      return Blake3DeriveKey("flair.v1.attachment", *body);
    }
  }
  return Error(ErrorCode::kCorrupt,
               "object kind " + std::to_string(static_cast<unsigned>(kind)) + " is not known");
}

}  // namespace flair
