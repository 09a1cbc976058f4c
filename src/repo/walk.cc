// SPDX-License-Identifier: Apache-2.0
#include "repo/walk.h"

#include <algorithm>

#include "base/glob.h"
#include "base/path.h"
#include "repo/disk_files.h"

namespace flair {
namespace {

constexpr std::uint64_t kMaxIgnoreBytes = std::uint64_t{1} << 20;

bool IsVersionControlFolder(std::string_view name) {
  std::string folded(name);
  std::transform(folded.begin(), folded.end(), folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return folded == ".flair" || folded == ".git";
}

Status AddRulesOf(Repository& repo, const std::string& folder, IgnoreRules& rules) {
  const std::string path = JoinPath(folder, kIgnoreFile);
  const auto info = repo.env().Stat(repo.PathOf(path));
  if (!info.ok() || info->kind != FileKind::kFile) return OkStatus();
  FLAIR_TRY(const Bytes text, ReadFile(repo.env(), repo.PathOf(path), kMaxIgnoreBytes));
  rules.AddFile(folder, AsText(text));
  return OkStatus();
}

Error NothingMatches(const std::string& path) {
  return Error(ErrorCode::kNotFound, (path.empty() ? std::string(".") : path) +
                                         ": no such file, on disk or in the index");
}

// Everything below `folder` that is not ignored.
Status Collect(Repository& repo, const std::string& folder, IgnoreRules rules,
               Selection& selection) {
  FLAIR_TRY(const auto listing, ListFolder(repo, folder, rules));
  for (const Listed& entry : listing) {
    if (entry.ignored) continue;
    if (!entry.storable) {
      selection.refused.insert(entry.path);
    } else if (entry.info.kind == FileKind::kDirectory) {
      FLAIR_DO(Collect(repo, entry.path, rules, selection));
    } else {
      selection.paths.insert(entry.path);
    }
  }
  return OkStatus();
}

Status CollectBelow(Repository& repo, const std::string& folder, const Tree& index,
                    Selection& selection) {
  FLAIR_TRY(IgnoreRules rules, RulesAbove(repo, folder));
  FLAIR_DO(Collect(repo, folder, std::move(rules), selection));
  for (const TreeEntry& entry : index.entries) {
    if (IsBelow(entry.path, folder)) selection.paths.insert(entry.path);
  }
  return OkStatus();
}

}  // namespace

bool IsBelow(std::string_view path, std::string_view prefix) {
  if (prefix.empty()) return true;
  return path.size() > prefix.size() && path.starts_with(prefix) && path[prefix.size()] == '/';
}

Result<std::vector<Listed>> ListFolder(Repository& repo, const std::string& folder,
                                       IgnoreRules& rules) {
  FLAIR_DO(AddRulesOf(repo, folder, rules));
  FLAIR_TRY(const auto names, repo.env().ListDir(repo.PathOf(folder)));
  std::vector<Listed> listing;
  listing.reserve(names.size());
  for (const std::string& name : names) {
    if (IsVersionControlFolder(name)) continue;
    Listed entry{.path = JoinPath(folder, name), .info = {}, .ignored = false, .storable = false};
    auto info = repo.env().Stat(repo.PathOf(entry.path));
    if (!info.ok()) {
      if (info.error().code() == ErrorCode::kNotFound) continue;  // gone meanwhile
      return std::move(info).error();
    }
    entry.info = *info;
    const bool is_folder = info->kind == FileKind::kDirectory;
    entry.ignored = rules.Ignores(entry.path, is_folder);
    entry.storable = (is_folder || info->kind == FileKind::kFile) && CheckRepoPath(entry.path).ok();
    listing.push_back(std::move(entry));
  }
  return listing;
}

Result<IgnoreRules> RulesAbove(Repository& repo, const std::string& folder) {
  IgnoreRules rules;
  if (folder.empty()) return rules;
  FLAIR_DO(AddRulesOf(repo, "", rules));
  for (std::size_t slash = folder.find('/'); slash != std::string::npos;
       slash = folder.find('/', slash + 1)) {
    FLAIR_DO(AddRulesOf(repo, folder.substr(0, slash), rules));
  }
  return rules;
}

Result<Selection> SelectOnDisk(Repository& repo, const Tree& index,
                               const std::vector<std::string>& paths) {
  FLAIR_TRY(DiskFiles disk, DiskFiles::Load(repo));
  Selection selection;
  for (const std::string& path : paths) {
    if (path.empty()) {
      FLAIR_DO(CollectBelow(repo, "", index, selection));
      continue;
    }
    FLAIR_TRY(const auto info, disk.Stat(path));
    if (info) {
      FLAIR_DO(CheckRepoPath(path));
      FLAIR_DO(disk.CheckParents(path));
      if (info->kind == FileKind::kFile) {
        selection.paths.insert(path);
      } else if (info->kind == FileKind::kDirectory) {
        FLAIR_DO(CollectBelow(repo, path, index, selection));
      } else {
        return Error(ErrorCode::kInvalidArgument,
                     path + (info->kind == FileKind::kSymlink ? ": is a symlink"
                                                              : ": is not a regular file"))
            .WithHint("Flair stores regular files only; copy what it points to");
      }
      continue;
    }
    bool found = false;
    const bool glob = IsGlob(path);
    for (const TreeEntry& entry : index.entries) {
      if (entry.path == path || IsBelow(entry.path, path) ||
          (glob && GlobMatch(path, entry.path, GlobKind::kPath))) {
        selection.paths.insert(entry.path);
        found = true;
      }
    }
    if (glob) {
      Selection all;
      FLAIR_DO(CollectBelow(repo, "", Tree{}, all));
      for (const std::string& candidate : all.paths) {
        if (!GlobMatch(path, candidate, GlobKind::kPath)) continue;
        selection.paths.insert(candidate);
        found = true;
      }
    }
    if (!found) return NothingMatches(path);
  }
  return selection;
}

Result<std::vector<TreeEntry>> SelectTracked(const Tree& tree,
                                             const std::vector<std::string>& paths) {
  std::set<std::size_t> chosen;
  for (const std::string& path : paths) {
    bool found = path.empty();
    const bool glob = IsGlob(path);
    for (std::size_t i = 0; i < tree.entries.size(); ++i) {
      const std::string& candidate = tree.entries[i].path;
      if (candidate == path || IsBelow(candidate, path) ||
          (glob && GlobMatch(path, candidate, GlobKind::kPath))) {
        chosen.insert(i);
        found = true;
      }
    }
    if (!found) {
      return Error(ErrorCode::kNotFound, path + ": no such tracked file")
          .WithHint("`flair status` lists what is there");
    }
  }
  std::vector<TreeEntry> entries;
  entries.reserve(chosen.size());
  for (const std::size_t i : chosen) entries.push_back(tree.entries[i]);
  return entries;
}

}  // namespace flair
