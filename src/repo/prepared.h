// What merges, reverts and cherry-picks share: from a planned join to a commit.
//
// Place: inside repo, under merge_commits.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "repo/join_trees.h"
#include "repo/merge_commits.h"
#include "store/object_store.h"

namespace flair {

// Runs `join` into one batch together with its tree, completes `commit` with the tree (and
// the recipe's weights as they came out), and commits the batch. With conflicts, or
// for a dry run, computes and stores nothing.
// Errors: kConflict when the joined paths do not form a tree; kInvalidArgument when the
// commit breaks a limit of its format.
Result<PreparedMerge> FinishJoin(ObjectStore& objects, TreeJoin join, Commit commit, MergeRun run);

}  // namespace flair
