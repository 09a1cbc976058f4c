// SPDX-License-Identifier: Apache-2.0
#include "hub/accept.h"

#include <algorithm>
#include <unordered_map>

#include "hub/branch_policy.h"
#include "hub/comparison.h"
#include "hub/contribution.h"
#include "hub/facts.h"
#include "hub/json.h"
#include "hub/meta/audit.h"
#include "hub/meta/proposals.h"
#include "hub/meta/refs.h"
#include "hub/receipts.h"
#include "object/attachment.h"
#include "repo/closure.h"
#include "repo/evidence.h"
#include "repo/history.h"

namespace flair::hub {
namespace {

struct NewCommit {
  CommitId id;
  Commit commit;
};

// What the database says before anything is decided.
struct Before {
  std::optional<CommitId> target_tip;
  std::optional<CommitId> default_tip;  // whose policy counts for a new branch
  std::vector<CommitId> known;          // tips of refs and proposals
  std::vector<ProposalRow> open;        // on the same target
};

Result<Before> ReadBefore(Database& db, const RepoRow& repo, const std::string& target) {
  Before b;
  FLAIR_TRY(b.target_tip, ReadRef(db, repo.id, "heads/" + target));
  FLAIR_TRY(b.default_tip, ReadRef(db, repo.id, "heads/" + repo.default_branch));
  FLAIR_TRY(const std::vector<Ref> refs, ListRefs(db, repo.id));
  for (const Ref& ref : refs) b.known.push_back(ref.commit);
  FLAIR_TRY(b.open, ListProposals(db, repo.id, "open", target));
  for (const ProposalRow& p : b.open) b.known.push_back(p.tip);
  return b;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
}

// One line for each violation; the first one's rule makes the error findable.
Error Refused(const std::vector<Violation>& violations) {
  constexpr std::size_t kShown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(violations.size(), kShown); ++i) {
    text += (i == 0 ? "" : "; ") + violations[i].ToText();
  }
  if (violations.size() > kShown) {
    text += "; and " + std::to_string(violations.size() - kShown) + " more";
  }
  return Error(ErrorCode::kPolicyViolation, text)
      .WithHint("`flair policy check` says it before a push");
}

std::string ChecksJson(const std::vector<PushCheck>& checks) {
  json::array out;
  for (const PushCheck& c : checks) {
    out.push_back(json::object{{"name", c.name}, {"passed", c.passed}, {"detail", c.detail}});
  }
  return ToText(out);
}

class Acceptance {
 public:
  Acceptance(HubContext& hub, const Call& call, RepoStore& store, const PushRequest& push)
      : hub_(hub), call_(call), store_(store), objects_(store.objects()), push_(push) {}

  Result<PushOutcome> Run() {
    FLAIR_DO(CheckRefName("heads/" + push_.target));
    FLAIR_DO(CheckRefName("heads/" + push_.source_branch));
    auto before = Query(hub_.db, [&](Database& db) -> Result<Before> {
      return ReadBefore(db, *call_.repo, push_.target);
    });
    FLAIR_TRY(before_, std::move(before));
    FLAIR_DO(ReadNewCommits());
    FLAIR_DO(ReadAttachments());
    FLAIR_DO(CheckSignatures());
    FLAIR_TRY(BranchPolicy of_target,
              PolicyAt(objects_, before_.target_tip ? before_.target_tip : before_.default_tip));
    policy_ = std::move(of_target.policy);
    FLAIR_DO(CheckHubKey());
    moves_ = MayPush(policy_, push_.target, PolicyRoleOf(call_.role));
    FLAIR_DO(moves_ ? CheckMove() : CheckProposal());
    FLAIR_DO(CheckPolicy());
    return moves_ ? Move() : Propose();
  }

 private:
  Status ReadNewCommits() {
    FLAIR_TRY(const Closure closure, WalkClosure(objects_, {push_.tip}, before_.known, {}));
    for (const CommitId& id : closure.commits) {
      FLAIR_TRY(Commit commit, ReadCommit(objects_, id));
      new_.push_back({id, std::move(commit)});
    }
    FLAIR_TRY(tip_, ReadCommit(objects_, push_.tip));
    Passed("complete", std::to_string(new_.size()) +
                           (new_.size() == 1 ? " new commit" : " new commits") +
                           ", every object is here");
    return OkStatus();
  }

