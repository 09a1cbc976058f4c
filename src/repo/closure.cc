// SPDX-License-Identifier: Apache-2.0
#include "repo/closure.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <unordered_map>

#include "object/commit.h"
#include "object/file.h"
#include "object/tree.h"
#include "repo/refs.h"

namespace flair {
namespace {

// nullptr for inline bytes.
const ContentRef* ContentOf(const Segment& segment) {
  if (const auto* tensor = std::get_if<TensorSegment>(&segment)) return &tensor->tensor.content;
  if (const auto* blob = std::get_if<BlobSegment>(&segment)) return &blob->content;
  return nullptr;
}

using DigestSet = std::unordered_set<Digest, DigestHash>;

// What was seen once is neither read nor listed again.
struct Seen {
  DigestSet trees;
  DigestSet files;
  DigestSet contents;
};

class Walk {
 public:
  Walk(const ObjectStore& objects, const ClosureOptions& options)
      : objects_(objects), options_(options) {}

  Result<Closure> Run(const std::vector<CommitId>& tips, const std::vector<CommitId>& haves) {
    FLAIR_TRY(held_, ReachableCommits(objects_, haves));
    FLAIR_DO(FindCommits(tips));
    SortNewestFirst();
    // Only when something is new does it matter what the haves' trees hold.
    if (!out_.commits.empty()) FLAIR_DO(MarkHeld());
    for (const CommitId& id : out_.commits) {
      FLAIR_DO(AddTree(commits_.at(id).tree));
    }
    if (options_.attachments) FLAIR_DO(AddAttachments());
    PutInOrder();
    return std::move(out_);
  }

 private:
  Status Absent(ObjectKind kind, const Digest& id) {
    if (options_.absent == Absent::kFail) {
      return Error(ErrorCode::kNotFound,
                   std::string(ObjectKindName(kind)) + " " + id.ToHex() + " is absent");
    }
    out_.absent_objects.emplace_back(kind, id);
    return OkStatus();
  }

  // Breadth first, so that a commit's depth is its shortest way from a tip.
  Status FindCommits(const std::vector<CommitId>& tips) {
    std::deque<std::pair<CommitId, std::uint32_t>> queue;
    std::unordered_set<CommitId, IdHash> queued;
    const auto push = [&](const CommitId& id, std::uint32_t level) {
      if (!held_.contains(id) && queued.insert(id).second) queue.emplace_back(id, level);
    };
    for (const CommitId& tip : tips) push(tip, 1);
    while (!queue.empty()) {
      const auto [id, level] = queue.front();
      queue.pop_front();
      if (!objects_.HasObject(ObjectKind::kCommit, id.digest)) {
        FLAIR_DO(Absent(ObjectKind::kCommit, id.digest));
        continue;
      }
      FLAIR_TRY(Commit commit, ReadCommit(objects_, id));
      if (options_.depth != 0 && level >= options_.depth) {
        cut_.push_back(id);
      } else {
        for (const CommitId& parent : commit.parents) push(parent, level + 1);
      }
      commits_.emplace(id, std::move(commit));
    }
    return OkStatus();
  }

  // Children before parents; among those free to go, the later time first, then the id.
  void SortNewestFirst() {
    std::unordered_map<CommitId, std::size_t, IdHash> children;
    for (const auto& [id, commit] : commits_) {
      for (const CommitId& parent : commit.parents) {
        if (commits_.contains(parent)) ++children[parent];
      }
    }
    using Key = std::pair<std::uint64_t, CommitId>;
    std::priority_queue<Key> free;
    for (const auto& [id, commit] : commits_) {
      if (!children.contains(id)) free.emplace(commit.time_s, id);
    }
    while (!free.empty()) {
      const CommitId id = free.top().second;
      free.pop();
      out_.commits.push_back(id);
      for (const CommitId& parent : commits_.at(id).parents) {
        const auto left = children.find(parent);
        if (left != children.end() && --left->second == 0) {
          free.emplace(commits_.at(parent).time_s, parent);
        }
      }
    }
    for (const CommitId& id : cut_) {
      const auto& parents = commits_.at(id).parents;
      const bool whole = std::all_of(parents.begin(), parents.end(), [&](const CommitId& parent) {
        return held_.contains(parent) || commits_.contains(parent);
      });
      if (!whole) out_.shallow.push_back(id);
    }
  }

  Status MarkHeld() {
    for (const CommitId& id : held_) {
      FLAIR_TRY(const Commit commit, ReadCommit(objects_, id));
      if (!seen_.trees.insert(commit.tree.digest).second) continue;
      // A shallow or partial store may lack some: then nothing is known to be held.
      const auto bytes = objects_.ReadObject(ObjectKind::kTree, commit.tree.digest);
      if (!bytes.ok()) continue;
      FLAIR_TRY(const Tree tree, DecodeTree(*bytes));
      for (const TreeEntry& entry : tree.entries) {
        if (!seen_.files.insert(entry.file.digest).second) continue;
        const auto stored = objects_.ReadObject(ObjectKind::kFile, entry.file.digest);
        if (!stored.ok()) continue;
        FLAIR_TRY(const File file, DecodeFile(*stored));
        for (const Segment& segment : file.segments) {
          if (const ContentRef* content = ContentOf(segment)) {
            seen_.contents.insert(content->hash);
          }
        }
      }
    }
    return OkStatus();
  }

  Status AddTree(const TreeId& id) {
    if (!seen_.trees.insert(id.digest).second) return OkStatus();
    if (!objects_.HasObject(ObjectKind::kTree, id.digest)) {
      return Absent(ObjectKind::kTree, id.digest);
    }
    FLAIR_TRY(const Bytes bytes, objects_.ReadObject(ObjectKind::kTree, id.digest));
    FLAIR_TRY(const Tree tree, DecodeTree(bytes));
    trees_.push_back(id.digest);
    for (const TreeEntry& entry : tree.entries) {
      if (Status s = AddFile(entry); !s.ok()) return std::move(s).error().In(entry.path);
    }
    return OkStatus();
  }

