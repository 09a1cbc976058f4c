// Commits, trees and merges as JSON members and as text that several commands share.
// The JSON's keys are documented in docs/cli.md and stable.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/session.h"
#include "object/commit.h"
#include "repo/merging.h"
#include "repo/worktree.h"

namespace flair::cli {

// {"commit", "tree", "parents", "author", "time", "message", "training"?, "merge"?, "lineage"?}
json::object CommitJson(const CommitId& id, const Commit& commit);

// What points at each commit: "HEAD -> main", "origin/main", "@prod".
using Decorations = std::map<CommitId, std::vector<std::string>>;
Result<Decorations> ReadDecorations(Repository& repo);
// " (HEAD -> main, @prod)" or nothing.
std::string DecorationText(const Decorations& decorations, const CommitId& id);

// The header and message of a commit, as log and show print them.
std::string CommitText(const CommitId& id, const Commit& commit, const std::string& decoration);
// One line: short id, decoration, first line of the message.
std::string CommitLine(const CommitId& id, const Commit& commit, const std::string& decoration);

json::array ChangesJson(const std::vector<PathChange>& changes);
std::string ChangesText(const std::vector<PathChange>& changes, const char* indent);

// Lists the refs below `prefix` ("tags/") as a table, and in the document under `key`.
Result<ExitCode> TellRefs(Session& s, Repository& repo, const char* prefix, const char* key);

json::array StringsJson(const std::vector<std::string>& strings);
json::value IdJson(const std::optional<CommitId>& id);

struct NamedConflict {
  std::string path;
  std::string tensor;
  std::string reason;
};
// Lists conflicts on stderr and returns their JSON.
json::array TellConflicts(Session& s, const std::vector<NamedConflict>& conflicts);

// Says what a merge, revert or cherry-pick did. `done` as in "merged", "reverted".
ExitCode TellOutcome(Session& s, const MergeOutcome& outcome, const char* done, MergeRun run);

// What people typed, as repository paths.
Result<std::vector<std::string>> RepoPaths(Session& s, const Repository& repo,
                                           const std::vector<std::string>& typed);
// Resolve, with HEAD for an empty text.
Result<CommitId> ResolveOrHead(Repository& repo, const std::string& text);
// "k=v" pairs, ascending by key. Errors: kInvalidArgument.
Result<std::vector<std::pair<std::string, std::string>>> ParseParameters(
    const std::vector<std::string>& typed);
// Several -m as paragraphs.
std::string JoinMessage(const std::vector<std::string>& paragraphs);

}  // namespace flair::cli