  Status ReadAttachments() {
    for (const AttachmentId& id : push_.attachments) {
      FLAIR_TRY(const Bytes bytes, objects_.ReadObject(ObjectKind::kAttachment, id.digest));
      FLAIR_TRY(Attachment a, DecodeAttachment(bytes));
      attachments_.push_back(std::move(a));
    }
    return OkStatus();
  }

  // No door accepts a commit without its author's signature.
  Status CheckSignatures() {
    std::unordered_map<CommitId, const Commit*, IdHash> by_id;
    for (const NewCommit& c : new_) by_id.emplace(c.id, &c.commit);
    std::unordered_map<CommitId, bool, IdHash> is_signed;
    for (const Attachment& a : attachments_) {
      const auto found = by_id.find(a.subject);
      if (a.kind != AttachmentKind::kSignature) {
        FLAIR_DO(VerifyAttachment(a));
        // Reviews and receipts have doors of their own.
        if (a.kind == AttachmentKind::kReview || a.kind == AttachmentKind::kReceipt) continue;
      }
      if (found == by_id.end()) continue;
      if (a.kind == AttachmentKind::kSignature) {
        FLAIR_DO(VerifyCommitSignature(*found->second, a));
        is_signed[a.subject] = true;
      }
      kept_.push_back(a);
    }
    for (const NewCommit& c : new_) {
      if (is_signed[c.id]) continue;
      auto earlier = EarlierSignature(c);
      FLAIR_TRY(const bool found, std::move(earlier));
      if (!found) {
        return Error(ErrorCode::kRejected,
                     "commit " + c.id.Short() + " has no signature of its author")
            .WithHint("sign it where it was made: `flair commit`");
      }
    }
    Passed("signature", "every new commit is signed by its author");
    return OkStatus();
  }

  // Accepted before, and then left behind by every ref.
  Result<bool> EarlierSignature(const NewCommit& c) {
    return Query(hub_.db,
                 [&](Database& db) -> Result<bool> { return IsAccepted(db, repo_id(), c.id); });
  }

  // A repository that names a hub trusts that hub's receipts only.
  Status CheckHubKey() {
    FLAIR_TRY(const auto text, ReadSmallFile(objects_, push_.tip, kPolicyPath, kMaxPolicyBytes));
    if (!text) return OkStatus();
    const auto parsed = ParsePolicy(*text);
    if (!parsed.ok()) {
      return Error(ErrorCode::kPolicyViolation, parsed.error().message())
          .WithHint(parsed.error().hint());
    }
    proposed_ = *parsed;
    if (proposed_.hub_key && *proposed_.hub_key != hub_.wallet.wallet()) {
      return Error(ErrorCode::kPolicyViolation,
                   "flair.toml: hub.key is " + proposed_.hub_key->ToBase58() + ", this hub's is " +
                       hub_.wallet.wallet().ToBase58());
    }
    return OkStatus();
  }

  Status CheckMove() {
    if (push_.expected_old && push_.expected_old != before_.target_tip) {
      return Error(ErrorCode::kConflict,
                   "'" + push_.target + "' moved on: it is at " +
                       (before_.target_tip ? before_.target_tip->Short() : "nothing"))
          .WithHint("`flair pull`, then push again");
    }
    if (!before_.target_tip) return OkStatus();
    FLAIR_TRY(const bool forward, History(objects_).IsAncestor(*before_.target_tip, push_.tip));
    if (forward) return OkStatus();
    return Error(ErrorCode::kConflict, "'" + push_.target + "' is at " +
                                           before_.target_tip->Short() +
                                           ", which the pushed commit does not build on")
        .WithHint("`flair pull` and merge, then push again");
  }

  Status CheckProposal() {
    if (!before_.target_tip) {
      return Error(ErrorCode::kUnauthorised,
                   "there is no branch '" + push_.target + "', and your role may not create it");
    }
    History history(objects_);
    FLAIR_TRY(const bool known, history.IsAncestor(push_.tip, *before_.target_tip));
    if (known) {
      return Error(ErrorCode::kInvalidArgument,
                   "nothing to propose: '" + push_.target + "' holds " + push_.tip.Short());
    }
    const std::vector<CommitId> tips = {*before_.target_tip, push_.tip};
    FLAIR_TRY(base_, history.MergeBase(tips));
    if (base_) return OkStatus();
    return Error(ErrorCode::kConflict,
                 "the pushed commit has no history in common with '" + push_.target + "'");
  }

