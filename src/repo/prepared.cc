// SPDX-License-Identifier: Apache-2.0
#include "repo/prepared.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace flair {

Result<PreparedMerge> FinishJoin(ObjectStore& objects, TreeJoin join, Commit commit, MergeRun run) {
  PreparedMerge out;
  out.conflicts = join.conflicts();
  std::stable_sort(out.conflicts.begin(), out.conflicts.end(),
                   [](const MergeConflict& a, const MergeConflict& b) {
                     return std::tie(a.path, a.tensor) < std::tie(b.path, b.tensor);
                   });
  out.notes = join.notes();
  out.num_kept = join.num_kept();
  out.num_taken = join.num_taken();
  out.num_combined = join.num_combined();
  out.commit = std::move(commit);
  // Before anything is computed: limits of the format that the caller's text may break.
  if (auto decoded = DecodeCommit(EncodeCommit(out.commit)); !decoded.ok()) {
    return Error(ErrorCode::kInvalidArgument, decoded.error().message());
  }
  if (!out.ok() || run == MergeRun::kDryRun) return out;

  FLAIR_TRY(const auto batch, objects.Begin());
  BatchSink sink(*batch);
  FLAIR_TRY(out.tree, join.Run(sink));
  const Bytes encoded = EncodeTree(out.tree);
  if (auto decoded = DecodeTree(encoded); !decoded.ok()) {
    return Error(ErrorCode::kConflict,
                 "the merged files do not fit together: " + decoded.error().message());
  }
  FLAIR_TRY(out.commit.tree.digest, batch->PutObject(ObjectKind::kTree, encoded));
  if (out.commit.merge) out.commit.merge->alpha = join.rule().alpha;
  FLAIR_DO(batch->Commit());
  out.id = IdOf(out.commit);
  return out;
}

}  // namespace flair
