// Walking the working tree, and which paths a command's arguments mean.
//
// Place: inside repo. `.flair` and `.git` folders are passed over silently.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "object/tree.h"
#include "repo/ignore.h"
#include "repo/repository.h"

namespace flair {

inline constexpr const char* kIgnoreFile = ".flairignore";

struct Listed {
  std::string path;
  FileInfo info;
  bool ignored = false;
  bool storable = false;  // a regular file or folder whose name a tree can hold
};

// What `folder` ("" is the root) holds, sorted. Adds the folder's own ignore file to `rules`.
Result<std::vector<Listed>> ListFolder(Repository& repo, const std::string& folder,
                                       IgnoreRules& rules);

// The rules of the folders above `folder`, its own not included.
Result<IgnoreRules> RulesAbove(Repository& repo, const std::string& folder);

// Is `path` below the folder `prefix`? Everything is below "".
bool IsBelow(std::string_view path, std::string_view prefix);

// Files on disk and in the index that `paths` name (worktree.h says how).
struct Selection {
  std::set<std::string> paths;
  std::set<std::string> refused;  // met inside folders
};
// Errors: kNotFound, kInvalidArgument.
Result<Selection> SelectOnDisk(Repository& repo, const Tree& index,
                               const std::vector<std::string>& paths);
// Entries of `tree` that `paths` name. Errors: kNotFound names the first without any.
Result<std::vector<TreeEntry>> SelectTracked(const Tree& tree,
                                             const std::vector<std::string>& paths);

}  // namespace flair
