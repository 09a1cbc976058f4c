// Push: negotiate, upload what the hub lacks, and ask it to accept.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_set>

#include "object/file.h"
#include "object/tree.h"
#include "remote/transfer.h"
#include "remote/upload.h"
#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/extent.h"
#include "repo/refs.h"

namespace flair {
namespace {

constexpr int kMaxStarts = 3;
constexpr std::uint32_t kHeldDepth = 64;
constexpr auto kFinishLimit = std::chrono::hours(2);

// One push, from what is asked to what the hub said.
struct Plan {
  RepoAddress to;
  std::string source;
  std::string target;
  CommitId tip;
  std::optional<CommitId> target_tip;  // on the hub
  Closure closure;
  std::vector<CommitId> haves;
};

Result<Plan> MakePlan(Repository& repo, HubApi& api, const Remote& remote,
                      const PushOptions& options, const wire::RefList& refs) {
  Plan plan;
  FLAIR_TRY(plan.to, ParseRepoAddress(remote.url, api.hub_url()));
  FLAIR_TRY(const Head head, ReadHead(repo));
  plan.source = options.source;
  if (plan.source.empty()) {
    if (head.branch.empty()) {
      return Error(ErrorCode::kInvalidArgument, "HEAD is on no branch")
          .WithHint("'flair switch BRANCH', or name the branch to push");
    }
    plan.source = head.branch.substr(std::string_view("heads/").size());
  }
  FLAIR_TRY(const std::string ref, BranchRef(plan.source));
  FLAIR_TRY(const auto tip, GetRef(repo, ref));
  if (!tip.has_value()) {
    return Error(ErrorCode::kNotFound, "branch '" + plan.source + "' has no commit to push");
  }
  plan.tip = *tip;
  plan.target = options.target;
  if (plan.target.empty()) {
    FLAIR_TRY(const auto upstream, GetUpstream(repo, plan.source));
    plan.target =
        upstream.has_value() && upstream->remote == remote.name ? upstream->branch : kDefaultBranch;
  }
  FLAIR_DO(BranchRef(plan.target));
  plan.target_tip = refs.Find("heads/" + plan.target);
  for (const wire::NamedRef& named : refs.refs) plan.haves.push_back(named.commit);
  return plan;
}

AttachmentLookup AttachmentsOf(Repository& repo) {
  return [&repo](const CommitId& commit) -> Result<std::vector<AttachmentId>> {
    FLAIR_TRY(const std::vector<AttachmentEntry> entries, ListAttachments(repo, commit));
    std::vector<AttachmentId> ids;
    for (const AttachmentEntry& entry : entries) ids.push_back(entry.id);
    return ids;
  };
}

// Contents that the hub's refs reach, as far as they are known here: bases of deltas.
Result<std::unordered_set<Digest, DigestHash>> HeldByHub(Repository& repo, const Plan& plan) {
  ClosureOptions options;
  options.depth = kHeldDepth;
  options.absent = Absent::kList;
  options.check_contents = false;
  std::vector<CommitId> known;
  for (const CommitId& commit : plan.haves) {
    if (repo.objects().HasObject(ObjectKind::kCommit, commit.digest)) known.push_back(commit);
  }
  std::unordered_set<Digest, DigestHash> held;
  if (known.empty()) return held;
  FLAIR_TRY(const Closure closure, WalkClosure(repo.objects(), known, {}, options));
  for (const ContentRef& content : closure.contents) held.insert(content.hash);
  return held;
}

// Asks the hub what it lacks and lays the upload out; the journal is durable afterwards.
Result<PushJournal> Negotiate(Repository& repo, HubApi& api, const Plan& plan,
                              const std::string& journal_path) {
  wire::PushRequest request;
  request.target = plan.target;
  request.source_branch = plan.source;
  request.tip = plan.tip;
  request.objects = plan.closure.objects;
  for (const ContentRef& content : plan.closure.contents) request.contents.push_back(content.hash);
  FLAIR_TRY(const wire::PushState state, api.CreatePush(plan.to, request));

  std::unordered_set<Digest, DigestHash> missing(state.missing_contents.begin(),
                                                 state.missing_contents.end());
  FLAIR_TRY(auto held, HeldByHub(repo, plan));
  for (const Digest& content : request.contents) {
    if (missing.contains(content)) {
      held.erase(content);
    } else {
      held.insert(content);
    }
  }
  auto records = repo.objects().Locate(state.missing_objects, state.missing_contents,
                                       [&](const Digest& hash) { return held.contains(hash); });
  if (!records.ok()) {
    if (records.error().code() != ErrorCode::kNotFound) return std::move(records).error();
    return std::move(records)
        .error()
        .In("the hub lacks what this clone lacks too")
        .WithHint("fetch it whole first: flair fetch --tensors '*'");
  }
  PushJournal journal{.address = plan.to.ToUrl(),
                      .push = state.push,
                      .target = plan.target,
                      .source_branch = plan.source,
                      .tip = plan.tip,
                      .frames = FramesOf(std::move(records).value())};
  FLAIR_DO(SavePushJournal(repo.env(), journal_path, journal));
  return journal;
}

// Asks until the hub has decided: large pushes take it longer than one request may.
Result<wire::FinishResult> Finish(HubApi& api, const Plan& plan, const PushJournal& journal,
                                  const PushOptions& options) {
  wire::FinishRequest request;
  request.upload_bytes = journal.upload_bytes();
  for (const auto& [kind, digest] : plan.closure.objects) {
    if (kind == ObjectKind::kAttachment) request.attachments.push_back(AttachmentId{digest});
  }
  request.expected_old = plan.target_tip;
  request.title = options.title;
  const auto limit = std::chrono::steady_clock::now() + kFinishLimit;
  while (std::chrono::steady_clock::now() < limit) {
    FLAIR_TRY(wire::FinishResult result, api.FinishPush(plan.to, journal.push, request));
    if (!result.working) return result;
    FLAIR_DO(Report(options.transfer.progress, {.phase = "checking", .item = plan.to.name}));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Error(ErrorCode::kUnavailable, "the hub has been checking for hours")
      .WithHint("run the push again to ask for the outcome");
}

// A push that the hub forgot, or whose bytes did not survive a power cut, begins anew.
bool IsStale(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kCorrupt; }

Result<wire::FinishResult> Transfer(Repository& repo, HubApi& api, const Plan& plan,
                                    const PushOptions& options, EgressReport& egress) {
  FLAIR_TRY(const std::string path,
            TransferPath(repo, "push", plan.to.ToUrl() + "\n" + plan.source + "\n" + plan.target));
  const auto drop = [&]() -> Status {
    if (Exists(repo.env(), path)) return repo.env().RemoveFile(path);
    return OkStatus();
  };
  for (int start = 1;; ++start) {
    FLAIR_TRY(auto journal, LoadPushJournal(repo.env(), path));
    const bool resumed = journal.has_value() && journal->address == plan.to.ToUrl() &&
                         journal->tip == plan.tip && journal->target == plan.target &&
                         journal->source_branch == plan.source;
    if (!resumed) {
      FLAIR_TRY(journal, Negotiate(repo, api, plan, path));
    }
    auto uploaded = Upload(repo, api, plan.to, *journal, options.transfer);
    if (uploaded.ok()) {
      egress.sent_bytes += uploaded->sent_bytes;
      egress.resumed_bytes += uploaded->resumed_bytes;
      auto result = Finish(api, plan, *journal, options);
      if (result.ok()) {
        FLAIR_DO(drop());
        return result;
      }
      uploaded = std::move(result).error();
    }
    const ErrorCode code = uploaded.error().code();
    const bool again = IsStale(code) && start < kMaxStarts && (resumed || start == 1);
    // Only a transfer that may go on keeps its journal.
    if (code != ErrorCode::kUnavailable && code != ErrorCode::kCancelled &&
        code != ErrorCode::kNoSpace) {
      FLAIR_DO(drop());
    }
    if (!again) return std::move(uploaded).error();
  }
}

Status FillEgress(Repository& repo, const Plan& plan, EgressReport& egress) {
  egress.num_commits = plan.closure.commits.size();
  egress.num_objects = plan.closure.objects.size();
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), plan.tip));
  egress.signer = commit.author.ToBase58();
  FLAIR_TRY(const Bytes bytes, repo.objects().ReadObject(ObjectKind::kTree, commit.tree.digest));
  FLAIR_TRY(const Tree tree, DecodeTree(bytes));
  std::unordered_set<Digest, DigestHash> leaving;
  for (const ContentRef& content : plan.closure.contents) leaving.insert(content.hash);
  for (const TreeEntry& entry : tree.entries) {
    egress.model_bytes += entry.size_bytes;
    FLAIR_TRY(const Bytes stored, repo.objects().ReadObject(ObjectKind::kFile, entry.file.digest));
    FLAIR_TRY(const File file, DecodeFile(stored));
    for (const Segment& segment : file.segments) {
      const auto* tensor = std::get_if<TensorSegment>(&segment);
      if (tensor != nullptr && leaving.contains(tensor->tensor.content.hash)) ++egress.num_tensors;
    }
  }
  return OkStatus();
}

