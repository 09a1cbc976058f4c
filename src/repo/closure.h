// Closures: which objects and contents a set of commits needs.
//
// Place: repo, over ObjectStore alone, so that hub and clients share it.
// Used by push and fetch negotiation, by the check that a commit is complete, by fsck and gc.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "object/content.h"
#include "object/ids.h"
#include "repo/progress.h"
#include "store/object_store.h"

namespace flair {

// The attachments to carry along with a commit.
using AttachmentLookup = std::function<Result<std::vector<AttachmentId>>(const CommitId&)>;

enum class Absent : std::uint8_t {
  kFail,  // kNotFound names the first absent object
  kList,  // collected in Closure::absent_*
};

struct ClosureOptions {
  std::uint32_t depth = 0;                                   // commits from each tip; 0: all
  std::function<bool(std::string_view tensor)> want_tensor;  // empty: all
  AttachmentLookup attachments;                              // empty: none
  Absent absent = Absent::kFail;
  bool check_contents = true;  // is each content stored?
};

struct Closure {
  // Commits first (newest first), then trees, files, attachments; each once.
  std::vector<std::pair<ObjectKind, Digest>> objects;
  std::vector<ContentRef> contents;  // each once, in file order
  std::vector<CommitId> commits;     // newest first
  std::vector<CommitId> shallow;     // commits whose parents `depth` cut off
  std::uint64_t content_bytes = 0;
  std::vector<std::pair<ObjectKind, Digest>> absent_objects;
  std::vector<ContentRef> absent_contents;
  bool complete() const { return absent_objects.empty() && absent_contents.empty(); }
};

// Everything `tips` need that `haves` do not have. Haves that are not stored here
// are ignored; what a have reaches is taken as held by the other side.
Result<Closure> WalkClosure(const ObjectStore& objects, const std::vector<CommitId>& tips,
                            const std::vector<CommitId>& haves, const ClosureOptions& options);

// Commits reachable from `tips`, themselves included; absent ones end the walk silently.
Result<std::unordered_set<CommitId, IdHash>> ReachableCommits(const ObjectStore& objects,
                                                              const std::vector<CommitId>& tips);

// Is the file with all its contents stored? Errors: kNotFound, kCorrupt.
Status CheckFileComplete(const ObjectStore& objects, const FileId& file);
// The same for every file of one commit's tree, not its parents'.
Status CheckTreeComplete(const ObjectStore& objects, const TreeId& tree);

}  // namespace flair
