// SPDX-License-Identifier: Apache-2.0
#include "repo/merging.h"

#include <algorithm>

#include "repo/branching.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/history.h"
#include "repo/move_tree.h"

namespace flair {
namespace {

// HEAD as merges need it: a branch with a commit.
Result<Head> BranchHead(Repository& repo, const char* what) {
  FLAIR_TRY(Head head, ReadHead(repo));
  if (head.branch.empty()) {
    return Error(ErrorCode::kInvalidArgument, std::string(what) + ": HEAD is detached")
        .WithHint("switch to the branch that is to receive it");
  }
  if (!head.commit) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(what) + ": branch " + ShortRefName(head.branch) + " has no commits");
  }
  return head;
}

std::uint64_t TimeOr(Repository& repo, const std::optional<std::uint64_t>& time_s) {
  return time_s.value_or(static_cast<std::uint64_t>(repo.env().NowSeconds()));
}

std::string FirstLine(const std::string& message) { return message.substr(0, message.find('\n')); }

// Checks that files can move, signs, moves branch, index and files in one operation.
// REQUIRES: LockForWriting is held.
Result<MergeOutcome> Conclude(Repository& repo, const Head& head, const PreparedMerge& prepared,
                              MergeRun run, const char* kind, const Keypair& author,
                              const ProgressSink& progress) {
  MergeOutcome outcome;
  outcome.notes = prepared.notes;
  outcome.recipe = prepared.commit.merge;
  if (!prepared.ok()) {
    outcome.kind = MergeResultKind::kConflicts;
    outcome.conflicts = prepared.conflicts;
    return outcome;
  }
  outcome.kind = MergeResultKind::kMerged;
  if (run == MergeRun::kDryRun) return outcome;
  FLAIR_TRY(const CommitId id, StoreSignedCommit(repo, prepared.tree, prepared.commit, author));
  FLAIR_TRY(const Tree from, ReadCommitTree(repo.objects(), *head.commit));
  OperationPlan plan;
  plan.kind = kind;
  plan.reason = std::string(kind) + ": " + FirstLine(prepared.commit.message);
  PointHead(head, id, plan);
  FLAIR_DO(MoveFiles(repo, from, prepared.tree, plan, progress));
  FLAIR_DO(Apply(repo, plan));
  outcome.commit = id;
  return outcome;
}

DeriveOptions MakeDeriveOptions(Repository& repo, const Keypair& author, std::string message,
                                const std::optional<std::uint64_t>& time_s, MergeRun run,
                                const ProgressSink& progress) {
  DeriveOptions options;
  options.author = author.wallet();
  options.time_s = TimeOr(repo, time_s);
  options.message = std::move(message);
  options.run = run;
  options.progress = progress;
  return options;
}

std::string MergeMessage(const Head& head, const std::vector<CommitId>& others) {
  std::string out = "Merge";
  for (const CommitId& id : others) out += (&id == &others.front() ? " " : ", ") + id.Short();
  return out + " into " + ShortRefName(head.branch);
}

// Those that HEAD does not hold already, each once.
Result<std::vector<CommitId>> Missing(Repository& repo, const CommitId& head,
                                      std::vector<CommitId> others) {
  FLAIR_TRY(auto shallow, ShallowCommits(repo));
  History history(repo.objects(), std::move(shallow));
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  std::vector<CommitId> out;
  for (const CommitId& id : others) {
    FLAIR_TRY(const bool held, history.IsAncestor(id, head));
    if (!held) out.push_back(id);
  }
  return out;
}

}  // namespace

Result<MergeOutcome> Merge(Repository& repo, const MergeRequest& request, const Keypair& author) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Head head, BranchHead(repo, "merge"));
  if (request.others.empty()) {
    return Error(ErrorCode::kInvalidArgument, "merge: nothing to merge was named");
  }
  MergeOptions options;
  if (!request.method.empty()) {
    FLAIR_TRY(options.method, MergeMethodFromName(request.method));
  }
  FLAIR_TRY(const auto missing, Missing(repo, *head.commit, request.others));
  if (missing.empty()) return MergeOutcome{};

  if (missing.size() == 1 && request.fast_forwards == FastForwards::kAllow) {
    FLAIR_TRY(auto shallow, ShallowCommits(repo));
    History history(repo.objects(), std::move(shallow));
    FLAIR_TRY(const bool descends, history.IsAncestor(*head.commit, missing[0]));
    if (descends) {
      if (request.run == MergeRun::kReal) {
        FLAIR_DO(FastForward(repo, missing[0], "merge", request.progress));
      }
      MergeOutcome outcome;
      outcome.kind = MergeResultKind::kFastForward;
      outcome.commit = missing[0];
      return outcome;
    }
  }

  // Weights in the order that was typed would change meaning when an input is left out.
  if (missing.size() != request.others.size() && request.weights.find(',') != std::string::npos) {
    return Error(ErrorCode::kInvalidArgument,
                 "merge: HEAD holds one of the commits already, so the weights do not fit")
        .WithHint("name only commits that are to be merged, once each");
  }
  FLAIR_TRY(options.weights, ParseWeights(request.weights, options.method));
  options.parameters = request.parameters;
  options.roles = request.roles;
  options.author = author.wallet();
  options.time_s = TimeOr(repo, request.time_s);
  options.message = request.message.empty() ? MergeMessage(head, missing) : request.message;
  options.run = request.run;
  options.progress = request.progress;
  std::vector<MergeInput> inputs;
  const bool as_typed = missing.size() == request.others.size();
  for (const CommitId& id : as_typed ? request.others : missing) inputs.push_back({.commit = id});
  FLAIR_TRY(const PreparedMerge prepared,
            PrepareMerge(repo.objects(), *head.commit, inputs, options));
  return Conclude(repo, head, prepared, request.run, "merge", author, request.progress);
}

Result<MergeOutcome> Revert(Repository& repo, const RevertRequest& request, const Keypair& author) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Head head, BranchHead(repo, "revert"));
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), request.commit));
  const std::string message = request.message.empty()
                                  ? "Revert \"" + FirstLine(commit.message) +
                                        "\"\n\nTakes back commit " + request.commit.ToHex() + "."
                                  : request.message;
  FLAIR_TRY(const PreparedMerge prepared,
            PrepareRevert(repo.objects(), *head.commit, request.commit, request.by,
                          MakeDeriveOptions(repo, author, message, request.time_s, request.run,
                                            request.progress)));
  return Conclude(repo, head, prepared, request.run, "revert", author, request.progress);
}

Result<MergeOutcome> CherryPick(Repository& repo, const CherryPickRequest& request,
                                const Keypair& author) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Head head, BranchHead(repo, "cherry-pick"));
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), request.commit));
  const std::string message = request.message.empty() ? commit.message : request.message;
  FLAIR_TRY(const PreparedMerge prepared,
            PrepareCherryPick(repo.objects(), *head.commit, request.commit,
                              MakeDeriveOptions(repo, author, message, request.time_s, request.run,
                                                request.progress)));
  return Conclude(repo, head, prepared, request.run, "cherry-pick", author, request.progress);
}

}  // namespace flair
