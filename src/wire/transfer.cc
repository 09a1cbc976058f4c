// SPDX-License-Identifier: Apache-2.0
#include "wire/transfer.h"

#include <algorithm>
#include <limits>

namespace flair::wire {
namespace {

Error Invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

template <typename Ids>
json::array HexArray(const Ids& ids) {
  json::array out;
  out.reserve(ids.size());
  for (const auto& id : ids) out.emplace_back(id.ToHex());
  return out;
}

json::array NameArray(const std::vector<ObjectName>& names) {
  json::array out;
  out.reserve(names.size());
  for (const ObjectName& name : names) out.emplace_back(ToText(name));
  return out;
}

Result<std::vector<Digest>> Digests(const json::object& o, std::string_view name,
                                    std::size_t max_items) {
  FLAIR_TRY(const std::vector<std::string> texts, GetStrings(o, name, max_items));
  std::vector<Digest> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    auto digest = Digest::FromHex(text);
    if (!digest.ok()) return std::move(digest).error().In("'" + std::string(name) + "'");
    out.push_back(*digest);
  }
  return out;
}

template <typename Id>
Result<std::vector<Id>> Ids(const json::object& o, std::string_view name, std::size_t max_items) {
  FLAIR_TRY(const std::vector<Digest> digests, Digests(o, name, max_items));
  std::vector<Id> out;
  out.reserve(digests.size());
  for (const Digest& digest : digests) out.push_back(Id{digest});
  return out;
}

Result<CommitId> GetCommit(const json::object& o, std::string_view name) {
  FLAIR_TRY(const std::string text, GetString(o, name));
  auto id = CommitId::FromHex(text);
  if (!id.ok()) return std::move(id).error().In("'" + std::string(name) + "'");
  return id;
}

Result<std::vector<ObjectName>> Names(const json::object& o, std::string_view name) {
  FLAIR_TRY(const std::vector<std::string> texts, GetStrings(o, name, kMaxNamed));
  std::vector<ObjectName> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    FLAIR_TRY(ObjectName object, ParseObjectName(text));
    out.push_back(object);
  }
  return out;
}

Result<std::string> GetText(const json::object& o, std::string_view name) {
  FLAIR_TRY(std::string text, GetStringOr(o, name, ""));
  if (text.size() > kMaxTextBytes) {
    return Error(ErrorCode::kUnsupported, "'" + std::string(name) + "' is longer than " +
                                              std::to_string(kMaxTextBytes) + " bytes");
  }
  return text;
}

Result<Piece> DecodePiece(const json::value& v) {
  if (!v.is_object()) return Invalid("'records' must be a list of objects");
  Piece piece;
  FLAIR_TRY(piece.pack, GetString(v.get_object(), "pack"));
  FLAIR_DO(CheckPackName(piece.pack));
  FLAIR_TRY(piece.offset, GetUint(v.get_object(), "offset"));
  FLAIR_TRY(piece.length_bytes, GetUint(v.get_object(), "length"));
  FLAIR_TRY(piece.seal, GetBoolOr(v.get_object(), "seal", false));
  if (piece.length_bytes == 0 || piece.length_bytes > kMaxPieceBytes) {
    return Invalid("'records': a length of " + std::to_string(piece.length_bytes) + " bytes");
  }
  if (piece.offset > kMaxTransferBytes) return Invalid("'records': an offset beyond every pack");
  return piece;
}

}  // namespace

std::string ToText(const ObjectName& name) {
  return std::string(ObjectKindName(name.first)) + ":" + name.second.ToHex();
}

Result<ObjectName> ParseObjectName(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    for (const ObjectKind kind :
         {ObjectKind::kFile, ObjectKind::kTree, ObjectKind::kCommit, ObjectKind::kAttachment}) {
      if (text.substr(0, colon) != ObjectKindName(kind)) continue;
      FLAIR_TRY(const Digest digest, Digest::FromHex(text.substr(colon + 1)));
      return ObjectName{kind, digest};
    }
  }
  return Invalid("no object is named '" + std::string(text.substr(0, 100)) + "'");
}

Status CheckPackName(std::string_view name) {
  constexpr std::string_view kEnding = ".pack";
  if (name.size() == 64 + kEnding.size() && name.substr(64) == kEnding &&
      IsLowerHex(name.substr(0, 64))) {
    return OkStatus();
  }
  return Invalid("no pack is named '" + std::string(name.substr(0, 100)) + "'");
}

