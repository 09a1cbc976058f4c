// Merges, reverts and cherry-picks as commits that are ready to be signed.
//
// Place: repo, over ObjectStore alone: the hub prepares with it, the command line too, and
// fsck repeats it (RerunMerge). The arithmetic is src/merge's; docs/formats/merge.md.
//
// Invariants
//   (1) The same store contents, inputs and options give the same commit id, on any
//       number of threads.
//   (2) With a conflict, or on any error, nothing is stored.
//   (3) Shapes and dtypes are compared before any content is read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "merge/method.h"
#include "merge/plan.h"
#include "object/commit.h"
#include "object/tree.h"
#include "repo/progress.h"
#include "store/object_store.h"

namespace flair {

enum class MergeRun : std::uint8_t {
  kReal,
  kDryRun,  // plan and report; compute and store nothing
};

// A version that could not be joined, as a value.
struct MergeConflict {
  std::string path;
  std::string tensor;  // empty: the file as a whole
  std::string reason;  // one line: "shape differs: input 2 has F32 [3], the target F32 [4]"
  ConflictReason kind = ConflictReason::kNone;
  bool operator==(const MergeConflict&) const = default;
};

struct MergeInput {
  CommitId commit;
  // For fedavg by samples. 0: as the commit's training record declares.
  std::uint64_t samples = 0;
};

enum class MergeWeights : std::uint8_t {
  kSamples,  // fedavg's default
  kEqual,
  kGiven,  // MergeOptions::alpha, in the order of the inputs
};
// "samples", "equal", "w1,w2,…" or empty (by method: fedavg samples, others equal), as
// --weights and the hub's API take it.
struct WeightsChoice {
  MergeWeights kind = MergeWeights::kSamples;
  std::vector<std::uint32_t> alpha;
};
// Errors: kInvalidArgument.
Result<WeightsChoice> ParseWeights(std::string_view text, MergeMethod method);

enum class StalenessRule : std::uint8_t {
  kIgnore,
  kDiscount,  // alpha_i / sqrt(1 + merges missed), fedavg only
};

struct MergeOptions {
  MergeMethod method = MergeMethod::kFedAvg;
  WeightsChoice weights;
  MergeParameters parameters;                        // "beta", "f", "m"
  StalenessRule staleness = StalenessRule::kIgnore;  // a hub's rounds discount
  RoleGlobs roles;                                   // [tensors] of the target's flair.toml
  Wallet author;
  std::uint64_t time_s = 0;
  std::string message;
  MergeRun run = MergeRun::kReal;
  ProgressSink progress;
};

struct PreparedMerge {
  // Unsigned. Meaningless (default) when there are conflicts or for a dry run, except
  // for parents and recipe (a dry run of Krum does not compute the weights).
  Commit commit;
  CommitId id;
  Tree tree;
  std::vector<MergeConflict> conflicts;  // by path, then by tensor
  std::vector<std::string> notes;        // what a reader should know, one line each
  std::uint64_t num_kept = 0;            // tensors, by what happened to them
  std::uint64_t num_taken = 0;
  std::uint64_t num_combined = 0;
  bool ok() const { return conflicts.empty(); }
};

// The largest sample count declared from `input` back to `base` along first parents, as a
// merge by samples weighs it: a contribution may take several commits, over the same rows.
// 0: none is declared. Errors: kNotFound, kCorrupt.
Result<std::uint64_t> DeclaredSamples(const ObjectStore& objects, const CommitId& input,
                                      const CommitId& base);

// Merges `inputs` into `target`. Parents: target, then the inputs ascending by id.
// Errors: kInvalidArgument (no input, one twice, weights, parameters, samples missing),
// kAlreadyExists (an input is an ancestor of the target), kConflict (NaN or infinity,
// naming tensor and input), kNotFound.
Result<PreparedMerge> PrepareMerge(ObjectStore& objects, const CommitId& target,
                                   const std::vector<MergeInput>& inputs,
                                   const MergeOptions& options);

// Runs a merge commit's recipe again, storing nothing, and compares the trees.
// Errors: kRejected when the tree is another one; kInvalidArgument for a commit without
// recipe; kUnsupported for an unknown method.
Status RerunMerge(ObjectStore& objects, const Commit& commit);

enum class RevertBy : std::uint8_t {
  kHistory,   // where the commit changed a file or tensor and nobody did since: as before it
  kSubtract,  // W - (C - parent(C)) in float64 for tensors changed since
};

struct DeriveOptions {
  Wallet author;
  std::uint64_t time_s = 0;
  std::string message;
  MergeRun run = MergeRun::kReal;
  ProgressSink progress;
};

// A commit on `tip` without the changes of `reverted` against its first parent.
// kHistory conflicts where a later commit changed the same tensor or file again;
// kSubtract takes the update out of what is there now.
// Errors: kInvalidArgument for a first commit or one that is no ancestor of `tip`.
Result<PreparedMerge> PrepareRevert(ObjectStore& objects, const CommitId& tip,
                                    const CommitId& reverted, RevertBy by,
                                    const DeriveOptions& options);

// A commit on `tip` with the changes of `picked` against its first parent: taken where
// tip has what the parent had, otherwise W + (C - parent(C)).
Result<PreparedMerge> PrepareCherryPick(ObjectStore& objects, const CommitId& tip,
                                        const CommitId& picked, const DeriveOptions& options);

}  // namespace flair
