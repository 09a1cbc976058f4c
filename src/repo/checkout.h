// Moving the working tree from the staged tree to another one.
//
// Files equal in both trees are left alone, changed or not. A file that must
// change is replaced only when it equals its index entry or the target already.
// A kill in between leaves every file old or new, the index old: running the same
// command again completes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "object/tree.h"
#include "repo/oplog.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

enum class LocalChanges : std::uint8_t {
  kRefuse,      // kConflict lists what would be overwritten
  kStoreFirst,  // stored, then overwritten: undo brings them back
};

// What to hand to Apply (oplog.h) once the files are in place.
struct CheckoutOutcome {
  std::vector<StagingChange> staging;
  std::vector<WorktreeChange> worktree;
  std::vector<StatCacheEntry> stats;
  std::vector<TreeEntry> left_out;  // not written: a partial clone lacks their contents
};

// Moves single files: `before` is what is expected on disk, `after` what shall be there.
// What a partial clone lacks contents of is not on disk (unless as a light copy): as
// `before` it counts as absent, as `after` it is left out.
// REQUIRES: LockForWriting is held. Does not touch refs, HEAD or index. All contents
// and local changes are checked before the first file is touched.
// Errors: kConflict, kNotFound (absent contents), kNoSpace, kCancelled.
Result<CheckoutOutcome> ChangeFiles(Repository& repo, const std::vector<WorktreeChange>& changes,
                                    LocalChanges local, const ProgressSink& progress = {});

// From the staged tree to `to`: the changes of ChangeFiles are those of the index.
// REQUIRES: LockForWriting is held. Does not touch refs, HEAD or index.
// Errors: kConflict, kNotFound (absent contents), kNoSpace.
Result<CheckoutOutcome> CheckoutTree(Repository& repo, const Tree& to, LocalChanges local,
                                     const ProgressSink& progress = {});

}  // namespace flair
