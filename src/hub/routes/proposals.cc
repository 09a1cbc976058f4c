// Proposals, reviews and comments over HTTP.
// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/proposals.h"

#include "base/hex.h"
#include "base/utf8.h"
#include "hub/branch_policy.h"
#include "hub/comparison.h"
#include "hub/meta/audit.h"
#include "hub/receipts.h"
#include "hub/routes/common.h"
#include "object/attachment.h"
#include "object/review.h"
#include "repo/history.h"
#include "repo/merge_commits.h"

namespace flair::hub {
namespace {

constexpr std::size_t kMaxComment = 64 * 1024;

Result<ProposalRow> ReadProposal(Database& db, const Call& call) {
  FLAIR_TRY(const std::int64_t number, NumberParameter(call, "number"));
  FLAIR_TRY(auto row, FindProposal(db, call.repo->id, number));
  if (!row) return Error(ErrorCode::kNotFound, "no proposal #" + std::to_string(number));
  return std::move(*row);
}

Result<ProposalRow> ProposalOf(HubContext& hub, const Call& call) {
  return Query(hub.db, [&](Database& db) { return ReadProposal(db, call); });
}

std::string TipAuthor(const ObjectStore& objects, const CommitId& tip) {
  const auto commit = ReadCommit(objects, tip);
  return commit.ok() ? commit->author.ToBase58() : std::string();
}

Result<json::object> SummaryJson(HubContext& hub, Database& db, const RepoRow& repo,
                                 const ProposalRow& p, const ObjectStore& objects) {
  FLAIR_TRY(const std::string handle, HandleOf(db, p.author));
  FLAIR_TRY(const Standing standing, StandingOf(db, p, TipAuthor(objects, p.tip)));
  FLAIR_TRY(const std::string url, ProposalUrl(db, hub.public_url, repo, p.number));
  json::object out{{"number", p.number},
                   {"state", p.state},
                   {"title", p.title},
                   {"author", p.author},
                   {"author_handle", handle},
                   {"source_branch", p.source_branch},
                   {"target", p.target},
                   {"commit", p.tip.ToHex()},
                   {"approvals", standing.approvals},
                   {"rejected", standing.rejected},
                   {"url", url},
                   {"created_at", TimeText(p.created_s)},
                   {"updated_at", TimeText(p.updated_s)}};
  out["base"] = p.base ? json::value(p.base->ToHex()) : json::value(nullptr);
  std::uint64_t samples = 0;
  if (p.base) {
    FLAIR_TRY(samples, DeclaredSamples(objects, p.tip, *p.base));
  }
  out["samples"] = samples;
  out["merged_commit"] =
      p.merged_commit ? json::value(p.merged_commit->ToHex()) : json::value(nullptr);
  return out;
}

Result<json::array> ReviewsJson(Database& db, const ProposalRow& p) {
  FLAIR_TRY(const auto reviews, ListReviews(db, p.repo_id, p.number));
  json::array out;
  for (const ReviewRow& r : reviews) {
    FLAIR_TRY(const std::string handle, HandleOf(db, r.reviewer));
    out.push_back(json::object{{"id", r.attachment.ToHex()},
                               {"commit", r.commit.ToHex()},
                               {"stale", r.commit != p.tip},
                               {"reviewer", r.reviewer},
                               {"reviewer_handle", handle},
                               {"verdict", std::string(VerdictName(Verdict{r.verdict}))},
                               {"message", r.message},
                               {"time", TimeText(r.time_s)}});
  }
  return out;
}

Result<json::object> DetailJson(HubContext& hub, Database& db, const RepoRow& repo,
                                const ProposalRow& p, const ObjectStore& objects) {
  FLAIR_TRY(json::object out, SummaryJson(hub, db, repo, p, objects));
  FLAIR_TRY(out["evidence"], wire::ParseJson(p.evidence));
  FLAIR_TRY(out["checks"], wire::ParseJson(p.checks));
  FLAIR_TRY(json::array reviews, ReviewsJson(db, p));
  out["reviews"] = std::move(reviews);
  FLAIR_TRY(const auto comments, ListComments(db, p.repo_id, p.number));
  json::array said;
  for (const CommentRow& c : comments) {
    said.push_back(
        json::object{{"author", c.author}, {"text", c.text}, {"time", TimeText(c.time_s)}});
  }
  out["comments"] = std::move(said);
  return out;
}

Result<Response> GetProposals(HubContext& hub, Call& call) {
  const std::string* asked = call.request.Query("state");
  const std::string state = asked != nullptr ? *asked : "open";
  if (state != "open" && state != "merged" && state != "closed" && state != "all") {
    return Error(ErrorCode::kInvalidArgument, "'state' must be open, merged, closed or all");
  }
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  auto listed = Query(hub.db, [&](Database& db) -> Result<json::array> {
    FLAIR_TRY(const auto rows, ListProposals(db, call.repo->id, state, ""));
    json::array out;
    for (const ProposalRow& p : rows) {
      FLAIR_TRY(json::object o, SummaryJson(hub, db, *call.repo, p, store->objects()));
      out.push_back(std::move(o));
    }
    return out;
  });
  FLAIR_TRY(json::array proposals, std::move(listed));
  return JsonResponse(json::object{{"proposals", std::move(proposals)}});
}

Result<Response> Shown(HubContext& hub, const Call& call, int status = 200) {
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  auto shown = Query(hub.db, [&](Database& db) -> Result<json::object> {
    FLAIR_TRY(const ProposalRow p, ReadProposal(db, call));
    return DetailJson(hub, db, *call.repo, p, store->objects());
  });
  FLAIR_TRY(const json::object out, std::move(shown));
  return JsonResponse(out, status);
}

Result<Response> GetProposal(HubContext& hub, Call& call) {
  FLAIR_TRY(ProposalRow p, ProposalOf(hub, call));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_DO(RefreshEvidence(hub, store->objects(), p));
  return Shown(hub, call);
}

Result<Response> CommentProposal(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  FLAIR_TRY(const std::string text, GetString(body, "text"));
  if (text.empty() || text.size() > kMaxComment) {
    return Error(ErrorCode::kInvalidArgument, "'text' must have 1 to 65536 bytes");
  }
  const std::int64_t now_s = hub.env.NowSeconds();
  const Status stored = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(const ProposalRow p, ReadProposal(db, call));
    FLAIR_DO(InsertComment(db, p.repo_id, p.number,
                           {.author = call.wallet(), .text = text, .time_s = now_s}));
    return AppendAudit(db, now_s, p.repo_id, call.wallet(), "proposal.comment",
                       ToText(json::object{{"number", p.number}}));
  });
  FLAIR_DO(stored);
  hub.events.Publish(call.repo->id, "proposal.commented",
                     ToText(json::object{{"number", call.parameter("number")}}));
  return Shown(hub, call, 201);
}

