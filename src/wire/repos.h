// Messages of repositories: settings, members, refs.
//
// `raw` is the hub's JSON as it came, for `--json`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/ids.h"
#include "wire/json.h"

namespace flair::wire {

struct RepoRequest {
  std::string name;
  std::string visibility = "private";  // or "public"
  std::string description;
};
std::string Encode(const RepoRequest& m);

// PATCH: absent members stay.
struct RepoEdit {
  std::optional<std::string> name;
  std::optional<std::string> visibility;
  std::optional<std::string> description;
  std::optional<std::string> default_branch;
};
std::string Encode(const RepoEdit& m);

struct RepoInfo {
  std::string id;
  std::string owner;  // wallet, base58
  std::string owner_handle;
  std::string name;
  std::string visibility;
  std::string description;
  std::string default_branch;
  std::string role;  // the caller's; empty when the hub does not say
  std::string raw;
};
Result<RepoInfo> DecodeRepoInfo(const json::object& o);
Result<RepoInfo> DecodeRepoInfo(std::string_view text);
// {"repos": [...]}
Result<std::vector<RepoInfo>> DecodeRepoList(std::string_view text);

struct Member {
  std::string wallet;
  std::string handle;
  std::string role;
};
Result<Member> DecodeMember(std::string_view text);
// {"members": [...]}
Result<std::vector<Member>> DecodeMembers(std::string_view text);

struct NamedRef {
  std::string name;  // "heads/main"
  CommitId commit;
  bool operator==(const NamedRef&) const = default;
};
struct RefList {
  std::string repo_id;
  std::string default_branch;
  std::vector<NamedRef> refs;

  std::optional<CommitId> Find(std::string_view name) const;
};
std::string Encode(const RefList& m);
Result<RefList> DecodeRefList(std::string_view text);

struct RefChange {
  std::string name;
  std::optional<CommitId> old;  // absent: must not exist
  std::optional<CommitId> to;   // absent: delete
};
std::string Encode(const RefChange& m);  // {"name", "expected_old", "commit"}

}  // namespace flair::wire
