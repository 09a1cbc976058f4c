// Ids: one type per kind of object, so that a tree never passes for a commit.
//
// Place: object. An id is BLAKE3 in derive_key mode over an object's canonical
// bytes, one context per kind (docs/formats/object.md). It never depends on how
// a store keeps the object.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/digest.h"

namespace flair {

// The kinds a store holds. Numeric values are part of the pack format.
enum class ObjectKind : std::uint8_t {
  kFile = 1,
  kTree = 2,
  kCommit = 3,
  kAttachment = 4,
};

std::string_view ObjectKindName(ObjectKind kind);

template <typename Tag>
struct Id {
  Digest digest;

  auto operator<=>(const Id&) const = default;
  std::string ToHex() const { return digest.ToHex(); }
  // What people read: the first 12 digits.
  std::string Short() const { return digest.ToHex().substr(0, 12); }
  static Result<Id> FromHex(std::string_view text) {
    FLAIR_TRY(Digest d, Digest::FromHex(text));
    return Id{d};
  }
};

using TensorId = Id<struct TensorTag>;
using BlobId = Id<struct BlobTag>;
using FileId = Id<struct FileTag>;
using TreeId = Id<struct TreeTag>;
using CommitId = Id<struct CommitTag>;
using AttachmentId = Id<struct AttachmentTag>;

struct IdHash {
  template <typename Tag>
  std::size_t operator()(const Id<Tag>& id) const {
    return DigestHash{}(id.digest);
  }
};

// The id of an object from its stored bytes. For an attachment the id covers the
// body only, not the envelope's signature.
// Errors: kCorrupt when an attachment's envelope does not decode.
Result<Digest> ComputeObjectId(ObjectKind kind, ByteView stored);

}  // namespace flair