  Status AddFile(const TreeEntry& entry) {
    if (!seen_.files.insert(entry.file.digest).second) return OkStatus();
    if (!objects_.HasObject(ObjectKind::kFile, entry.file.digest)) {
      return Absent(ObjectKind::kFile, entry.file.digest);
    }
    FLAIR_TRY(const Bytes bytes, objects_.ReadObject(ObjectKind::kFile, entry.file.digest));
    FLAIR_TRY(const File file, DecodeFile(bytes));
    if (file.size_bytes() != entry.size_bytes) {
      return Error(ErrorCode::kCorrupt, "the tree says " + std::to_string(entry.size_bytes) +
                                            " bytes, the file has " +
                                            std::to_string(file.size_bytes()));
    }
    files_.push_back(entry.file.digest);
    for (const Segment& segment : file.segments) {
      const auto* tensor = std::get_if<TensorSegment>(&segment);
      if (tensor && options_.want_tensor && !options_.want_tensor(tensor->name)) continue;
      const ContentRef* content = ContentOf(segment);
      if (content == nullptr || !seen_.contents.insert(content->hash).second) continue;
      FLAIR_DO(AddContent(*content));
    }
    return OkStatus();
  }

  Status AddContent(const ContentRef& content) {
    if (options_.check_contents) {
      if (!objects_.HasContent(content.hash)) {
        if (options_.absent == Absent::kFail) {
          return objects_.AbsentContent(content.hash);
        }
        out_.absent_contents.push_back(content);
        return OkStatus();
      }
      FLAIR_TRY(const std::uint64_t stored, objects_.ContentBytes(content.hash));
      if (stored != content.size_bytes) {
        return Error(ErrorCode::kCorrupt, "content " + content.hash.ToHex() + " has " +
                                              std::to_string(stored) + " bytes, not " +
                                              std::to_string(content.size_bytes));
      }
    }
    out_.contents.push_back(content);
    out_.content_bytes += content.size_bytes;
    return OkStatus();
  }

  Status AddAttachments() {
    DigestSet listed;
    for (const CommitId& id : out_.commits) {
      FLAIR_TRY(const std::vector<AttachmentId> attachments, options_.attachments(id));
      for (const AttachmentId& attachment : attachments) {
        if (!listed.insert(attachment.digest).second) continue;
        if (!objects_.HasObject(ObjectKind::kAttachment, attachment.digest)) {
          FLAIR_DO(Absent(ObjectKind::kAttachment, attachment.digest));
          continue;
        }
        attachments_.push_back(attachment.digest);
      }
    }
    return OkStatus();
  }

  void PutInOrder() {
    const auto add = [&](ObjectKind kind, const std::vector<Digest>& ids) {
      for (const Digest& id : ids) out_.objects.emplace_back(kind, id);
    };
    for (const CommitId& id : out_.commits)
      out_.objects.emplace_back(ObjectKind::kCommit, id.digest);
    add(ObjectKind::kTree, trees_);
    add(ObjectKind::kFile, files_);
    add(ObjectKind::kAttachment, attachments_);
  }

  const ObjectStore& objects_;
  const ClosureOptions& options_;
  Closure out_;
  Seen seen_;
  std::unordered_set<CommitId, IdHash> held_;
  std::unordered_map<CommitId, Commit, IdHash> commits_;  // new ones
  std::vector<CommitId> cut_;
  std::vector<Digest> trees_;
  std::vector<Digest> files_;
  std::vector<Digest> attachments_;
};

}  // namespace

Result<Closure> WalkClosure(const ObjectStore& objects, const std::vector<CommitId>& tips,
                            const std::vector<CommitId>& haves, const ClosureOptions& options) {
  return Walk(objects, options).Run(tips, haves);
}

Result<std::unordered_set<CommitId, IdHash>> ReachableCommits(const ObjectStore& objects,
                                                              const std::vector<CommitId>& tips) {
  std::unordered_set<CommitId, IdHash> reached;
  std::vector<CommitId> stack = tips;
  while (!stack.empty()) {
    const CommitId id = stack.back();
    stack.pop_back();
    if (reached.contains(id) || !objects.HasObject(ObjectKind::kCommit, id.digest)) continue;
    FLAIR_TRY(const Commit commit, ReadCommit(objects, id));
    reached.insert(id);
    stack.insert(stack.end(), commit.parents.begin(), commit.parents.end());
  }
  return reached;
}

Status CheckFileComplete(const ObjectStore& objects, const FileId& id) {
  FLAIR_TRY(const Bytes stored, objects.ReadObject(ObjectKind::kFile, id.digest));
  FLAIR_TRY(const File file, DecodeFile(stored));
  for (const Segment& segment : file.segments) {
    const ContentRef* content = ContentOf(segment);
    if (content != nullptr && !objects.HasContent(content->hash)) {
      return objects.AbsentContent(content->hash);
    }
  }
  return OkStatus();
}

Status CheckTreeComplete(const ObjectStore& objects, const TreeId& id) {
  FLAIR_TRY(const Bytes bytes, objects.ReadObject(ObjectKind::kTree, id.digest));
  FLAIR_TRY(const Tree tree, DecodeTree(bytes));
  for (const TreeEntry& entry : tree.entries) {
    Status s = CheckFileComplete(objects, entry.file);
    if (!s.ok()) return std::move(s).error().In(entry.path);
  }
  return OkStatus();
}

}  // namespace flair
