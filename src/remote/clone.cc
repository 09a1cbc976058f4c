// Clone and pull: fetch, then a working tree.
// SPDX-License-Identifier: Apache-2.0
#include "base/path.h"
#include "object/file.h"
#include "remote/light.h"
#include "remote/transfer.h"
#include "repo/branching.h"
#include "repo/checkout.h"
#include "repo/closure.h"
#include "repo/config.h"
#include "repo/extent.h"
#include "repo/oplog.h"
#include "repo/refs.h"

namespace flair {
namespace {

constexpr const char* kOrigin = "origin";

Result<Tree> ReadTreeOf(Repository& repo, const CommitId& id) {
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
  FLAIR_TRY(const Bytes bytes, repo.objects().ReadObject(ObjectKind::kTree, commit.tree.digest));
  return DecodeTree(bytes);
}

// HEAD on `branch` at `tip`; the index is the whole tree, the folder what can be written.
Status CheckOut(Repository& repo, const std::string& branch, const CommitId& tip,
                const CloneOptions& options) {
  FLAIR_TRY(const Tree tree, ReadTreeOf(repo, tip));
  FLAIR_TRY(const Tree before, ReadStaging(repo));
  FLAIR_TRY(const std::string ref, BranchRef(branch));
  FLAIR_TRY(const auto existing, GetRef(repo, ref));
  if (existing == tip && before == tree) return OkStatus();  // an interrupted clone got this far
  FLAIR_TRY(CheckoutOutcome written,
            CheckoutTree(repo, tree, LocalChanges::kRefuse, options.fetch.transfer.progress));
  OperationPlan plan;
  plan.kind = "clone";
  plan.reason = "of " + branch;
  plan.refs.push_back({.name = ref, .old = existing, .to = tip, .expect = Expect::kOld});
  plan.head = HeadTarget{.branch = ref, .commit = {}};
  plan.staging = std::move(written.staging);
  plan.worktree = std::move(written.worktree);
  plan.stats = std::move(written.stats);
  FLAIR_DO(Apply(repo, plan));
  return SetUpstream(repo, branch, Upstream{.remote = kOrigin, .branch = branch});
}

// Opens an interrupted clone of the same address, or makes the repository.
Result<std::unique_ptr<Repository>> OpenOrInit(Env& env, const std::string& dir,
                                               const RepoAddress& from) {
  const auto taken = [&](const std::string& why) {
    return Error(ErrorCode::kAlreadyExists, "'" + dir + "' " + why)
        .WithHint("name another folder: flair clone URL DIR");
  };
  if (Exists(env, dir + "/" + kFlairFolder)) {
    FLAIR_TRY(auto repo, Repository::Open(env, dir));
    const auto remote = GetRemote(*repo, kOrigin);
    FLAIR_TRY(const auto done, GetConfig(*repo, "clone.done"));
    if (!remote.ok() || remote->url != from.ToUrl()) return taken("holds another repository");
    if (done.has_value()) return taken("holds a clone already");
    return repo;
  }
  if (Exists(env, dir)) {
    FLAIR_TRY(const std::vector<std::string> names, env.ListDir(dir));
    if (!names.empty()) return taken("is not empty");
  }
  FLAIR_TRY(auto repo, Repository::Init(env, dir));
  FLAIR_DO(AddRemote(*repo, {.name = kOrigin, .url = from.ToUrl(), .repo_id = ""}));
  return repo;
}

}  // namespace

Result<CloneOutcome> Clone(Env& env, HubApi& api, const RepoAddress& from, const std::string& dir,
                           const CloneOptions& options) {
  if (!options.light.empty() && options.light != "int8" && options.light != "bf16") {
    return Error(ErrorCode::kInvalidArgument, "no light form '" + options.light + "'")
        .WithHint("light forms: int8, bf16");
  }
  FLAIR_DO(api.GetRepo(from));  // before anything is made: does it exist, may we read it?
  CloneOutcome outcome;
  FLAIR_TRY(outcome.repo, OpenOrInit(env, dir, from));
  Repository& repo = *outcome.repo;
  FetchOptions fetch = options.fetch;
  if (!options.light.empty()) {
    FLAIR_DO(SetConfig(repo, "clone.light", options.light));
    fetch.tensors_glob = kNoTensors;
    if (fetch.depth == 0) fetch.depth = 1;
  }
  if (!fetch.tensors_glob.empty()) {
    FLAIR_DO(SetConfig(repo, "clone.tensors", fetch.tensors_glob));
  }
  if (fetch.depth != 0) FLAIR_DO(SetConfig(repo, "clone.depth", std::to_string(fetch.depth)));
  FLAIR_TRY(outcome.fetch, Fetch(repo, api, kOrigin, fetch));

  outcome.branch = options.branch.empty() ? outcome.fetch.default_branch : options.branch;
  FLAIR_TRY(outcome.commit, GetRef(repo, std::string("remotes/") + kOrigin + "/" + outcome.branch));
  if (outcome.commit.has_value()) {
    FLAIR_TRY(const auto lock, repo.LockForWriting());
    FLAIR_DO(CheckOut(repo, outcome.branch, *outcome.commit, options));
    if (!options.light.empty()) {
      FLAIR_TRY(const Tree tree, ReadTreeOf(repo, *outcome.commit));
      FLAIR_TRY(const std::vector<TreeEntry> models, ModelFiles(repo.objects(), tree));
      for (const TreeEntry& entry : models) {
        FLAIR_DO(WriteLightFile(repo, api, from, *outcome.commit, entry, options.light,
                                options.fetch.transfer, outcome.fetch));
      }
    }
  } else if (!options.branch.empty()) {
    return Error(ErrorCode::kNotFound, "the hub has no branch '" + options.branch + "'");
  }
  FLAIR_DO(SetConfig(repo, "clone.done", "1"));
  return outcome;
}

Result<PullOutcome> Pull(Repository& repo, HubApi& api, const std::string& remote,
                         const FetchOptions& options) {
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  if (!extent.light.empty()) {
    return Error(ErrorCode::kUnsupported, "a light clone cannot be pulled")
        .WithHint("clone again: flair clone --light ...");
  }
  PullOutcome outcome;
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (head.branch.empty()) {
    return Error(ErrorCode::kInvalidArgument, "HEAD is on no branch")
        .WithHint("'flair switch BRANCH' first");
  }
  const std::string branch = head.branch.substr(std::string_view("heads/").size());
  FLAIR_TRY(const auto upstream, GetUpstream(repo, branch));
  const bool tracked = upstream.has_value() && upstream->remote == remote;
  const std::string theirs = tracked ? upstream->branch : branch;
  FLAIR_TRY(outcome.fetch, Fetch(repo, api, remote, options));
  FLAIR_TRY(const auto tip, GetRef(repo, "remotes/" + remote + "/" + theirs));
  if (!tip.has_value()) {
    return Error(ErrorCode::kNotFound, "'" + remote + "' has no branch '" + theirs + "'");
  }
  outcome.commit = head.commit;
  if (head.commit == tip) return outcome;
  if (!head.commit.has_value()) {
    CloneOptions checkout;
    checkout.fetch = options;
    FLAIR_TRY(const auto lock, repo.LockForWriting());
    FLAIR_DO(CheckOut(repo, branch, *tip, checkout));
  } else {
    FLAIR_TRY(const auto ours, ReachableCommits(repo.objects(), {*head.commit}));
    if (ours.contains(*tip)) return outcome;  // only local commits on top
    FLAIR_TRY(const auto reached, ReachableCommits(repo.objects(), {*tip}));
    if (!reached.contains(*head.commit)) {
      return Error(ErrorCode::kConflict,
                   "'" + branch + "' and '" + remote + "/" + theirs + "' have both moved on")
          .WithHint("'flair merge " + remote + "/" + theirs + "' joins them");
    }
    FLAIR_DO(FastForward(repo, *tip, "pull", options.transfer.progress));
  }
  outcome.kind = PullKind::kFastForward;
  outcome.commit = tip;
  return outcome;
}

}  // namespace flair
