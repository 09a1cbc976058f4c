// SPDX-License-Identifier: Apache-2.0
#include "repo/blame.h"

#include <map>
#include <unordered_map>
#include <utility>

#include "base/glob.h"
#include "object/commit.h"
#include "object/file.h"
#include "object/tree.h"
#include "repo/history.h"

namespace flair {
namespace {

using Tensors = std::map<std::string, TensorRef, std::less<>>;

// Decoded once: neighbouring commits share most of their trees and files.
class Reader {
 public:
  explicit Reader(const ObjectStore& objects) : objects_(objects) {}

  Result<const Commit*> GetCommit(const CommitId& id) {
    const auto at = commits_.find(id);
    if (at != commits_.end()) return &at->second;
    FLAIR_TRY(Commit commit, ReadCommit(objects_, id));
    return &commits_.emplace(id, std::move(commit)).first->second;
  }
  // nullptr when the commit has no such path.
  Result<const TreeEntry*> EntryAt(const CommitId& id, std::string_view path) {
    FLAIR_TRY(const Commit* commit, GetCommit(id));
    auto at = trees_.find(commit->tree);
    if (at == trees_.end()) {
      FLAIR_TRY(Tree tree, ReadTree(objects_, commit->tree));
      at = trees_.emplace(commit->tree, std::move(tree)).first;
    }
    return at->second.Find(path);
  }
  Result<const Tensors*> TensorsOf(const FileId& id) {
    const auto at = files_.find(id);
    if (at != files_.end()) return &at->second;
    FLAIR_TRY(const File file, ReadFileObject(objects_, id));
    Tensors tensors;
    for (const Segment& segment : file.segments) {
      if (const auto* t = std::get_if<TensorSegment>(&segment)) tensors.emplace(t->name, t->tensor);
    }
    return &files_.emplace(id, std::move(tensors)).first->second;
  }
  bool Has(const CommitId& id) const { return objects_.HasObject(ObjectKind::kCommit, id.digest); }

 private:
  const ObjectStore& objects_;
  std::unordered_map<CommitId, Commit, IdHash> commits_;
  std::unordered_map<TreeId, Tree, IdHash> trees_;
  std::unordered_map<FileId, Tensors, IdHash> files_;
};

// Tensors that are looked for in one commit: positions in the answer.
struct Search {
  CommitId commit;
  std::vector<std::size_t> wanted;
};

// Hands each tensor that a parent holds unchanged on to that parent; what no parent
// holds was last changed here.
Status Advance(Reader& reader, const std::string& path, const Search& search,
               std::vector<BlameEntry>& entries, std::vector<Search>& pending) {
  FLAIR_TRY(const Commit* commit, reader.GetCommit(search.commit));
  FLAIR_TRY(const TreeEntry* here, reader.EntryAt(search.commit, path));
  std::vector<std::size_t> left = search.wanted;
  for (const CommitId& parent : commit->parents) {
    if (left.empty()) break;
    if (!reader.Has(parent)) continue;  // a shallow clone ends here
    FLAIR_TRY(const TreeEntry* there, reader.EntryAt(parent, path));
    if (there == nullptr) continue;
    if (here != nullptr && there->file == here->file) {
      pending.push_back({parent, std::exchange(left, {})});
      break;
    }
    FLAIR_TRY(const Tensors* tensors, reader.TensorsOf(there->file));
    Search further{.commit = parent, .wanted = {}};
    std::vector<std::size_t> rest;
    for (const std::size_t i : left) {
      const auto at = tensors->find(entries[i].tensor);
      const bool same = at != tensors->end() && at->second == entries[i].value;
      (same ? further.wanted : rest).push_back(i);
    }
    if (!further.wanted.empty()) pending.push_back(std::move(further));
    left = std::move(rest);
  }
  for (const std::size_t i : left) entries[i].commit = search.commit;
  return OkStatus();
}

}  // namespace

Result<std::vector<BlameEntry>> Blame(const ObjectStore& objects, const CommitId& from,
                                      std::string_view glob) {
  Reader reader(objects);
  FLAIR_TRY(const Tree tree, ReadCommitTree(objects, from));
  std::vector<BlameEntry> entries;
  for (const TreeEntry& file : tree.entries) {
    FLAIR_TRY(const Tensors* tensors, reader.TensorsOf(file.file));
    Search start{.commit = from, .wanted = {}};
    for (const auto& [name, value] : *tensors) {
      if (!GlobMatch(glob, name, GlobKind::kName)) continue;
      start.wanted.push_back(entries.size());
      entries.push_back({.path = file.path, .tensor = name, .value = value, .commit = from});
    }
    std::vector<Search> pending;
    if (!start.wanted.empty()) pending.push_back(std::move(start));
    while (!pending.empty()) {
      const Search search = std::move(pending.back());
      pending.pop_back();
      FLAIR_DO(Advance(reader, file.path, search, entries, pending));
    }
  }
  if (entries.empty()) {
    return Error(ErrorCode::kNotFound,
                 "no tensor of commit " + from.Short() + " matches '" + std::string(glob) + "'");
  }
  return entries;
}

}  // namespace flair
