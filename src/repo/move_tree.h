// Moving HEAD to another commit with index and files, keeping what was added but not
// committed. Shared by switch, fast-forward and merges.
//
// Place: inside repo, over checkout.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "object/tree.h"
#include "repo/checkout.h"
#include "repo/oplog.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

// `to` with the staged changes against `from` on top. Errors: kConflict lists paths that
// were staged and differ between `from` and `to`.
Result<Tree> CarryStaged(const Tree& from, const Tree& staged, const Tree& to);

// Brings index and files from `from` (HEAD's tree) to `to`, carrying staged changes; puts
// what changed into `plan`. REQUIRES: LockForWriting is held.
Status MoveFiles(Repository& repo, const Tree& from, const Tree& to, OperationPlan& plan,
                 const ProgressSink& progress);

// HEAD's tree; empty on an unborn branch.
Result<Tree> HeadTree(Repository& repo);

// Points HEAD's branch, or a detached HEAD, at `to`.
void PointHead(const Head& head, const CommitId& to, OperationPlan& plan);

}  // namespace flair
