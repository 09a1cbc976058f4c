// SPDX-License-Identifier: Apache-2.0
#include "repo/branching.h"

#include "repo/config.h"
#include "repo/history.h"
#include "repo/move_tree.h"
#include "repo/worktree.h"

namespace flair {
namespace {

Result<std::string> NamedRef(std::string_view prefix, std::string_view name) {
  std::string full = std::string(prefix) + std::string(name);
  FLAIR_DO(CheckRefName(full));
  return full;
}

Status CreateRef(Repository& repo, const std::string& name, const CommitId& at, const char* kind) {
  FLAIR_TRY(const auto there, GetRef(repo, name));
  if (there) {
    return Error(ErrorCode::kAlreadyExists,
                 std::string(kind) + " " + ShortRefName(name) + " exists, at " + there->Short());
  }
  return CompareAndSwap(repo, {{.name = name, .old = {}, .to = at}}, kind,
                        "make " + std::string(kind) + " " + ShortRefName(name));
}

// The ref must be there.
Status DeleteRef(Repository& repo, const std::string& name, const char* kind) {
  FLAIR_TRY(const auto there, GetRef(repo, name));
  if (!there) {
    return Error(ErrorCode::kNotFound,
                 "there is no " + std::string(kind) + " " + ShortRefName(name));
  }
  return CompareAndSwap(repo, {{.name = name, .old = there, .to = {}}}, kind,
                        "delete " + std::string(kind) + " " + ShortRefName(name));
}

Result<bool> ReachedElsewhere(Repository& repo, const std::string& name, const CommitId& tip) {
  FLAIR_TRY(auto shallow, ShallowCommits(repo));
  History history(repo.objects(), std::move(shallow));
  FLAIR_TRY(const std::vector<Ref> refs, ListRefs(repo));
  for (const Ref& ref : refs) {
    if (ref.name == name || ref.name.starts_with("aliases/")) continue;
    FLAIR_TRY(const bool reached, history.IsAncestor(tip, ref.commit));
    if (reached) return true;
  }
  return false;
}

// What a switch goes to.
struct Target {
  HeadTarget head;
  std::optional<CommitId> commit;  // absent: an unborn branch
  bool make_branch = false;        // refs gain head.branch at commit
  std::optional<Upstream> upstream;
};

// "experiment" of the one remote that has it.
Result<Target> TrackRemoteBranch(Repository& repo, const std::string& branch_ref,
                                 std::string_view name) {
  FLAIR_TRY(const std::vector<Ref> refs, ListRefs(repo, "remotes/"));
  Target target;
  for (const Ref& ref : refs) {
    const std::string_view rest = std::string_view(ref.name).substr(8);
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos || rest.substr(slash + 1) != name) continue;
    if (target.commit) {
      return Error(ErrorCode::kInvalidArgument,
                   "several remotes have a branch '" + std::string(name) + "'")
          .WithHint("flair switch --create " + std::string(name) + " REMOTE/" + std::string(name));
    }
    target.head.branch = branch_ref;
    target.commit = ref.commit;
    target.make_branch = true;
    target.upstream =
        Upstream{.remote = std::string(rest.substr(0, slash)), .branch = std::string(name)};
  }
  if (!target.commit) {
    return Error(ErrorCode::kNotFound, "there is no branch '" + std::string(name) + "'")
        .WithHint("`flair branch --all` lists them; `flair switch --create` makes one");
  }
  return target;
}

Result<Target> FindTarget(Repository& repo, std::string_view name, SwitchMode mode,
                          const std::optional<CommitId>& start) {
  Target target;
  if (mode == SwitchMode::kDetach) {
    FLAIR_TRY(const CommitId id, Resolve(repo, name));
    target.head.commit = id;
    target.commit = id;
    return target;
  }
  FLAIR_TRY(const std::string ref, BranchRef(name));
  FLAIR_TRY(const auto there, GetRef(repo, ref));
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (mode == SwitchMode::kExisting) {
    if (!there && head.branch != ref) return TrackRemoteBranch(repo, ref, name);
    target.head.branch = ref;
    target.commit = there;
    return target;
  }
  if (there || head.branch == ref) {
    return Error(ErrorCode::kAlreadyExists, "branch " + std::string(name) + " exists")
        .WithHint("flair switch " + std::string(name));
  }
  target.head.branch = ref;
  target.commit = start ? start : head.commit;
  target.make_branch = target.commit.has_value();
  return target;
}

}  // namespace

Status CreateBranch(Repository& repo, std::string_view name, const CommitId& at) {
  FLAIR_TRY(const std::string ref, BranchRef(name));
  return CreateRef(repo, ref, at, "branch");
}

Status DeleteBranch(Repository& repo, std::string_view name, DeleteMode mode) {
  FLAIR_TRY(const std::string ref, BranchRef(name));
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (head.branch == ref) {
    return Error(ErrorCode::kConflict, "branch " + std::string(name) + " is the current one")
        .WithHint("switch to another branch first");
  }
  FLAIR_TRY(const auto tip, GetRef(repo, ref));
  if (tip && mode == DeleteMode::kOnlyMerged) {
    FLAIR_TRY(const bool kept, ReachedElsewhere(repo, ref, *tip));
    if (!kept) {
      return Error(ErrorCode::kConflict,
                   "branch " + std::string(name) + " has commits that no other ref holds")
          .WithHint("flair branch -D " + std::string(name) + " deletes it all the same");
    }
  }
  FLAIR_DO(DeleteRef(repo, ref, "branch"));
  return SetUpstream(repo, name, std::nullopt);
}

