// Merges over HTTP: the hub prepares, the maintainer's wallet signs, the ref moves.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/hex.h"
#include "hub/branch_policy.h"
#include "hub/contribution.h"
#include "hub/meta/audit.h"
#include "hub/meta/proposals.h"
#include "hub/meta/refs.h"
#include "hub/receipts.h"
#include "hub/routes/common.h"
#include "object/attachment.h"
#include "repo/closure.h"
#include "repo/history.h"
#include "repo/merge_commits.h"
#include "wire/proposals.h"

namespace flair::hub {
namespace {

constexpr std::int64_t kMaxClockSkew = 86'400;

// One round: a branch, its policy, and the proposals that go into it.
struct Round {
  std::string branch;
  CommitId tip;
  Policy policy;
  std::vector<ProposalRow> proposals;
  MergeFacts facts;
};

Result<ProposalRow> OpenProposal(Database& db, const RepoRow& repo, std::int64_t number) {
  FLAIR_TRY(auto p, FindProposal(db, repo.id, number));
  if (!p) return Error(ErrorCode::kNotFound, "no proposal #" + std::to_string(number));
  if (p->state != "open") {
    return Error(ErrorCode::kConflict, "proposal #" + std::to_string(number) + " is " + p->state);
  }
  return std::move(*p);
}

Result<std::vector<ProposalRow>> ReadProposals(Database& db, const RepoRow& repo,
                                               const std::vector<std::int64_t>& numbers) {
  std::vector<ProposalRow> out;
  for (const std::int64_t number : numbers) {
    FLAIR_TRY(ProposalRow p, OpenProposal(db, repo, number));
    if (!out.empty() && p.target != out[0].target) {
      return Error(ErrorCode::kInvalidArgument, "the proposals have different targets");
    }
    for (const ProposalRow& other : out) {
      if (other.number == number) {
        return Error(ErrorCode::kInvalidArgument,
                     "proposal #" + std::to_string(number) + " is named twice");
      }
    }
    out.push_back(std::move(p));
  }
  if (out.empty()) return Error(ErrorCode::kInvalidArgument, "'proposals' names none");
  return out;
}

Result<Round> ReadRound(HubContext& hub, const Call& call, const ObjectStore& objects,
                        const std::vector<std::int64_t>& numbers) {
  auto read = Query(hub.db, [&](Database& db) { return ReadProposals(db, *call.repo, numbers); });
  Round round;
  FLAIR_TRY(round.proposals, std::move(read));
  round.branch = round.proposals[0].target;
  FLAIR_TRY(BranchPolicy policy, PolicyOfBranch(hub, *call.repo, round.branch));
  if (!policy.tip) return Error(ErrorCode::kNotFound, "no branch '" + round.branch + "'");
  round.tip = *policy.tip;
  round.policy = std::move(policy.policy);
  round.facts.branch = round.branch;
  round.facts.num_contributions = round.proposals.size();
  History history(objects);
  for (const ProposalRow& p : round.proposals) {
    FLAIR_TRY(const Commit* tip, history.Get(p.tip));
    const std::string author = tip->author.ToBase58();
    auto asked = Query(hub.db, [&](Database& db) { return StandingOf(db, p, author); });
    FLAIR_TRY(const Standing standing, std::move(asked));
    FLAIR_TRY(const std::uint64_t staleness, history.Staleness(round.tip, p.tip));
    round.facts.contributions.push_back({.proposal = p.number,
                                         .approvals = standing.approvals,
                                         .rejected = standing.rejected,
                                         .staleness = staleness});
  }
  return round;
}

Status CheckRound(HubContext& hub, const Call& call, const ObjectStore& objects,
                  const Round& round) {
  std::vector<Violation> violations = CheckMerge(round.policy, round.facts);
  for (const ProposalRow& p : round.proposals) {
    FLAIR_TRY(const std::vector<Violation> found,
              CheckProposalAgain(hub, *call.repo, objects, p, round.tip, round.policy));
    violations.insert(violations.end(), found.begin(), found.end());
  }
  if (violations.empty()) return OkStatus();
  std::string text;
  for (const Violation& v : violations) text += (text.empty() ? "" : "; ") + v.ToText();
  return Error(ErrorCode::kPolicyViolation, text);
}

Result<MergeOptions> OptionsOf(HubContext& hub, const Call& call, const wire::MergeRequest& asked,
                               const Round& round) {
  MergeOptions options;
  const std::string fallback =
      round.policy.merge_methods ? round.policy.merge_methods->value.front() : "fedavg";
  FLAIR_TRY(options.method, MergeMethodFromName(asked.method.empty() ? fallback : asked.method));
  FLAIR_TRY(options.weights, ParseWeights(asked.weights, options.method));
  // Late work counts less (docs/formats/merge.md).
  options.staleness = StalenessRule::kDiscount;
  options.parameters = asked.parameters;
  std::sort(options.parameters.begin(), options.parameters.end());
  const PolicyTensorRules& t = round.policy.tensors;
  options.roles = {.frozen = t.frozen.value,
                   .local = t.local.value,
                   .statistics = t.statistics.value,
                   .counters = t.counters.value};
  if (!asked.author.empty() && asked.author != call.wallet()) {
    return Error(ErrorCode::kUnauthorised,
                 "'author' must be the wallet that asks, " + call.wallet());
  }
  FLAIR_TRY(options.author, Wallet::FromBase58(call.wallet()));
  const std::int64_t now_s = hub.env.NowSeconds();
  const std::int64_t time_s = asked.time_s == 0 ? now_s
                                                : static_cast<std::int64_t>(std::min<std::uint64_t>(
                                                      asked.time_s, std::uint64_t{1} << 60));
  if (time_s > now_s + kMaxClockSkew || time_s < now_s - kMaxClockSkew) {
    return Error(ErrorCode::kInvalidArgument, "'time_s' is more than a day from the hub's clock");
  }
  options.time_s = static_cast<std::uint64_t>(time_s);
  options.message = asked.message;
  if (options.message.empty()) {
    options.message = "Merge";
    for (const ProposalRow& p : round.proposals) {
      options.message += " #" + std::to_string(p.number);
    }
  }
  return options;
}

json::object RecipeJson(const Commit& commit) {
  json::object out;
  if (!commit.merge) return out;
  json::array weights;
  for (const std::uint32_t a : commit.merge->alpha) {
    weights.push_back(static_cast<double>(a) / (1 << 24));
  }
  out["method"] = commit.merge->method;
  out["base"] = commit.merge->base.ToHex();
  out["weights"] = std::move(weights);
  json::object parameters;
  for (const auto& [key, value] : commit.merge->parameters) parameters[key] = value;
  out["parameters"] = std::move(parameters);
  return out;
}

json::array ConflictsJson(const std::vector<MergeConflict>& conflicts) {
  json::array out;
  for (const MergeConflict& c : conflicts) {
    out.push_back(json::object{{"path", c.path}, {"tensor", c.tensor}, {"reason", c.reason}});
  }
  return out;
}

Status StorePrepared(HubContext& hub, const Call& call, const std::string& id, const Round& round,
                     const PreparedMerge& prepared, const std::string& method) {
  json::array numbers;
  for (const ProposalRow& p : round.proposals) {
    numbers.push_back(json::object{{"number", p.number}, {"commit", p.tip.ToHex()}});
  }
  const std::string proposals = ToText(numbers);
  const Bytes body = EncodeCommit(prepared.commit);
  return hub.db.Write([&](Database& db) -> Status {
    // A preparation is worth a day; then its objects may be collected.
    FLAIR_TRY(Statement sweep,
              db.Prepare("DELETE FROM merges WHERE state='prepared' AND created_s < ?"));
    sweep.Bind(1, hub.env.NowSeconds() - kMaxClockSkew);
    FLAIR_DO(sweep.Run());
    FLAIR_TRY(Statement s,
              db.Prepare("INSERT INTO merges(id, repo_id, branch, actor, method, expected_tip, "
                         "commit_id, commit_body, proposals, state, created_s) "
                         "VALUES(?,?,?,?,?,?,?,?,?,'prepared',?)"));
    s.Bind(1, std::string_view(id)).Bind(2, std::string_view(call.repo->id));
    s.Bind(3, std::string_view(round.branch)).Bind(4, std::string_view(call.session->wallet));
    s.Bind(5, std::string_view(method)).Bind(6, round.tip.digest).Bind(7, prepared.id.digest);
    s.Bind(8, ByteView(body)).Bind(9, std::string_view(proposals)).Bind(10, hub.env.NowSeconds());
    return s.Run();
  });
}

Result<Response> Prepare(HubContext& hub, Call& call) {
  FLAIR_TRY(const std::string text, call.request.ReadBody(kMaxSmallBody));
  FLAIR_TRY(const wire::MergeRequest asked, wire::DecodeMergeRequest(text));
  std::vector<std::int64_t> numbers;
  for (const std::uint64_t n : asked.proposals) numbers.push_back(static_cast<std::int64_t>(n));
  FLAIR_DO(hub.CheckDisk());
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(Round round, ReadRound(hub, call, store->objects(), numbers));
  FLAIR_TRY(const MergeOptions options, OptionsOf(hub, call, asked, round));
  round.facts.method = MergeMethodName(options.method);
  FLAIR_DO(CheckRound(hub, call, store->objects(), round));

  std::vector<MergeInput> inputs;
  for (const ProposalRow& p : round.proposals) inputs.push_back({.commit = p.tip, .samples = 0});
  auto prepared = [&] {
    const auto lock = store->WriteLock();
    return PrepareMerge(store->objects(), round.tip, inputs, options);
  }();
  if (!prepared.ok()) return std::move(prepared).error();
  json::object out{{"merge", ""},
                   {"branch", round.branch},
                   {"target", round.tip.ToHex()},
                   {"conflicts", ConflictsJson(prepared->conflicts)},
                   {"notes", wire::ToArray(prepared->notes)}};
  if (!prepared->ok()) return JsonResponse(out);  // conflicts are a result
  const std::string id = RandomHex(hub.env, 16);
  FLAIR_DO(StorePrepared(hub, call, id, round, *prepared, round.facts.method));
  out["merge"] = id;
  out["commit_body"] = ToHex(EncodeCommit(prepared->commit));
  out["commit_id"] = prepared->id.ToHex();
  out["tree"] = prepared->commit.tree.ToHex();
  out["recipe"] = RecipeJson(prepared->commit);
  return JsonResponse(out, 201);
}

struct MergeRow {
  std::string branch;
  std::string actor;
  std::string method;
  CommitId expected_tip;
  CommitId commit_id;
  Bytes body;
  std::vector<std::int64_t> numbers;
  std::vector<CommitId> tips;
};

Result<MergeRow> ReadMerge(Database& db, const Call& call) {
  FLAIR_TRY(Statement s,
            db.Prepare("SELECT branch, actor, method, expected_tip, commit_id, commit_body, "
                       "proposals, state FROM merges WHERE id=? AND repo_id=?"));
  s.Bind(1, std::string_view(call.parameter("merge"))).Bind(2, std::string_view(call.repo->id));
  FLAIR_TRY(const bool found, s.Step());
  if (!found) {
    return Error(ErrorCode::kNotFound, "no prepared merge '" + call.parameter("merge") + "'");
  }
  MergeRow m;
  m.branch = s.Text(0);
  m.actor = s.Text(1);
  m.method = s.Text(2);
  FLAIR_TRY(m.expected_tip.digest, s.DigestAt(3));
  FLAIR_TRY(m.commit_id.digest, s.DigestAt(4));
  m.body = s.Blob(5);
  if (s.Text(7) != "prepared") return Error(ErrorCode::kConflict, "this merge is done already");
  FLAIR_TRY(const json::value proposals, wire::ParseJson(s.Text(6)));
  for (const json::value& v : proposals.as_array()) {
    FLAIR_TRY(const std::uint64_t number, GetUint(v.as_object(), "number"));
    FLAIR_TRY(const std::string commit, GetString(v.as_object(), "commit"));
    FLAIR_TRY(const CommitId tip, CommitId::FromHex(commit));
    m.numbers.push_back(static_cast<std::int64_t>(number));
    m.tips.push_back(tip);
  }
  return m;
}

Error TipMoved(const std::string& branch) {
  return Error(ErrorCode::kConflict, "'" + branch + "' moved since the merge was prepared")
      .WithHint("prepare it anew: `flair proposal merge`");
}

Status StoreFinished(HubContext& hub, const Call& call, const MergeRow& m,
                     const std::vector<Attachment>& attachments) {
  const std::int64_t now_s = hub.env.NowSeconds();
  std::string names;
  for (const std::int64_t n : m.numbers) {
    names += (names.empty() ? "#" : ", #") + std::to_string(n);
  }
  return hub.db.Write([&](Database& db) -> Status {
    for (std::size_t i = 0; i < m.numbers.size(); ++i) {
      FLAIR_TRY(ProposalRow p, OpenProposal(db, *call.repo, m.numbers[i]));
      if (p.tip != m.tips[i]) {
        return Error(ErrorCode::kConflict, "proposal #" + std::to_string(p.number) +
                                               " changed since the merge was prepared");
      }
      p.state = "merged";
      p.merged_commit = m.commit_id;
      p.updated_s = now_s;
      FLAIR_DO(UpdateProposal(db, p));
    }
    FLAIR_DO(InsertCommit(db, call.repo->id, m.commit_id, now_s));
    for (const Attachment& a : attachments) {
      FLAIR_DO(InsertAttachment(db, call.repo->id, m.commit_id,
                                {IdOf(a), static_cast<std::uint8_t>(a.kind)}));
    }
    FLAIR_TRY(Statement done, db.Prepare("UPDATE merges SET state='done' WHERE id=?"));
    done.Bind(1, std::string_view(call.parameter("merge")));
    FLAIR_DO(done.Run());
    return MoveRef(db,
                   {.repo_id = call.repo->id,
                    .name = "heads/" + m.branch,
                    .expected_old = m.expected_tip,
                    .to = m.commit_id,
                    .actor = call.wallet(),
                    .reason = "merge of " + names + " by " + m.method},
                   now_s);
  });
}

Status StoreCommitBody(RepoStore& store, const Bytes& body) {
  const auto lock = store.WriteLock();
  FLAIR_TRY(const std::unique_ptr<ObjectBatch> batch, store.objects().Begin());
  FLAIR_DO(batch->PutObject(ObjectKind::kCommit, body));
  return batch->Commit();
}

Result<Response> Finish(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  FLAIR_TRY(const std::string hex, GetString(body, "signature"));
  FLAIR_TRY(const Bytes envelope, FromHex(hex));
  FLAIR_TRY(const Attachment signature, DecodeAttachment(envelope));
  auto read = Query(hub.db, [&](Database& db) { return ReadMerge(db, call); });
  FLAIR_TRY(const MergeRow m, std::move(read));
  if (m.actor != call.wallet()) {
    return Error(ErrorCode::kUnauthorised, "the merge was prepared for " + m.actor);
  }
  FLAIR_TRY(const Commit commit, DecodeCommit(m.body));
  if (signature.kind != AttachmentKind::kSignature || signature.subject != m.commit_id) {
    return Error(ErrorCode::kRejected, "the signature is not of commit " + m.commit_id.Short());
  }
  FLAIR_DO(VerifyCommitSignature(commit, signature));

  FLAIR_DO(hub.CheckDisk());
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(Round round, ReadRound(hub, call, store->objects(), m.numbers));
  if (round.tip != m.expected_tip) return TipMoved(m.branch);
  round.facts.method = m.method;
  FLAIR_DO(CheckRound(hub, call, store->objects(), round));
  FLAIR_DO(CheckTreeComplete(store->objects(), commit.tree));
  FLAIR_DO(StoreCommitBody(*store, m.body));
  FLAIR_TRY(const Attachment receipt, MakeReceipt(hub, ReceiptKind::kBranch, *call.repo, m.branch,
                                                  call.wallet(), m.commit_id));
  FLAIR_DO(StoreAttachments(*store, {signature, receipt}));
  FLAIR_DO(StoreFinished(hub, call, m, {signature, receipt}));

  hub.metrics.CountEvent("merged");
  json::object out{{"commit", m.commit_id.ToHex()}, {"branch", m.branch}};
  json::array merged;
  for (const std::int64_t n : m.numbers) merged.emplace_back(n);
  out["proposals"] = std::move(merged);
  hub.events.Publish(call.repo->id, "proposal.merged", ToText(out));
  return JsonResponse(out);
}

}  // namespace

void AddMergeRoutes(Handlers& handlers) {
  handlers.Add("prepareMerge", Prepare);
  handlers.Add("finishMerge", Finish);
}

}  // namespace flair::hub
