// SPDX-License-Identifier: Apache-2.0
#include "wire/proposals.h"

#include "base/hex.h"
#include "object/commit.h"

namespace flair::wire {

Result<Proposal> DecodeProposal(const json::object& o) {
  Proposal m;
  FLAIR_TRY(m.number, GetUint(o, "number"));
  FLAIR_TRY(m.state, GetString(o, "state"));
  FLAIR_TRY(m.title, GetStringOr(o, "title", ""));
  FLAIR_TRY(m.author, GetStringOr(o, "author", ""));
  FLAIR_TRY(m.author_handle, GetStringOr(o, "author_handle", ""));
  FLAIR_TRY(m.source_branch, GetStringOr(o, "source_branch", ""));
  FLAIR_TRY(m.target, GetStringOr(o, "target", ""));
  FLAIR_TRY(m.commit, GetStringOr(o, "commit", ""));
  FLAIR_TRY(m.url, GetStringOr(o, "url", ""));
  FLAIR_TRY(m.created_at, GetStringOr(o, "created_at", ""));
  FLAIR_TRY(m.updated_at, GetStringOr(o, "updated_at", ""));
  m.raw = ToText(o);
  return m;
}

Result<Proposal> DecodeProposal(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  return DecodeProposal(o);
}

Result<std::vector<Proposal>> DecodeProposalList(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FLAIR_TRY(const json::array* items, GetArray(o, "proposals", kMaxNamed));
  std::vector<Proposal> out;
  if (items == nullptr) return out;
  for (const json::value& item : *items) {
    if (!item.is_object()) {
      return Error(ErrorCode::kInvalidArgument, "'proposals' must be a list of objects");
    }
    FLAIR_TRY(Proposal m, DecodeProposal(item.get_object()));
    out.push_back(std::move(m));
  }
  return out;
}

std::string Encode(const MergeRequest& m) {
  json::object o;
  json::array numbers;
  for (const std::uint64_t number : m.proposals) numbers.emplace_back(number);
  o["proposals"] = std::move(numbers);
  if (!m.method.empty()) o["method"] = m.method;
  if (!m.weights.empty()) o["weights"] = m.weights;
  o["message"] = m.message;
  o["time_s"] = m.time_s;
  o["author"] = m.author;
  if (!m.parameters.empty()) {
    json::object parameters;
    for (const auto& [name, value] : m.parameters) parameters[name] = value;
    o["parameters"] = std::move(parameters);
  }
  return ToText(o);
}

Result<MergeRequest> DecodeMergeRequest(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  const auto invalid = [](std::string message) {
    return Error(ErrorCode::kInvalidArgument, std::move(message));
  };
  MergeRequest m;
  FLAIR_TRY(const json::array* numbers, GetArray(o, "proposals", kMaxParents));
  if (numbers == nullptr || numbers->empty()) return invalid("'proposals' names none");
  for (const json::value& v : *numbers) {
    if (!v.is_int64() && !v.is_uint64()) return invalid("'proposals' must be a list of numbers");
    const std::int64_t number = v.is_int64() ? v.get_int64() : 0;
    if (number <= 0) return invalid("'proposals': no proposal has such a number");
    m.proposals.push_back(static_cast<std::uint64_t>(number));
  }
  FLAIR_TRY(m.method, GetStringOr(o, "method", ""));
  FLAIR_TRY(m.weights, GetStringOr(o, "weights", ""));
  FLAIR_TRY(m.message, GetStringOr(o, "message", ""));
  FLAIR_TRY(m.time_s, GetUintOr(o, "time_s", 0));
  FLAIR_TRY(m.author, GetStringOr(o, "author", ""));
  if (m.method.size() > kMaxNameBytes) return invalid("'method' is too long");
  if (m.weights.size() > kMaxTextBytes) return invalid("'weights' is too long");
  if (m.message.size() > kMaxMessageBytes) return invalid("'message' is too long");
  FLAIR_TRY(const json::object* parameters, GetObject(o, "parameters"));
  if (parameters != nullptr) {
    if (parameters->size() > kMaxRecipeParameters) return invalid("too many 'parameters'");
    for (const auto& item : *parameters) {
      const std::string name(item.key().data(), item.key().size());
      FLAIR_TRY(std::string value, GetString(*parameters, name));
      if (value.size() > kMaxParameterBytes) return invalid("parameter '" + name + "' is too long");
      m.parameters.emplace_back(name, std::move(value));
    }
  }
  return m;
}

Result<PreparedMerge> DecodePreparedMerge(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  PreparedMerge m;
  FLAIR_TRY(m.merge, GetStringOr(o, "merge", ""));
  FLAIR_TRY(const std::string body, GetStringOr(o, "commit_body", ""));
  if (body.size() > 2 * kMaxCommitBytes) {
    return Error(ErrorCode::kUnsupported, "'commit_body' is too long");
  }
  FLAIR_TRY(m.commit_body, FromHex(body));
  FLAIR_TRY(m.commit_id, GetStringOr(o, "commit_id", ""));
  FLAIR_TRY(const json::array* conflicts, GetArray(o, "conflicts", kMaxNamed));
  if (conflicts != nullptr) {
    for (const json::value& v : *conflicts) {
      MergeConflict conflict;
      if (v.is_string()) {
        conflict.reason.assign(v.get_string().data(), v.get_string().size());
      } else if (v.is_object()) {
        FLAIR_TRY(conflict.path, GetStringOr(v.get_object(), "path", ""));
        FLAIR_TRY(conflict.tensor, GetStringOr(v.get_object(), "tensor", ""));
        FLAIR_TRY(conflict.reason, GetStringOr(v.get_object(), "reason", ""));
      }
      m.conflicts.push_back(std::move(conflict));
    }
  }
  m.raw = std::string(text);
  return m;
}

Result<MergeResult> DecodeMergeResult(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  MergeResult m;
  FLAIR_TRY(const std::string commit, GetString(o, "commit"));
  FLAIR_TRY(m.commit, CommitId::FromHex(commit));
  m.raw = std::string(text);
  return m;
}

}  // namespace flair::wire
