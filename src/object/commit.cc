// SPDX-License-Identifier: Apache-2.0
#include "object/commit.h"

#include <array>

#include "crypto/blake3.h"
#include "object/commit_format.h"

namespace flair {
namespace {

constexpr std::uint32_t kTree = 1;
constexpr std::uint32_t kParents = 2;
constexpr std::uint32_t kAuthor = 3;
constexpr std::uint32_t kTime = 4;
constexpr std::uint32_t kMessage = 5;
constexpr std::uint32_t kTraining = 6;
constexpr std::uint32_t kMerge = 7;
constexpr std::uint32_t kLineage = 8;
constexpr std::array kCommitFields = {kTree,    kParents,  kAuthor, kTime,
                                      kMessage, kTraining, kMerge,  kLineage};

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

Result<std::vector<CommitId>> DecodeParents(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty list of parents, which is left out");
  if (payload.size() % Digest::kBytes != 0) return Corrupt("the list of parents is cut off");
  if (payload.size() / Digest::kBytes > kMaxParents) {
    return Corrupt("more than " + std::to_string(kMaxParents) + " parents");
  }
  std::vector<CommitId> parents;
  ByteReader reader(payload);
  while (!reader.empty()) {
    FLAIR_TRY(const Digest id, reader.TakeDigest());
    parents.push_back({id});
  }
  for (std::size_t i = 1; i < parents.size(); ++i) {
    if (parents[i] == parents[0]) return Corrupt("parent " + parents[i].Short() + " repeats");
    if (i > 1 && parents[i] <= parents[i - 1]) {
      return Corrupt("parent " + parents[i].Short() + " is out of order or repeats");
    }
  }
  return parents;
}

Result<std::vector<Lineage>> DecodeLineage(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty lineage, which is left out");
  std::vector<Lineage> lineage;
  ByteReader reader(payload);
  while (!reader.empty()) {
    if (lineage.size() == kMaxLineage) {
      return Corrupt("more than " + std::to_string(kMaxLineage) + " lineage entries");
    }
    FLAIR_TRY(const std::uint64_t kind, reader.Varint());
    if (kind == 0 || kind > static_cast<std::uint64_t>(LineageKind::kCherryPick)) {
      return Error(ErrorCode::kUnsupported, "lineage kind " + std::to_string(kind) +
                                                " is not known to this version of flair");
    }
    FLAIR_TRY(const Digest id, reader.TakeDigest());
    lineage.push_back({.kind = static_cast<LineageKind>(kind), .commit = {id}});
  }
  return lineage;
}

Result<Commit> DecodeFields(ByteView bytes) {
  if (bytes.size() > kMaxCommitBytes) {
    return Corrupt(std::to_string(bytes.size()) + " bytes; the limit is " +
                   std::to_string(kMaxCommitBytes));
  }
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kCommitFields));
  Commit c;
  c.unknown = m.unknown();
  FLAIR_TRY(c.tree.digest, m.TakeDigest(kTree));
  if (m.Has(kParents)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kParents));
    FLAIR_TRY(c.parents, DecodeParents(payload));
  }
  FLAIR_TRY(const ByteView author, m.Raw(kAuthor));
  FLAIR_TRY(c.author, Wallet::FromBytes(author));
  FLAIR_TRY(c.time_s, m.Uint(kTime));
  if (c.time_s > kMaxTimeSeconds) return Corrupt("its time lies after the year 9999");
  FLAIR_TRY(c.message, m.TextOr(kMessage, ""));
  if (c.message.size() > kMaxMessageBytes) {
    return Corrupt("a message of " + std::to_string(c.message.size()) + " bytes; the limit is " +
                   std::to_string(kMaxMessageBytes));
  }
  if (m.Has(kTraining)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kTraining));
    FLAIR_TRY(c.training, DecodeTraining(payload));
  }
  if (m.Has(kMerge)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kMerge));
    FLAIR_TRY(c.merge, DecodeRecipe(payload));
    if (!c.merge->alpha.empty() && c.merge->alpha.size() + 1 != c.parents.size()) {
      return Corrupt("merge: " + std::to_string(c.merge->alpha.size()) + " weights for " +
                     std::to_string(c.parents.size()) + " parents");
    }
  }
  if (m.Has(kLineage)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kLineage));
    FLAIR_TRY(c.lineage, DecodeLineage(payload));
  }
  return c;
}

}  // namespace

Bytes EncodeCommit(const Commit& c) {
  MessageEncoder m;
  m.Raw(kTree, c.tree.digest.view());
  if (!c.parents.empty()) {
    Bytes list;
    for (const CommitId& parent : c.parents) Append(list, parent.digest.view());
    m.Raw(kParents, list);
  }
  m.Raw(kAuthor, c.author.view());
  m.Uint(kTime, c.time_s);
  if (!c.message.empty()) m.Text(kMessage, c.message);
  if (c.training) m.Raw(kTraining, EncodeTraining(*c.training));
  if (c.merge) m.Raw(kMerge, EncodeRecipe(*c.merge));
  if (!c.lineage.empty()) {
    Bytes list;
    for (const Lineage& l : c.lineage) {
      AppendVarint(list, static_cast<std::uint64_t>(l.kind));
      Append(list, l.commit.digest.view());
    }
    m.Raw(kLineage, list);
  }
  for (const UnknownField& field : c.unknown) m.Raw(field.number, field.payload);
  return m.Take();
}

Result<Commit> DecodeCommit(ByteView bytes) {
  auto c = DecodeFields(bytes);
  if (!c.ok()) return std::move(c).error().In("commit");
  return c;
}

CommitId IdOf(const Commit& c) { return {Blake3DeriveKey("flair.v1.commit", EncodeCommit(c))}; }

std::string CommitSigningText(const CommitId& id) { return "Flair commit v1\n" + id.ToHex(); }

}  // namespace flair
