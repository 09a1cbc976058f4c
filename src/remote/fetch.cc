// Fetch: negotiate, download, verify, and only then move refs.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/glob.h"
#include "object/attachment.h"
#include "remote/download.h"
#include "remote/transfer.h"
#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/extent.h"
#include "repo/refs.h"

namespace flair {
namespace {

constexpr int kMaxRounds = 8;

// What this clone keeps of what it fetches.
struct Extent {
  std::string tensors_glob;
  std::uint32_t depth = 0;
  bool partial = false;   // its haves do not vouch for their contents
  bool widening = false;  // asks for more of commits that are here already
};

Result<Extent> ExtentOf(Repository& repo, const FetchOptions& options) {
  Extent extent;
  FLAIR_TRY(const auto glob, GetConfig(repo, "clone.tensors"));
  FLAIR_TRY(const auto depth, GetConfig(repo, "clone.depth"));
  FLAIR_TRY(const std::vector<CommitId> shallow, ShallowCommits(repo));
  extent.tensors_glob = options.tensors_glob.empty() ? glob.value_or("") : options.tensors_glob;
  extent.widening = glob.has_value() && *glob != extent.tensors_glob;
  extent.partial = glob.has_value() || depth.has_value() || !shallow.empty() ||
                   !extent.tensors_glob.empty() || options.depth != 0;
  extent.depth = options.depth;
  return extent;
}

std::function<bool(std::string_view)> WantTensor(const std::string& glob) {
  if (glob.empty()) return {};
  return [glob](std::string_view name) { return GlobMatch(glob, name, GlobKind::kName); };
}

// Contents of the local refs' own trees that are stored here.
Result<std::vector<Digest>> HeldContents(Repository& repo, const std::vector<CommitId>& tips) {
  ClosureOptions options;
  options.depth = 1;
  options.absent = Absent::kList;
  options.check_contents = false;
  FLAIR_TRY(const Closure closure, WalkClosure(repo.objects(), tips, {}, options));
  std::vector<Digest> held;
  for (const ContentRef& content : closure.contents) {
    if (held.size() == wire::kMaxNamed) break;
    if (repo.objects().HasContent(content.hash)) held.push_back(content.hash);
  }
  return held;
}

std::vector<CommitId> Unique(std::vector<CommitId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// Everything the wants name is here and every commit among it is signed by its author: no
// ref may point at less. The hub's list of objects is not trusted to be complete.
Status VerifyReceived(Repository& repo, const wire::FetchRequest& request,
                      const wire::FetchPlan& plan) {
  ClosureOptions options;
  options.depth = request.depth;
  options.want_tensor = WantTensor(request.tensors_glob);
  auto closure = WalkClosure(repo.objects(), request.wants, request.haves, options);
  if (closure.ok() && request.partial && !closure->commits.empty()) {
    // What this clone's haves reach may never have been here: each new commit counts whole.
    const std::vector<CommitId> commits = closure->commits;
    options.depth = 1;
    closure = WalkClosure(repo.objects(), commits, {}, options);
  }
  if (!closure.ok()) return std::move(closure).error().In("the hub's answer is incomplete");

  std::vector<AttachmentId> attachments;
  std::unordered_map<CommitId, std::vector<Attachment>, IdHash> signatures;
  for (const auto& [kind, digest] : plan.objects) {
    if (kind != ObjectKind::kAttachment) continue;
    attachments.push_back(AttachmentId{digest});
    FLAIR_TRY(Attachment attachment, ReadAttachment(repo.objects(), attachments.back()));
    if (attachment.kind == AttachmentKind::kSignature) {
      signatures[attachment.subject].push_back(std::move(attachment));
    }
  }
  for (const CommitId& id : closure->commits) {
    std::vector<Attachment> found = std::move(signatures[id]);
    FLAIR_TRY(const std::vector<AttachmentEntry> known, ListAttachments(repo, id));
    for (const AttachmentEntry& entry : known) {
      if (entry.kind != AttachmentKind::kSignature) continue;
      FLAIR_TRY(Attachment attachment, ReadAttachment(repo.objects(), entry.id));
      found.push_back(std::move(attachment));
    }
    FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
    FLAIR_DO(VerifySignatures(id, commit, found));
  }
  FLAIR_DO(RegisterAttachments(repo, attachments));
  if (!plan.shallow.empty()) FLAIR_DO(MarkShallow(repo, plan.shallow));
  return OkStatus();
}

// Downloads what `journal` plans, whatever happened before. True when its commits are
// complete now; false when the plan is out of date and was dropped.
Result<bool> Complete(Repository& repo, HubApi& api, const RepoAddress& from, FetchFolder& folder,
                      const FetchJournal& journal, const TransferOptions& options,
                      FetchOutcome& outcome) {
  auto done = Download(repo, api, from, folder, journal.plan, options);
  if (!done.ok()) {
    // The hub collected garbage since: its packs have other names now.
    if (done.error().code() != ErrorCode::kNotFound) return std::move(done).error();
    FLAIR_DO(folder.Remove());
    return false;
  }
  outcome.received_bytes += done->received_bytes;
  outcome.resumed_bytes += done->resumed_bytes;
  Status verified = VerifyReceived(repo, journal.request, journal.plan);
  FLAIR_DO(folder.Remove());
  FLAIR_DO(std::move(verified));
  return true;
}

std::vector<RefUpdate> LocalUpdates(const wire::RefList& refs, const std::string& remote,
                                    const FetchOptions& options, const std::vector<Ref>& local) {
  const auto find = [&](const std::string& name) -> std::optional<CommitId> {
    for (const Ref& ref : local) {
      if (ref.name == name) return ref.commit;
    }
    return std::nullopt;
  };
  std::vector<RefUpdate> updates;
  std::unordered_set<std::string> tracked;
  const auto move = [&](const std::string& name, const CommitId& to) {
    const auto old = find(name);
    if (old == to) return;
    updates.push_back({.name = name, .old = old, .to = to, .expect = Expect::kOld});
  };
  for (const wire::NamedRef& ref : refs.refs) {
    if (!CheckRefName(ref.name).ok()) continue;  // a name no repository here can hold
    if (ref.name.starts_with("heads/")) {
      const std::string name = "remotes/" + remote + "/" + ref.name.substr(6);
      tracked.insert(name);
      move(name, ref.commit);
    } else if (ref.name.starts_with("tags/")) {
      if (!find(ref.name).has_value()) move(ref.name, ref.commit);  // tags never move
    } else if (ref.name.starts_with("aliases/")) {
      move(ref.name, ref.commit);
    }
  }
  for (const auto& [name, commit] : options.also) move(name, commit);
  for (const Ref& ref : local) {
    if (ref.name.starts_with("remotes/" + remote + "/") && !tracked.contains(ref.name)) {
      updates.push_back(
          {.name = ref.name, .old = ref.commit, .to = std::nullopt, .expect = Expect::kOld});
    }
  }
  return updates;
}

// What the newest version weighs: the measure beside the bytes that travelled.
Result<std::uint64_t> BytesOfTip(Repository& repo, const wire::RefList& refs) {
  std::uint64_t bytes = 0;
  for (const wire::NamedRef& ref : refs.refs) {
    if (ref.name != "heads/" + refs.default_branch) continue;
    FLAIR_TRY(const Tree tree, ReadCommitTree(repo.objects(), ref.commit));
    for (const TreeEntry& entry : tree.entries) bytes += entry.size_bytes;
  }
  return bytes;
}

}  // namespace

Result<FetchOutcome> Fetch(Repository& repo, HubApi& api, const std::string& remote_name,
                           const FetchOptions& options) {
  FLAIR_TRY(Remote remote, GetRemote(repo, remote_name));
  FLAIR_TRY(const RepoAddress from, ParseRepoAddress(remote.url, api.hub_url()));
  FLAIR_TRY(const Extent extent, ExtentOf(repo, options));
  FLAIR_TRY(const std::string path, TransferPath(repo, "fetch", from.ToUrl()));
  FetchFolder folder(repo.env(), path);
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  if (extent.widening) {
    FLAIR_DO(CheckCanStage(repo));  // beside full weights, a light copy would pass for a change
    FLAIR_DO(MarkLeftOut(repo));
  }

  FetchOutcome outcome;
  std::vector<CommitId> complete;  // fetched in this call: complete, though no ref says so
  for (int round = 0; round < kMaxRounds; ++round) {
    FLAIR_TRY(const auto journal, folder.Load());
    if (journal.has_value() && journal->address == from.ToUrl()) {
      FLAIR_TRY(const bool done,
                Complete(repo, api, from, folder, *journal, options.transfer, outcome));
      const bool same = journal->request.tensors_glob == extent.tensors_glob;
      if (done && same) {
        complete.insert(complete.end(), journal->request.wants.begin(),
                        journal->request.wants.end());
      }
    }

    FLAIR_TRY(const wire::RefList refs, api.ListRefs(from));
    outcome.default_branch = refs.default_branch;
    if (!remote.repo_id.empty() && remote.repo_id != refs.repo_id) {
      return Error(ErrorCode::kConflict, remote.url + " is another repository now")
          .WithHint("'flair remote' removes and adds a remote");
    }
    FLAIR_TRY(const std::vector<Ref> local, ListRefs(repo));
    std::vector<CommitId> haves = complete;
    for (const Ref& ref : local) haves.push_back(ref.commit);
    haves = Unique(std::move(haves));
    FLAIR_TRY(const auto held, ReachableCommits(repo.objects(), haves));

    wire::FetchRequest request;
    const auto want = [&](const CommitId& commit) {
      const bool fetched = std::find(complete.begin(), complete.end(), commit) != complete.end();
      if (fetched || (held.contains(commit) && !extent.widening)) return;
      request.wants.push_back(commit);
    };
    for (const wire::NamedRef& ref : refs.refs) {
      if (CheckRefName(ref.name).ok()) want(ref.commit);
    }
    for (const auto& [name, commit] : options.also) want(commit);
    request.wants = Unique(std::move(request.wants));
    if (request.wants.size() > wire::kMaxWants) request.wants.resize(wire::kMaxWants);

    if (request.wants.empty()) {
      const std::vector<RefUpdate> updates = LocalUpdates(refs, remote_name, options, local);
      if (!updates.empty()) {
        FLAIR_DO(CompareAndSwap(repo, updates, "fetch", "from " + remote.url));
      }
      for (const RefUpdate& update : updates) {
        outcome.refs.push_back({update.name, update.old, update.to});
      }
      if (remote.repo_id.empty()) {
        remote.repo_id = refs.repo_id;
        FLAIR_DO(SetRemote(repo, remote));
      }
      if (extent.widening) {
        FLAIR_DO(SetConfig(repo, "clone.tensors", extent.tensors_glob));
      }
      FLAIR_DO(PlaceLeftOut(repo, options.transfer.progress));
      FLAIR_TRY(outcome.model_bytes, BytesOfTip(repo, refs));
      return outcome;
    }

    // Newest matter most; what is left out only costs bytes.
    if (haves.size() > wire::kMaxHaves) haves.resize(wire::kMaxHaves);
    if (!extent.widening) request.haves = haves;
    request.depth = extent.depth;
    request.tensors_glob = extent.tensors_glob;
    request.partial = extent.partial;
    if (extent.partial) {
      FLAIR_TRY(request.have_contents, HeldContents(repo, haves));
    }
    FetchJournal next{.address = from.ToUrl(), .request = std::move(request), .plan = {}};
    FLAIR_TRY(next.plan, api.PlanFetch(from, next.request));
    FLAIR_DO(folder.Save(next));
  }
  return Error(ErrorCode::kUnavailable, remote.url + " changes faster than it can be fetched")
      .WithHint("try again later");
}

}  // namespace flair
