// Merge, revert and cherry-pick in a local repository: prepared by
// merge_commits.h, signed here, then branch, index and files move in one operation.
//
// Conflicts are values: with one, nothing is written, stored or moved.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/ed25519.h"
#include "object/commit.h"
#include "repo/merge_commits.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

enum class FastForwards : std::uint8_t {
  kAllow,  // one other commit that descends from HEAD: move there
  kNever,  // always a merge commit
};

struct MergeRequest {
  std::vector<CommitId> others;  // merged into HEAD's branch
  std::string method;            // "fedavg", "median", "krum", ...; empty: the default
  std::string weights;           // "samples", "equal" or "w1,w2,..."; empty: the method's default
  std::vector<std::pair<std::string, std::string>> parameters;  // method parameters
  RoleGlobs roles;                                              // [tensors] of flair.toml
  std::string message;                                          // empty: "Merge ..."
  std::optional<std::uint64_t> time_s;                          // now when absent
  MergeRun run = MergeRun::kReal;
  FastForwards fast_forwards = FastForwards::kAllow;
  ProgressSink progress;
};

enum class MergeResultKind : std::uint8_t {
  kUpToDate,     // HEAD holds all of it already
  kFastForward,  // HEAD moved to `commit`
  kMerged,       // `commit` was made (kDryRun: would be made)
  kConflicts,    // nothing happened
};

struct MergeOutcome {
  MergeResultKind kind = MergeResultKind::kUpToDate;
  std::optional<CommitId> commit;
  std::optional<MergeRecipe> recipe;
  std::vector<MergeConflict> conflicts;
  std::vector<std::string> notes;  // what a reader should know, one line each
};

// Errors: kConflict (local changes would be lost, branch moved), kInvalidArgument
// (unknown method, bad weights, HEAD unborn or detached).
Result<MergeOutcome> Merge(Repository& repo, const MergeRequest& request, const Keypair& author);

struct RevertRequest {
  CommitId commit;
  RevertBy by = RevertBy::kHistory;
  std::string message;  // empty: "Revert ..."
  std::optional<std::uint64_t> time_s;
  MergeRun run = MergeRun::kReal;
  ProgressSink progress;
};
Result<MergeOutcome> Revert(Repository& repo, const RevertRequest& request, const Keypair& author);

struct CherryPickRequest {
  CommitId commit;
  std::string message;  // empty: the picked commit's
  std::optional<std::uint64_t> time_s;
  MergeRun run = MergeRun::kReal;
  ProgressSink progress;
};
Result<MergeOutcome> CherryPick(Repository& repo, const CherryPickRequest& request,
                                const Keypair& author);

}  // namespace flair