  // Every commit since the base; in a direct push, what only joins or takes back what
  // was accepted (merges, reverts, picks) needs no samples of its own.
  Status CheckPolicy() {
    std::vector<Violation> violations;
    for (const NewCommit& c : new_) {
      FLAIR_TRY(CommitFacts facts, FactsOf(hub_, *call_.repo, objects_, c.id, c.commit, policy_));
      const bool derived = c.commit.merge || !c.commit.lineage.empty() || c.commit.parents.empty();
      if (moves_ && derived) facts.changes_weights = false;
      const auto found = CheckContribution(policy_, facts, PolicyRoleOf(call_.role));
      violations.insert(violations.end(), found.begin(), found.end());
    }
    if (violations.empty() && !moves_) FLAIR_DO(CheckWhole(violations));
    if (!violations.empty()) return Refused(violations);
    Passed("finite", "no NaN, no infinity");
    Passed("policy", "no rule of " + push_.target + "'s flair.toml is broken");
    return OkStatus();
  }

  // The proposal as one update: many small steps must not add up past the bound.
  Status CheckWhole(std::vector<Violation>& violations) {
    ProposalRow proposal;
    proposal.author = call_.wallet();
    proposal.source_branch = push_.source_branch;
    proposal.tip = push_.tip;
    const std::vector<OtherUpdate> others = OthersOf(before_.open, proposal);
    FLAIR_TRY(const UpdateEvidence evidence, CollectEvidence(objects_, *base_, push_.tip, others));
    evidence_ = EvidenceJson(evidence, *base_, push_.tip, others);
    if (!policy_.max_update_norm) return OkStatus();
    CommitFacts whole;
    whole.commit = push_.tip.Short() + " (whole proposal)";
    whole.changes_weights = true;
    whole.num_samples = policy_.min_samples.value;
    whole.num_steps = policy_.min_steps.value;
    if (policy_.program_hash) whole.program = policy_.program_hash->value;
    whole.update_norm = TrainableNorm(evidence, policy_);
    violations = CheckContribution(policy_, whole, PolicyRoleOf(call_.role));
    return OkStatus();
  }

  Result<PushOutcome> Move() {
    FLAIR_TRY(const Attachment receipt, MakeReceipt(hub_, ReceiptKind::kBranch, *call_.repo,
                                                    push_.target, call_.wallet(), push_.tip));
    FLAIR_DO(StoreAttachments(store_, {receipt}));
    kept_.push_back(receipt);
    const Status stored = hub_.db.Write([&](Database& db) -> Status {
      FLAIR_DO(InsertNew(db));
      FLAIR_DO(MoveRef(db,
                       {.repo_id = repo_id(),
                        .name = "heads/" + push_.target,
                        .expected_old = before_.target_tip,
                        .to = push_.tip,
                        .actor = call_.wallet(),
                        .reason = "push"},
                       now_s_));
      return ApplyVisibility(db);
    });
    FLAIR_DO(stored);
    hub_.metrics.CountEvent("push_accepted");
    hub_.events.Publish(
        repo_id(), "ref.moved",
        ToText(json::object{{"ref", "heads/" + push_.target}, {"commit", push_.tip.ToHex()}}));
    PushOutcome out;
    out.moved = true;
    out.commit = push_.tip;
    out.evidence_json = "{}";
    out.checks = checks_;
    return out;
  }

  // flair.toml says who may read; the default branch's word counts.
  Status ApplyVisibility(Database& db) {
    if (push_.target != call_.repo->default_branch || !proposed_.is_private) return OkStatus();
    if (*proposed_.is_private == call_.repo->is_private) return OkStatus();
    FLAIR_TRY(Statement set, db.Prepare("UPDATE repos SET is_private=? WHERE id=?"));
    set.Bind(1, std::int64_t{*proposed_.is_private}).Bind(2, std::string_view(call_.repo->id));
    FLAIR_DO(set.Run());
    return AppendAudit(
        db, now_s_, repo_id(), call_.wallet(), "repo.edit",
        ToText(json::object{{"visibility", *proposed_.is_private ? "private" : "public"}}));
  }

