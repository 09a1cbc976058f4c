// SPDX-License-Identifier: Apache-2.0
#include "wire/repos.h"

namespace flair::wire {
namespace {

Error NotObjects(std::string_view name) {
  return Error(ErrorCode::kInvalidArgument,
               "'" + std::string(name) + "' must be a list of objects");
}

Result<Member> MemberOf(const json::object& o) {
  Member m;
  FLAIR_TRY(m.wallet, GetString(o, "wallet"));
  FLAIR_TRY(m.handle, GetStringOr(o, "handle", ""));
  FLAIR_TRY(m.role, GetString(o, "role"));
  return m;
}

}  // namespace

std::string Encode(const RepoRequest& m) {
  return ToText(
      json::object{{"name", m.name}, {"visibility", m.visibility}, {"description", m.description}});
}

std::string Encode(const RepoEdit& m) {
  json::object o;
  if (m.name) o["name"] = *m.name;
  if (m.visibility) o["visibility"] = *m.visibility;
  if (m.description) o["description"] = *m.description;
  if (m.default_branch) o["default_branch"] = *m.default_branch;
  return ToText(o);
}

Result<RepoInfo> DecodeRepoInfo(const json::object& o) {
  RepoInfo m;
  FLAIR_TRY(m.id, GetStringOr(o, "id", ""));
  FLAIR_TRY(m.owner, GetString(o, "owner"));
  FLAIR_TRY(m.owner_handle, GetStringOr(o, "owner_handle", ""));
  FLAIR_TRY(m.name, GetString(o, "name"));
  FLAIR_TRY(m.visibility, GetStringOr(o, "visibility", ""));
  FLAIR_TRY(m.description, GetStringOr(o, "description", ""));
  FLAIR_TRY(m.default_branch, GetStringOr(o, "default_branch", "main"));
  FLAIR_TRY(m.role, GetStringOr(o, "role", ""));
  m.raw = ToText(o);
  return m;
}

Result<RepoInfo> DecodeRepoInfo(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  return DecodeRepoInfo(o);
}

Result<std::vector<RepoInfo>> DecodeRepoList(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FLAIR_TRY(const json::array* items, GetArray(o, "repos", kMaxNamed));
  std::vector<RepoInfo> out;
  if (items == nullptr) return out;
  for (const json::value& item : *items) {
    if (!item.is_object()) return NotObjects("repos");
    FLAIR_TRY(RepoInfo info, DecodeRepoInfo(item.get_object()));
    out.push_back(std::move(info));
  }
  return out;
}

Result<Member> DecodeMember(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text, kMaxProblemBytes));
  return MemberOf(o);
}

Result<std::vector<Member>> DecodeMembers(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  FLAIR_TRY(const json::array* items, GetArray(o, "members", kMaxNamed));
  std::vector<Member> out;
  if (items == nullptr) return out;
  for (const json::value& item : *items) {
    if (!item.is_object()) return NotObjects("members");
    FLAIR_TRY(Member m, MemberOf(item.get_object()));
    out.push_back(std::move(m));
  }
  return out;
}

std::optional<CommitId> RefList::Find(std::string_view name) const {
  for (const NamedRef& ref : refs) {
    if (ref.name == name) return ref.commit;
  }
  return std::nullopt;
}

std::string Encode(const RefList& m) {
  json::array refs;
  refs.reserve(m.refs.size());
  for (const NamedRef& ref : m.refs) {
    refs.emplace_back(json::object{{"name", ref.name}, {"commit", ref.commit.ToHex()}});
  }
  return ToText(json::object{
      {"repo_id", m.repo_id}, {"default_branch", m.default_branch}, {"refs", std::move(refs)}});
}

Result<RefList> DecodeRefList(std::string_view text) {
  FLAIR_TRY(const json::object o, ParseObject(text));
  RefList m;
  FLAIR_TRY(m.repo_id, GetString(o, "repo_id"));
  FLAIR_TRY(m.default_branch, GetStringOr(o, "default_branch", "main"));
  FLAIR_TRY(const json::array* items, GetArray(o, "refs", kMaxRefs));
  if (items == nullptr) return m;
  m.refs.reserve(items->size());
  for (const json::value& item : *items) {
    if (!item.is_object()) return NotObjects("refs");
    NamedRef ref;
    FLAIR_TRY(ref.name, GetString(item.get_object(), "name"));
    FLAIR_TRY(const std::string commit, GetString(item.get_object(), "commit"));
    FLAIR_TRY(ref.commit, CommitId::FromHex(commit));
    m.refs.push_back(std::move(ref));
  }
  return m;
}

std::string Encode(const RefChange& m) {
  json::object o{{"name", m.name}};
  if (m.old) o["expected_old"] = m.old->ToHex();
  if (m.to) o["commit"] = m.to->ToHex();
  return ToText(o);
}

}  // namespace flair::wire
