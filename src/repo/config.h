// Settings of one repository: a key-value table, remotes and upstreams on top.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/repository.h"

namespace flair {

// Keys in use: remote.NAME.url, remote.NAME.repo_id, branch.NAME.remote,
// branch.NAME.merge, clone.light, clone.tensors, clone.depth.
Result<std::optional<std::string>> GetConfig(Repository& repo, std::string_view key);
Status SetConfig(Repository& repo, std::string_view key, std::string_view value);
Status UnsetConfig(Repository& repo, std::string_view key);
Result<std::vector<std::pair<std::string, std::string>>> ListConfig(Repository& repo,
                                                                    std::string_view prefix);

struct Remote {
  std::string name;
  std::string url;      // http(s)://HUB/OWNER/NAME
  std::string repo_id;  // 32 hex once known, else empty
  bool operator==(const Remote&) const = default;
};
// Errors: kAlreadyExists, kInvalidArgument for a bad name.
Status AddRemote(Repository& repo, const Remote& remote);
Status SetRemote(Repository& repo, const Remote& remote);  // adds or replaces
// Removes its remotes/NAME/ refs and the upstreams that point at it, too.
Status RemoveRemote(Repository& repo, std::string_view name);
Result<Remote> GetRemote(Repository& repo, std::string_view name);  // kNotFound
Result<std::vector<Remote>> ListRemotes(Repository& repo);

struct Upstream {
  std::string remote;  // "origin"
  std::string branch;  // "main"
  bool operator==(const Upstream&) const = default;
};
// `branch` without "heads/".
Result<std::optional<Upstream>> GetUpstream(Repository& repo, std::string_view branch);
Status SetUpstream(Repository& repo, std::string_view branch, const std::optional<Upstream>& to);

// Commits whose parents are absent on purpose (clone --depth).
Status MarkShallow(Repository& repo, const std::vector<CommitId>& commits);
Result<std::vector<CommitId>> ShallowCommits(Repository& repo);

}  // namespace flair
