// Clone, fetch, pull and push: a repository on disk against one on a hub.
//
// Place: remote, over repo and HubApi. Format: docs/formats/wire.md. Invariants
//   (1) Everything received is verified before it is stored; refs move last.
//   (2) A transfer killed at any point leaves the old refs and a state from which the same
//       call goes on at the byte where it was (.flair/transfer/, fsynced journal).
//   (3) No call waits without an end: HttpClient's limits hold for every request.
//
// Thread safety: one thread per Repository; transfers use threads of their own inside.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "remote/address.h"
#include "remote/hub_api.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

struct TransferOptions {
  ProgressSink progress;        // phases: "fetching", "verifying", "pushing", "checking"
  std::size_t connections = 4;  // for downloads
};

struct FetchOptions {
  TransferOptions transfer;
  // Partial: contents of other tensors stay on the hub. Empty: what the clone was made
  // with. Files that lack contents are left out of the working tree.
  std::string tensors_glob;
  std::uint32_t depth = 0;  // 0: what the clone was made with (all)
  // What to fetch besides branches, tags and aliases: commits of proposals.
  std::vector<std::pair<std::string, CommitId>> also;  // {"proposals/7", commit}
};

struct RefChangeSeen {
  std::string name;  // local full name, "remotes/origin/main"
  std::optional<CommitId> from;
  std::optional<CommitId> to;
};

struct FetchOutcome {
  std::vector<RefChangeSeen> refs;
  std::uint64_t received_bytes = 0;  // over the wire, now
  std::uint64_t resumed_bytes = 0;   // already here from an interrupted fetch
  std::uint64_t model_bytes = 0;     // of the files in the default branch's tip
  std::string default_branch;
};

// Brings remotes/NAME/... up to date with the remote's branches; tags and aliases are
// made or moved when they are absent or behind. `api` must be for the remote's hub.
Result<FetchOutcome> Fetch(Repository& repo, HubApi& api, const std::string& remote,
                           const FetchOptions& options = {});

struct CloneOptions {
  FetchOptions fetch;
  std::string light;   // "int8", "bf16": a copy to look at and evaluate; push is refused
  std::string branch;  // checked out; empty: the default branch
};
struct CloneOutcome {
  std::unique_ptr<Repository> repo;
  FetchOutcome fetch;
  std::string branch;
  std::optional<CommitId> commit;  // absent: the remote is empty
};
// `dir` may exist when it is empty or holds an interrupted clone of the same address,
// which goes on. Errors: kAlreadyExists.
Result<CloneOutcome> Clone(Env& env, HubApi& api, const RepoAddress& from, const std::string& dir,
                           const CloneOptions& options = {});

enum class PullKind : std::uint8_t { kUpToDate, kFastForward };
struct PullOutcome {
  PullKind kind = PullKind::kUpToDate;
  FetchOutcome fetch;
  std::optional<CommitId> commit;
};
// Fetch, then fast-forward HEAD's branch to its upstream (else to the branch of the same name).
// Errors: kConflict when the branches diverged (hint: how to merge).
Result<PullOutcome> Pull(Repository& repo, HubApi& api, const std::string& remote,
                         const FetchOptions& options = {});

struct PushOptions {
  TransferOptions transfer;
  std::string target;  // branch on the hub; empty: the branch's upstream, else "main"
  std::string source;  // local branch; empty: HEAD's
  std::string title;   // of a new proposal; empty: the tip's first line
};
// What left this machine.
struct EgressReport {
  std::uint64_t sent_bytes = 0;     // over the wire, now
  std::uint64_t resumed_bytes = 0;  // at the hub already, from an interrupted push
  std::uint64_t model_bytes = 0;    // of the tip's tree
  std::uint64_t num_commits = 0;
  std::uint64_t num_tensors = 0;  // that changed against what the hub has
  std::uint64_t num_objects = 0;
  std::optional<double> update_norm;  // L2 over float tensors, tip against the target
  std::string signer;                 // wallet of the tip's author
};
struct PushOutcome {
  bool up_to_date = false;  // nothing to do: the target is there already
  bool moved = false;       // the ref moved; else a proposal
  CommitId commit;
  std::string target;
  std::uint64_t proposal_number = 0;
  std::string proposal_url;
  std::string evidence_json;
  std::vector<wire::PushCheck> checks;
  EgressReport egress;
};
// Moves the target where role and policy let it, else opens or updates the one proposal of
// (wallet, source branch, target). Errors: kUnsupported from a light clone, kConflict
// when the target moved on, kPolicyViolation, kRejected, kUnauthorised.
Result<PushOutcome> Push(Repository& repo, HubApi& api, const std::string& remote,
                         const PushOptions& options = {});

}  // namespace flair