Status CheckPushId(std::string_view id) {
  if (id.size() == 32 && IsLowerHex(id)) return OkStatus();
  return Invalid("no push is named '" + std::string(id.substr(0, 100)) + "'");
}

std::string Encode(const FetchRequest& m) {
  json::object o;
  o["wants"] = HexArray(m.wants);
  o["haves"] = HexArray(m.haves);
  if (!m.have_contents.empty()) o["have_contents"] = HexArray(m.have_contents);
  if (m.partial) o["partial"] = true;
  if (!m.tensors_glob.empty()) o["tensors_glob"] = m.tensors_glob;
  if (m.depth != 0) o["depth"] = m.depth;
  return ToText(o);
}

Result<FetchRequest> DecodeFetchRequest(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FetchRequest m;
  FLAIR_TRY(m.wants, Ids<CommitId>(o, "wants", kMaxWants));
  FLAIR_TRY(m.haves, Ids<CommitId>(o, "haves", kMaxHaves));
  FLAIR_TRY(m.have_contents, Digests(o, "have_contents", kMaxNamed));
  FLAIR_TRY(m.partial, GetBoolOr(o, "partial", false));
  FLAIR_TRY(m.tensors_glob, GetText(o, "tensors_glob"));
  FLAIR_TRY(const std::uint64_t depth, GetUintOr(o, "depth", 0));
  if (depth > std::numeric_limits<std::uint32_t>::max()) return Invalid("'depth' is too large");
  m.depth = static_cast<std::uint32_t>(depth);
  if (m.wants.empty()) return Invalid("'wants' names no commit");
  return m;
}

std::string Encode(const FetchPlan& m) {
  json::object o;
  o["objects"] = NameArray(m.objects);
  json::array records;
  records.reserve(m.pieces.size());
  for (const Piece& piece : m.pieces) {
    json::object record{
        {"pack", piece.pack}, {"offset", piece.offset}, {"length", piece.length_bytes}};
    if (piece.seal) record["seal"] = true;
    records.emplace_back(std::move(record));
  }
  o["records"] = std::move(records);
  o["shallow"] = HexArray(m.shallow);
  o["total_bytes"] = m.total_bytes;
  return ToText(o);
}

Result<FetchPlan> DecodeFetchPlan(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, 4 * kMaxJsonBytes));
  FetchPlan m;
  FLAIR_TRY(m.objects, Names(o, "objects"));
  FLAIR_TRY(const json::array* records, GetArray(o, "records", kMaxPieces));
  std::uint64_t total = 0;
  if (records != nullptr) {
    m.pieces.reserve(records->size());
    for (const json::value& record : *records) {
      FLAIR_TRY(Piece piece, DecodePiece(record));
      total += piece.length_bytes;  // at most kMaxPieces * kMaxPieceBytes: no overflow
      m.pieces.push_back(std::move(piece));
    }
  }
  FLAIR_TRY(m.shallow, Ids<CommitId>(o, "shallow", kMaxNamed));
  FLAIR_TRY(m.total_bytes, GetUint(o, "total_bytes"));
  if (m.total_bytes != total) {
    return Invalid("'total_bytes' is " + std::to_string(m.total_bytes) +
                   ", the records add up to " + std::to_string(total));
  }
  if (total > kMaxTransferBytes) {
    return Error(ErrorCode::kUnsupported, "a transfer of " + std::to_string(total) + " bytes");
  }
  return m;
}

std::string Encode(const PushRequest& m) {
  json::object o;
  o["target"] = m.target;
  o["source_branch"] = m.source_branch;
  o["tip"] = m.tip.ToHex();
  o["objects"] = NameArray(m.objects);
  o["contents"] = HexArray(m.contents);
  return ToText(o);
}

Result<PushRequest> DecodePushRequest(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  PushRequest m;
  FLAIR_TRY(m.target, GetString(o, "target"));
  FLAIR_TRY(m.source_branch, GetString(o, "source_branch"));
  if (m.target.empty() || m.target.size() > 250) return Invalid("'target' must name a branch");
  if (m.source_branch.empty() || m.source_branch.size() > 250) {
    return Invalid("'source_branch' must name a branch");
  }
  FLAIR_TRY(m.tip, GetCommit(o, "tip"));
  FLAIR_TRY(m.objects, Names(o, "objects"));
  FLAIR_TRY(m.contents, Digests(o, "contents", kMaxNamed));
  return m;
}