// A review is a signed statement about one commit; the hub only files it.
Result<Attachment> SignedReview(const Call& call, const ProposalRow& p, const std::string& hex) {
  FLAIR_TRY(const Bytes bytes, FromHex(hex));
  FLAIR_TRY(Attachment a, DecodeAttachment(bytes));
  if (a.kind != AttachmentKind::kReview) {
    return Error(
        ErrorCode::kInvalidArgument,
        "the attachment is a " + std::string(AttachmentKindName(a.kind)) + ", not a review");
  }
  FLAIR_DO(VerifyAttachment(a));
  if (a.author.ToBase58() != call.wallet()) {
    return Error(ErrorCode::kUnauthorised,
                 "the review is signed by " + a.author.ToBase58() + ", you are " + call.wallet());
  }
  if (a.subject != p.tip) {
    return Error(ErrorCode::kConflict, "the review is of commit " + a.subject.Short() +
                                           "; the proposal is at " + p.tip.Short())
        .WithHint("look at the new commit, then review it");
  }
  return a;
}

Result<Response> ReviewProposal(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  FLAIR_TRY(const std::string hex, GetString(body, "attachment"));
  FLAIR_TRY(const ProposalRow p, ProposalOf(hub, call));
  if (p.state != "open") {
    return Error(ErrorCode::kConflict, "proposal #" + std::to_string(p.number) + " is " + p.state);
  }
  FLAIR_TRY(const Attachment a, SignedReview(call, p, hex));
  FLAIR_TRY(const Review review, DecodeReview(a.payload));
  FLAIR_DO(hub.CheckDisk());
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_DO(StoreAttachments(*store, {a}));
  const std::int64_t now_s = hub.env.NowSeconds();
  const std::string verdict(VerdictName(review.verdict));
  const Status stored = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(const ProposalRow now, ReadProposal(db, call));
    if (now.tip != a.subject || now.state != "open") {
      return Error(ErrorCode::kConflict, "the proposal changed meanwhile");
    }
    FLAIR_DO(InsertReview(db, p.repo_id, p.number,
                          {.attachment = IdOf(a),
                           .commit = a.subject,
                           .reviewer = call.wallet(),
                           .verdict = static_cast<std::uint8_t>(review.verdict),
                           .message = review.text,
                           .time_s = now_s}));
    FLAIR_DO(
        InsertAttachment(db, p.repo_id, a.subject, {IdOf(a), static_cast<std::uint8_t>(a.kind)}));
    return AppendAudit(
        db, now_s, p.repo_id, call.wallet(), "proposal.review",
        ToText(json::object{
            {"number", p.number}, {"verdict", verdict}, {"commit", a.subject.ToHex()}}));
  });
  FLAIR_DO(stored);
  hub.events.Publish(call.repo->id, "proposal.reviewed",
                     ToText(json::object{{"number", p.number}, {"verdict", verdict}}));
  return Shown(hub, call, 201);
}