Status RenameBranch(Repository& repo, std::string_view from, std::string_view to) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const std::string old_ref, BranchRef(from));
  FLAIR_TRY(const std::string new_ref, BranchRef(to));
  FLAIR_TRY(const auto tip, GetRef(repo, old_ref));
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (!tip && head.branch != old_ref) {
    return Error(ErrorCode::kNotFound, "there is no branch " + std::string(from));
  }
  FLAIR_TRY(const auto taken, GetRef(repo, new_ref));
  if (taken || head.branch == new_ref) {
    return Error(ErrorCode::kAlreadyExists, "branch " + std::string(to) + " exists");
  }
  OperationPlan plan;
  plan.kind = "branch";
  plan.reason = "rename branch " + std::string(from) + " to " + std::string(to);
  if (tip) {
    plan.refs.push_back({.name = old_ref, .old = tip, .to = {}});
    plan.refs.push_back({.name = new_ref, .old = {}, .to = tip});
  }
  if (head.branch == old_ref) plan.head = HeadTarget{.branch = new_ref, .commit = {}};
  FLAIR_DO(Apply(repo, plan));
  FLAIR_TRY(const auto upstream, GetUpstream(repo, from));
  FLAIR_DO(SetUpstream(repo, to, upstream));
  return SetUpstream(repo, from, std::nullopt);
}

Status CreateTag(Repository& repo, std::string_view name, const CommitId& at) {
  FLAIR_TRY(const std::string ref, NamedRef("tags/", name));
  return CreateRef(repo, ref, at, "tag");
}

Status DeleteTag(Repository& repo, std::string_view name) {
  FLAIR_TRY(const std::string ref, NamedRef("tags/", name));
  return DeleteRef(repo, ref, "tag");
}

Status SetAlias(Repository& repo, std::string_view name, const CommitId& at) {
  FLAIR_TRY(const std::string ref, NamedRef("aliases/", name));
  return CompareAndSwap(repo, {{.name = ref, .old = {}, .to = at, .expect = Expect::kAnything}},
                        "alias", ShortRefName(ref) + " is " + at.Short());
}

Status DeleteAlias(Repository& repo, std::string_view name) {
  FLAIR_TRY(const std::string ref, NamedRef("aliases/", name));
  return DeleteRef(repo, ref, "alias");
}

Result<Head> Switch(Repository& repo, std::string_view name, SwitchMode mode,
                    std::optional<CommitId> start, const ProgressSink& progress) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Target target, FindTarget(repo, name, mode, start));
  FLAIR_TRY(const Head head, ReadHead(repo));
  OperationPlan plan;
  plan.kind = "switch";
  plan.reason = "switch to " + std::string(name);
  plan.head = target.head;
  if (target.make_branch) {
    plan.refs.push_back({.name = target.head.branch, .old = {}, .to = target.commit});
  }
  if (target.commit != head.commit) {
    FLAIR_TRY(const Tree from, HeadTree(repo));
    Tree to;
    if (target.commit) {
      FLAIR_TRY(to, ReadCommitTree(repo.objects(), *target.commit));
    }
    FLAIR_DO(MoveFiles(repo, from, to, plan, progress));
  }
  FLAIR_DO(Apply(repo, plan));
  if (target.upstream) FLAIR_DO(SetUpstream(repo, name, target.upstream));
  return ReadHead(repo);
}

Status Reset(Repository& repo, const CommitId& to, ResetMode mode, const ProgressSink& progress) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Tree tree, ReadCommitTree(repo.objects(), to));
  FLAIR_TRY(const Head head, ReadHead(repo));
  FLAIR_TRY(const Tree staged, ReadStaging(repo));
  OperationPlan plan;
  plan.kind = "reset";
  plan.reason = "reset to " + to.Short();
  PointHead(head, to, plan);
  if (mode != ResetMode::kSoft) plan.staging = DiffEntries(staged, tree);
  if (mode == ResetMode::kHard) {
    std::vector<WorktreeChange> files = plan.staging;
    // Files that are the same in both but were edited go back, too.
    FLAIR_TRY(const WorktreeStatus status, ReadStatus(repo));
    for (const PathChange& change : status.unstaged) {
      const TreeEntry* entry = tree.Find(change.path);
      const TreeEntry* before = staged.Find(change.path);
      if (entry == nullptr || before == nullptr || !(*entry == *before)) continue;
      files.push_back({.path = change.path, .before = *entry, .after = *entry});
    }
    FLAIR_TRY(CheckoutOutcome outcome,
              ChangeFiles(repo, files, LocalChanges::kStoreFirst, progress));
    plan.worktree = std::move(outcome.worktree);
    plan.stats = std::move(outcome.stats);
  }
  FLAIR_DO(Apply(repo, plan));
  return OkStatus();
}

Status FastForward(Repository& repo, const CommitId& to, std::string_view kind,
                   const ProgressSink& progress) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (head.commit) {
    FLAIR_TRY(auto shallow, ShallowCommits(repo));
    History history(repo.objects(), std::move(shallow));
    FLAIR_TRY(const bool descends, history.IsAncestor(*head.commit, to));
    if (!descends) {
      return Error(ErrorCode::kConflict,
                   "HEAD " + head.commit->Short() + " is not an ancestor of " + to.Short())
          .WithHint("flair merge " + to.Short());
    }
  }
  FLAIR_TRY(const Tree from, HeadTree(repo));
  FLAIR_TRY(const Tree tree, ReadCommitTree(repo.objects(), to));
  OperationPlan plan;
  plan.kind = std::string(kind);
  plan.reason = std::string(kind) + ": fast-forward to " + to.Short();
  PointHead(head, to, plan);
  FLAIR_DO(MoveFiles(repo, from, tree, plan, progress));
  FLAIR_DO(Apply(repo, plan));
  return OkStatus();
}

}  // namespace flair