std::string Encode(const PushState& m) {
  json::object o;
  o["push"] = m.push;
  o["missing_objects"] = NameArray(m.missing_objects);
  o["missing_contents"] = HexArray(m.missing_contents);
  o["offset"] = m.offset;
  return ToText(o);
}

Result<PushState> DecodePushState(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  PushState m;
  FLAIR_TRY(m.push, GetString(o, "push"));
  FLAIR_DO(CheckPushId(m.push));
  FLAIR_TRY(m.missing_objects, Names(o, "missing_objects"));
  FLAIR_TRY(m.missing_contents, Digests(o, "missing_contents", kMaxNamed));
  FLAIR_TRY(m.offset, GetUint(o, "offset"));
  return m;
}

std::string Encode(const FinishRequest& m) {
  json::object o;
  o["upload_bytes"] = m.upload_bytes;
  o["attachments"] = HexArray(m.attachments);
  if (m.expected_old.has_value()) o["expected_old"] = m.expected_old->ToHex();
  if (!m.title.empty()) o["title"] = m.title;
  return ToText(o);
}

Result<FinishRequest> DecodeFinishRequest(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FinishRequest m;
  FLAIR_TRY(m.upload_bytes, GetUintOr(o, "upload_bytes", 0));
  FLAIR_TRY(m.attachments, Ids<AttachmentId>(o, "attachments", kMaxNamed));
  FLAIR_TRY(const std::string old, GetStringOr(o, "expected_old", ""));
  if (!old.empty()) {
    FLAIR_TRY(m.expected_old, GetCommit(o, "expected_old"));
  }
  FLAIR_TRY(m.title, GetText(o, "title"));
  return m;
}

std::string Encode(const FinishResult& m) {
  json::object o;
  if (m.working) {
    o["working"] = true;
    return ToText(o);
  }
  o["moved"] = m.moved;
  o["commit"] = m.commit.ToHex();
  if (m.proposal_number != 0) {
    o["proposal"] = json::object{{"number", m.proposal_number}, {"url", m.proposal_url}};
  }
  if (!m.evidence_json.empty()) {
    if (auto evidence = ParseJson(m.evidence_json); evidence.ok()) {
      o["evidence"] = std::move(evidence).value();
    }
  }
  json::array checks;
  for (const PushCheck& check : m.checks) {
    checks.emplace_back(
        json::object{{"name", check.name}, {"passed", check.passed}, {"detail", check.detail}});
  }
  o["checks"] = std::move(checks);
  return ToText(o);
}

Result<FinishResult> DecodeFinishResult(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FinishResult m;
  FLAIR_TRY(m.working, GetBoolOr(o, "working", false));
  if (m.working) return m;
  FLAIR_TRY(m.moved, GetBoolOr(o, "moved", false));
  FLAIR_TRY(m.commit, GetCommit(o, "commit"));
  FLAIR_TRY(const json::object* proposal, GetObject(o, "proposal"));
  if (proposal != nullptr) {
    FLAIR_TRY(m.proposal_number, GetUint(*proposal, "number"));
    FLAIR_TRY(m.proposal_url, GetStringOr(*proposal, "url", ""));
  }
  FLAIR_TRY(const json::object* evidence, GetObject(o, "evidence"));
  if (evidence != nullptr) m.evidence_json = ToText(*evidence);
  FLAIR_TRY(const json::array* checks, GetArray(o, "checks", kMaxNamed));
  if (checks != nullptr) {
    for (const json::value& v : *checks) {
      if (!v.is_object()) return Invalid("'checks' must be a list of objects");
      PushCheck check;
      FLAIR_TRY(check.name, GetString(v.get_object(), "name"));
      FLAIR_TRY(check.passed, GetBoolOr(v.get_object(), "passed", false));
      FLAIR_TRY(check.detail, GetStringOr(v.get_object(), "detail", ""));
      m.checks.push_back(std::move(check));
    }
  }
  return m;
}

}  // namespace flair::wire