// Its author or a maintainer.
Result<Response> SetState(HubContext& hub, Call& call, std::string_view from, std::string_view to) {
  const std::int64_t now_s = hub.env.NowSeconds();
  auto set = Update(hub.db, [&](Database& db) -> Result<std::int64_t> {
    FLAIR_TRY(ProposalRow p, ReadProposal(db, call));
    if (p.author != call.wallet() && call.role < Who::kMaintainer) {
      return Error(ErrorCode::kUnauthorised, "only the author or a maintainer may do this");
    }
    if (p.state != from) {
      return Error(ErrorCode::kConflict,
                   "proposal #" + std::to_string(p.number) + " is " + p.state);
    }
    if (to == "open") {
      FLAIR_TRY(const auto other,
                FindOpenProposal(db, p.repo_id, p.author, p.source_branch, p.target));
      if (other) {
        return Error(ErrorCode::kConflict,
                     "proposal #" + std::to_string(other->number) + " of the same branch is open");
      }
    }
    p.state = to;
    p.updated_s = now_s;
    FLAIR_DO(UpdateProposal(db, p));
    FLAIR_DO(AppendAudit(db, now_s, p.repo_id, call.wallet(), "proposal." + p.state,
                         ToText(json::object{{"number", p.number}})));
    return p.number;
  });
  FLAIR_TRY(const std::int64_t number, std::move(set));
  hub.events.Publish(call.repo->id, "proposal." + std::string(to),
                     ToText(json::object{{"number", number}}));
  return Shown(hub, call);
}

}  // namespace

void AddProposalRoutes(Handlers& handlers) {
  handlers.Add("listProposals", GetProposals);
  handlers.Add("getProposal", GetProposal);
  handlers.Add("commentProposal", CommentProposal);
  handlers.Add("reviewProposal", ReviewProposal);
  handlers.Add("closeProposal",
               [](HubContext& hub, Call& call) { return SetState(hub, call, "open", "closed"); });
  handlers.Add("reopenProposal",
               [](HubContext& hub, Call& call) { return SetState(hub, call, "closed", "open"); });
}

}  // namespace flair::hub