  Result<PushOutcome> Propose() {
    FLAIR_TRY(const Attachment receipt, MakeReceipt(hub_, ReceiptKind::kProposal, *call_.repo,
                                                    push_.target, call_.wallet(), push_.tip));
    FLAIR_DO(StoreAttachments(store_, {receipt}));
    kept_.push_back(receipt);
    bool is_new = false;
    auto stored = Update(hub_.db, [&](Database& db) -> Result<std::int64_t> {
      FLAIR_DO(InsertNew(db));
      return UpsertProposal(db, is_new);
    });
    FLAIR_TRY(const std::int64_t number, std::move(stored));
    hub_.metrics.CountEvent("push_accepted");
    hub_.events.Publish(repo_id(), is_new ? "proposal.opened" : "proposal.updated",
                        ToText(json::object{{"number", number}, {"commit", push_.tip.ToHex()}}));
    PushOutcome out;
    out.commit = push_.tip;
    out.proposal_number = number;
    auto url = Query(hub_.db, [&](Database& db) {
      return ProposalUrl(db, hub_.public_url, *call_.repo, number);
    });
    FLAIR_TRY(out.proposal_url, std::move(url));
    out.evidence_json = evidence_;
    out.checks = checks_;
    return out;
  }

  Result<std::int64_t> UpsertProposal(Database& db, bool& is_new) {
    FLAIR_TRY(auto row,
              FindOpenProposal(db, repo_id(), call_.wallet(), push_.source_branch, push_.target));
    is_new = !row;
    if (!row) {
      row.emplace();
      row->repo_id = repo_id();
      row->author = call_.wallet();
      row->source_branch = push_.source_branch;
      row->target = push_.target;
      row->state = "open";
      row->created_s = now_s_;
    }
    row->tip = push_.tip;
    row->base = base_;
    if (is_new || !push_.title.empty()) {
      row->title = FirstLine(push_.title.empty() ? tip_.message : push_.title);
    }
    row->evidence = evidence_;
    row->checks = ChecksJson(checks_);
    row->updated_s = now_s_;
    if (is_new) {
      FLAIR_TRY(row->number, InsertProposal(db, *row));
    } else {
      FLAIR_DO(UpdateProposal(db, *row));
    }
    FLAIR_DO(AppendAudit(
        db, now_s_, repo_id(), call_.wallet(), is_new ? "proposal.open" : "proposal.update",
        ToText(json::object{{"number", row->number}, {"commit", push_.tip.ToHex()}})));
    return row->number;
  }

  Status InsertNew(Database& db) {
    for (const NewCommit& c : new_) FLAIR_DO(InsertCommit(db, repo_id(), c.id, now_s_));
    for (const Attachment& a : kept_) {
      FLAIR_DO(
          InsertAttachment(db, repo_id(), a.subject, {IdOf(a), static_cast<std::uint8_t>(a.kind)}));
    }
    return OkStatus();
  }

  void Passed(std::string name, std::string detail) {
    checks_.push_back({std::move(name), true, std::move(detail)});
  }
  const std::string& repo_id() const { return call_.repo->id; }

  HubContext& hub_;
  const Call& call_;
  RepoStore& store_;
  const ObjectStore& objects_;
  const PushRequest& push_;
  const std::int64_t now_s_ = hub_.env.NowSeconds();

  Before before_;
  std::vector<NewCommit> new_;
  Commit tip_;
  std::vector<Attachment> attachments_;
  std::vector<Attachment> kept_;  // those that become visible with the push
  Policy policy_;                 // of the target
  Policy proposed_;               // of the pushed tip
  std::optional<CommitId> base_;  // of a proposal
  std::string evidence_ = "{}";
  std::vector<PushCheck> checks_;
  bool moves_ = false;
};

}  // namespace

Result<PushOutcome> AcceptPush(HubContext& hub, const Call& call, RepoStore& store,
                               const PushRequest& push) {
  auto outcome = Acceptance(hub, call, store, push).Run();
  if (!outcome.ok()) hub.metrics.CountEvent("push_refused");
  return outcome;
}

}  // namespace flair::hub
