// SPDX-License-Identifier: Apache-2.0
#include "repo/history.h"

#include <algorithm>
#include <queue>
#include <set>
#include <utility>

#include "base/check.h"

namespace flair {
namespace {

// Newest first: by time, then by id, so that every machine walks alike.
struct Newest {
  std::uint64_t time_s;
  CommitId id;
  auto operator<=>(const Newest&) const = default;
};

}  // namespace

Result<Commit> ReadCommit(const ObjectStore& objects, const CommitId& id) {
  auto bytes = objects.ReadObject(ObjectKind::kCommit, id.digest);
  if (!bytes.ok()) return std::move(bytes).error().In("commit " + id.Short());
  auto commit = DecodeCommit(*bytes);
  if (!commit.ok()) return std::move(commit).error().In("commit " + id.Short());
  return commit;
}

Result<Tree> ReadTree(const ObjectStore& objects, const TreeId& id) {
  auto bytes = objects.ReadObject(ObjectKind::kTree, id.digest);
  if (!bytes.ok()) return std::move(bytes).error().In("tree " + id.Short());
  auto tree = DecodeTree(*bytes);
  if (!tree.ok()) return std::move(tree).error().In("tree " + id.Short());
  return tree;
}

Result<File> ReadFileObject(const ObjectStore& objects, const FileId& id) {
  auto bytes = objects.ReadObject(ObjectKind::kFile, id.digest);
  if (!bytes.ok()) return std::move(bytes).error().In("file " + id.Short());
  auto file = DecodeFile(*bytes);
  if (!file.ok()) return std::move(file).error().In("file " + id.Short());
  return file;
}

Result<Tree> ReadCommitTree(const ObjectStore& objects, const CommitId& id) {
  FLAIR_TRY(const Commit commit, ReadCommit(objects, id));
  return ReadTree(objects, commit.tree);
}

History::History(const ObjectStore& objects, std::vector<CommitId> shallow)
    : objects_(objects), shallow_(shallow.begin(), shallow.end()) {}

Result<const Commit*> History::Get(const CommitId& id) {
  const auto known = cache_.find(id);
  if (known != cache_.end()) return &known->second;
  FLAIR_TRY(Commit commit, ReadCommit(objects_, id));
  return &cache_.emplace(id, std::move(commit)).first->second;
}

Result<std::vector<CommitId>> History::ParentsOf(const CommitId& id) {
  if (shallow_.contains(id)) return std::vector<CommitId>{};
  FLAIR_TRY(const Commit* const commit, Get(id));
  return commit->parents;
}

Result<std::unordered_set<CommitId, IdHash>> History::Ancestors(const CommitId& tip) {
  std::unordered_set<CommitId, IdHash> seen{tip};
  std::vector<CommitId> todo{tip};
  while (!todo.empty()) {
    const CommitId id = todo.back();
    todo.pop_back();
    FLAIR_TRY(const std::vector<CommitId> parents, ParentsOf(id));
    for (const CommitId& parent : parents) {
      if (seen.insert(parent).second) todo.push_back(parent);
    }
  }
  return seen;
}

Result<std::vector<LogEntry>> History::Log(std::span<const CommitId> tips, std::size_t limit) {
  std::unordered_map<CommitId, std::size_t, IdHash> children_left;
  std::vector<CommitId> todo;
  for (const CommitId& tip : tips) {
    if (children_left.emplace(tip, 0).second) todo.push_back(tip);
  }
  while (!todo.empty()) {
    const CommitId id = todo.back();
    todo.pop_back();
    FLAIR_TRY(const std::vector<CommitId> parents, ParentsOf(id));
    for (const CommitId& parent : parents) {
      const auto [at, is_new] = children_left.emplace(parent, 0);
      ++at->second;
      if (is_new) todo.push_back(parent);
    }
  }

  std::priority_queue<Newest> ready;
  for (const CommitId& tip : std::set<CommitId>(tips.begin(), tips.end())) {
    if (children_left.at(tip) != 0) continue;
    FLAIR_TRY(const Commit* const commit, Get(tip));
    ready.push({commit->time_s, tip});
  }
  std::vector<LogEntry> log;
  while (!ready.empty() && (limit == 0 || log.size() < limit)) {
    const CommitId id = ready.top().id;
    ready.pop();
    FLAIR_TRY(const Commit* const commit, Get(id));
    log.push_back({.id = id, .commit = *commit});
    FLAIR_TRY(const std::vector<CommitId> parents, ParentsOf(id));
    for (const CommitId& parent : parents) {
      if (--children_left.at(parent) != 0) continue;
      FLAIR_TRY(const Commit* const next, Get(parent));
      ready.push({next->time_s, parent});
    }
  }
  return log;
}

Result<bool> History::IsAncestor(const CommitId& ancestor, const CommitId& descendant) {
  if (ancestor == descendant) return true;
  FLAIR_TRY(const auto ancestors, Ancestors(descendant));
  return ancestors.contains(ancestor);
}

Result<std::vector<CommitId>> History::MergeBases(std::span<const CommitId> tips) {
  if (tips.empty()) return std::vector<CommitId>{};
  FLAIR_TRY(auto common, Ancestors(tips[0]));
  for (const CommitId& tip : tips.subspan(1)) {
    FLAIR_TRY(const auto other, Ancestors(tip));
    std::erase_if(common, [&](const CommitId& id) { return !other.contains(id); });
  }
  // Ancestors of a common one are common, too: the lowest are nobody's parents.
  std::set<CommitId> lowest(common.begin(), common.end());
  for (const CommitId& id : common) {
    FLAIR_TRY(const std::vector<CommitId> parents, ParentsOf(id));
    for (const CommitId& parent : parents) lowest.erase(parent);
  }
  return std::vector<CommitId>(lowest.begin(), lowest.end());
}

Result<std::optional<CommitId>> History::MergeBase(std::span<const CommitId> tips) {
  FLAIR_TRY(std::vector<CommitId> bases, MergeBases(tips));
  // Ends: each round's commits are proper ancestors of the round before.
  while (bases.size() > 1) {
    FLAIR_TRY(std::vector<CommitId> deeper, MergeBases(bases));
    if (deeper.empty()) break;
    bases = std::move(deeper);
  }
  if (bases.empty()) return std::optional<CommitId>();
  return std::optional(bases[0]);
}

Result<std::uint64_t> History::Staleness(const CommitId& target, const CommitId& input) {
  FLAIR_TRY(const auto known, Ancestors(input));
  std::uint64_t merges = 0;
  std::optional<CommitId> at = target;
  // Once one is an ancestor of the input, so are all before it.
  while (at && !known.contains(*at)) {
    FLAIR_TRY(const std::vector<CommitId> parents, ParentsOf(*at));
    if (parents.size() > 1) ++merges;
    at = parents.empty() ? std::nullopt : std::optional(parents[0]);
  }
  return merges;
}

std::vector<GraphRow> LayOutGraph(std::span<const LogEntry> log) {
  std::vector<GraphRow> rows;
  rows.reserve(log.size());
  // Per lane the commit it waits for; absent: free.
  std::vector<std::optional<CommitId>> lanes;
  const auto lane_of = [&](const CommitId& id) {
    const auto found = std::find(lanes.begin(), lanes.end(), std::optional(id));
    return static_cast<std::size_t>(found - lanes.begin());
  };
  const auto place = [&](const CommitId& id) {
    std::size_t lane = lane_of(id);
    if (lane < lanes.size()) return lane;
    const auto free = std::find(lanes.begin(), lanes.end(), std::nullopt);
    lane = static_cast<std::size_t>(free - lanes.begin());
    if (lane == lanes.size()) lanes.emplace_back();
    lanes[lane] = id;
    return lane;
  };
  for (const LogEntry& entry : log) {
    GraphRow row;
    row.commit = entry.id;
    row.lane = place(entry.id);
    row.num_lanes = lanes.size();
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      if (lane != row.lane && lanes[lane]) row.edges.push_back({.from = lane, .to = lane});
    }
    lanes[row.lane].reset();
    // The first parent goes on in the commit's lane unless another lane waits for it.
    for (const CommitId& parent : entry.commit.parents) {
      if (lane_of(parent) == lanes.size() && !lanes[row.lane]) lanes[row.lane] = parent;
      row.edges.push_back({.from = row.lane, .to = place(parent)});
    }
    while (!lanes.empty() && !lanes.back()) lanes.pop_back();
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace flair