// "update_norm" of the hub's evidence: the number reviewers see.
std::optional<double> NormOf(const std::string& evidence_json) {
  const auto evidence = wire::ParseObject(evidence_json);
  if (!evidence.ok()) return std::nullopt;
  const auto* norm = evidence->if_contains("update_norm");
  if (norm == nullptr || !norm->is_number()) return std::nullopt;
  return norm->is_double() ? norm->get_double() : static_cast<double>(norm->to_number<double>());
}

}  // namespace

Result<PushOutcome> Push(Repository& repo, HubApi& api, const std::string& remote_name,
                         const PushOptions& options) {
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  if (!extent.light.empty()) {
    return Error(ErrorCode::kUnsupported, "this is a light clone: it can be looked at, not pushed")
        .WithHint("clone without --light to contribute");
  }
  FLAIR_TRY(Remote remote, GetRemote(repo, remote_name));
  FLAIR_TRY(const RepoAddress to, ParseRepoAddress(remote.url, api.hub_url()));
  FLAIR_TRY(const wire::RefList refs, api.ListRefs(to));
  if (!remote.repo_id.empty() && remote.repo_id != refs.repo_id) {
    return Error(ErrorCode::kConflict, remote.url + " is another repository now")
        .WithHint("'flair remote' removes and adds a remote");
  }
  FLAIR_TRY(Plan plan, MakePlan(repo, api, remote, options, refs));
  PushOutcome outcome;
  outcome.commit = plan.tip;
  outcome.target = plan.target;
  if (plan.target_tip == plan.tip) {
    outcome.up_to_date = true;
  } else {
    ClosureOptions closure;
    closure.attachments = AttachmentsOf(repo);
    closure.check_contents = false;  // only what the hub lacks must be here
    FLAIR_TRY(plan.closure, WalkClosure(repo.objects(), {plan.tip}, plan.haves, closure));
    if (plan.closure.objects.size() > wire::kMaxNamed ||
        plan.closure.contents.size() > wire::kMaxNamed) {
      return Error(ErrorCode::kUnsupported,
                   "too many objects for one push: " + std::to_string(plan.closure.objects.size()))
          .WithHint("push an older commit first: a branch at it, then this one");
    }
    FLAIR_DO(FillEgress(repo, plan, outcome.egress));
    FLAIR_TRY(wire::FinishResult result, Transfer(repo, api, plan, options, outcome.egress));
    outcome.moved = result.moved;
    outcome.proposal_number = result.proposal_number;
    outcome.proposal_url = std::move(result.proposal_url);
    outcome.egress.update_norm = NormOf(result.evidence_json);
    outcome.evidence_json = std::move(result.evidence_json);
    outcome.checks = std::move(result.checks);
  }

  // What is known now about the remote, and where this branch goes from now on.
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  if (remote.repo_id.empty()) {
    remote.repo_id = refs.repo_id;
    FLAIR_DO(SetRemote(repo, remote));
  }
  if (outcome.moved || outcome.up_to_date) {
    FLAIR_DO(CompareAndSwap(repo,
                            {{.name = "remotes/" + remote_name + "/" + plan.target,
                              .old = {},
                              .to = plan.tip,
                              .expect = Expect::kAnything}},
                            "push", "to " + remote.url));
  }
  FLAIR_TRY(const auto upstream, GetUpstream(repo, plan.source));
  if (!upstream.has_value()) {
    FLAIR_DO(SetUpstream(repo, plan.source, Upstream{remote_name, plan.target}));
  }
  return outcome;
}

}  // namespace flair
