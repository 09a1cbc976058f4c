// `flair proposal`: updates that wait for review, and the rounds made of them.
//
// A merge is prepared by the hub and signed here, after the prepared commit was checked
// against what was asked for.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"
#include "merge/method.h"
#include "object/review.h"

namespace flair::cli {
namespace {

struct Args {
  std::string repo;
  std::uint64_t number = 0;
  std::vector<std::uint64_t> numbers;
  std::string state = "open";
  bool approve = false;
  bool reject = false;
  bool request_changes = false;
  std::vector<std::string> message;
  std::string method;
  std::string weights;
  std::vector<std::string> parameters;
};

void AddRepo(Options& o, const std::shared_ptr<Args>& args) {
  o.Value("--repo", args->repo, "OWNER/NAME (default: the remote of the repository here)");
}

void AddNumber(Options& o, const std::shared_ptr<Args>& args) {
  o.One("N", args->number, "The proposal's number", Need::kRequired);
}

std::string Who(const wire::Proposal& p) {
  return Printable(p.author_handle.empty() ? p.author.substr(0, 8) : p.author_handle);
}

// A scalar member as text; nothing when it is absent or compound.
std::string Member(const json::object& o, const char* name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || v->is_null() || v->is_object() || v->is_array()) return "";
  if (v->is_string()) return Printable(std::string_view(v->get_string()));
  if (v->is_double()) return FormatNumber(v->get_double());
  return json::serialize(*v);
}

const json::object* ObjectOf(const json::object& o, const char* name) {
  const json::value* v = o.if_contains(name);
  return v != nullptr && v->is_object() ? &v->get_object() : nullptr;
}

const json::array* ListOf(const json::object& o, const char* name) {
  const json::value* v = o.if_contains(name);
  return v != nullptr && v->is_array() ? &v->get_array() : nullptr;
}

// Added, missing, reshaped and retyped tensors: no norm shows them.
std::string LayoutText(const json::object& evidence) {
  constexpr std::size_t kShown = 20;
  const json::array* lines = ListOf(evidence, "layout");
  if (lines == nullptr || lines->empty()) return "";
  std::string out = "LAYOUT CHANGES: " + Count(lines->size(), "difference") + " to the base\n";
  for (std::size_t i = 0; i < std::min(lines->size(), kShown); ++i) {
    if ((*lines)[i].is_string()) {
      out += "  " + Printable(std::string_view((*lines)[i].get_string())) + "\n";
    }
  }
  if (lines->size() > kShown) {
    out += "  and " + std::to_string(lines->size() - kShown) + " more (--json shows all)\n";
  }
  return out;
}

std::string EvidenceText(const json::object& document) {
  const json::object* e = ObjectOf(document, "evidence");
  if (e == nullptr) return "";
  const bool alone = Member(*e, "compared_with") == "0";
  const char* const cosine = alone ? "cosine of base and tip" : "cosine to the others";
  std::vector<std::vector<std::string>> rows;
  const std::pair<const char*, const char*> kShown[] = {
      {"update_norm", "update norm"},
      {"norm_ratio", "norm over the median of the others"},
      {"cosine", cosine},
      {"krum_score", "Krum score"},
      {"krum_rank", "Krum rank"},
      {"changed_share", "share of elements that changed"},
      {"compared_with", "other open updates compared with"},
      {"nan", "NaN"},
      {"inf", "infinite"}};
  for (const auto& [member, label] : kShown) {
    const std::string text = Member(*e, member);
    if (!text.empty()) rows.push_back({std::string("  ") + label, text});
  }
  std::string out = LayoutText(*e);
  if (!rows.empty()) out += "evidence:\n" + Table(rows);
  rows.clear();
  if (const json::array* tensors = ListOf(*e, "tensors")) {
    rows.push_back({"  tensor", "update norm", "of norm", cosine});
    for (const json::value& t : *tensors) {
      if (!t.is_object()) continue;
      const json::object& o = t.get_object();
      rows.push_back({"  " + Member(o, "name"), Member(o, "update_norm"), Member(o, "base_norm"),
                      Member(o, "cosine")});
    }
    if (rows.size() > 1) out += Table(rows);
  }
  return out;
}

std::string ProposalText(const wire::Proposal& p) {
  const json::value raw = RawJson(p.raw);
  const json::object document = raw.is_object() ? raw.get_object() : json::object();
  std::string out = "proposal " + std::to_string(p.number) + " (" + Printable(p.state) +
                    "): " + Printable(p.title) + "\n";
  out += "from " + Who(p) + ", branch " + Printable(p.source_branch) + " into " +
         Printable(p.target) + ", commit " + Printable(p.commit.substr(0, 12)) + "\n";
  const std::string samples = Member(document, "samples");
  out += samples == "0" || samples.empty()
             ? "declares no samples: fedavg needs --weights\n"
             : "declares " + samples + " samples: its weight in a fedavg\n";
  if (!p.url.empty()) out += Printable(p.url) + "\n";
  if (const json::array* checks = ListOf(document, "checks")) {
    for (const json::value& c : *checks) {
      if (!c.is_object()) continue;
      const std::string detail = Member(c.get_object(), "detail");
      out += (Member(c.get_object(), "passed") == "true" ? "ok      " : "FAILED  ") +
             Member(c.get_object(), "name") + (detail.empty() ? "" : ": " + detail) + "\n";
    }
  }
  out += EvidenceText(document);
  for (const char* list : {"reviews", "comments"}) {
    const json::array* entries = ListOf(document, list);
    if (entries == nullptr) continue;
    for (const json::value& entry : *entries) {
      if (!entry.is_object()) continue;
      const json::object& o = entry.get_object();
      std::string who = Member(o, "handle");
      for (const char* member : {"reviewer", "author"}) {
        if (who.empty()) who = Member(o, member).substr(0, 8);
      }
      const std::string verdict = Member(o, "verdict");
      std::string text = Member(o, "text");
      if (text.empty()) text = Member(o, "message");
      out += who + (verdict.empty() ? "" : " (" + verdict + ")") + ": " + text + "\n";
    }
  }
  return out;
}

Run DefineList(Options& o) {
  auto args = std::make_shared<Args>();
  o.Choice("--state", args->state, {"open", "merged", "closed", "all"}, "Which (default: open)");
  AddRepo(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const auto proposals, r.hub->ListProposals(r.address, args->state));
    std::vector<std::vector<std::string>> rows;
    json::array list;
    for (const wire::Proposal& p : proposals) {
      rows.push_back({std::to_string(p.number), Printable(p.state), Who(p),
                      Printable(p.source_branch) + " -> " + Printable(p.target),
                      Printable(p.commit.substr(0, 12)), Printable(p.title)});
      list.push_back(RawJson(p.raw));
    }
    s.out() << Table(rows);
    if (rows.empty()) s.out() << "no proposals\n";
    s.Document(json::object{{"proposals", std::move(list)}});
    return ExitCode::kOk;
  };
}

Run DefineShow(Options& o) {
  auto args = std::make_shared<Args>();
  AddNumber(o, args);
  AddRepo(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const wire::Proposal p, r.hub->GetProposal(r.address, args->number));
    s.out() << ProposalText(p);
    s.Document(RawJson(p.raw));
    return ExitCode::kOk;
  };
}

Run DefineReview(Options& o) {
  auto args = std::make_shared<Args>();
  AddNumber(o, args);
  o.Flag("--approve", args->approve, "It may be merged");
  o.Flag("--reject", args->reject, "It must not be merged");
  o.Flag("--request-changes", args->request_changes, "Not like this; a new push may be");
  o.Values("-m,--message", args->message, "Why");
  AddRepo(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    if (args->approve + args->reject + args->request_changes != 1) {
      return ReportUsage(s, "say one of --approve, --reject and --request-changes");
    }
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const Keypair key, s.LoadKeypair());
    FLAIR_TRY(const wire::Proposal p, r.hub->GetProposal(r.address, args->number));
    Attachment review;
    FLAIR_TRY(review.subject, CommitId::FromHex(p.commit));
    review.kind = AttachmentKind::kReview;
    const Verdict verdict = args->approve  ? Verdict::kApprove
                            : args->reject ? Verdict::kReject
                                           : Verdict::kRequestChanges;
    review.payload = EncodeReview({.verdict = verdict, .text = JoinMessage(args->message)});
    review.time_s = static_cast<std::uint64_t>(s.env().NowSeconds());
    SignAttachment(review, key);
    FLAIR_DO(r.hub->ReviewProposal(r.address, args->number, review));
    s.out() << VerdictName(verdict) << ": proposal " << args->number << " at commit "
            << review.subject.Short() << "\n";
    s.Document(json::object{{"number", args->number},
                            {"verdict", VerdictName(verdict)},
                            {"commit", p.commit},
                            {"review", IdOf(review).ToHex()}});
    return ExitCode::kOk;
  };
}

Run DefineMerge(Options& o) {
  auto args = std::make_shared<Args>();
  o.Many("N", args->numbers, "Proposals; several make one commit: a federated round",
         Need::kRequired);
  o.Choice("--method", args->method, MergeMethodNames(), "How to join (default: the policy's)");
  o.Value("--weights", args->weights, "samples, equal or w1,w2,...");
  o.Values("--param", args->parameters, "KEY=VALUE for the method; may be given again");
  o.Values("-m,--message", args->message, "The merge's message");
  AddRepo(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const Keypair key, s.LoadKeypair());
    RoundRequest request;
    request.proposals = args->numbers;
    request.method = args->method;
    request.weights = args->weights;
    FLAIR_TRY(request.parameters, ParseParameters(args->parameters));
    request.message = JoinMessage(args->message);
    if (request.message.empty()) {
      request.message = args->numbers.size() == 1 ? "Merge proposal" : "Merge proposals";
      for (const std::uint64_t n : args->numbers) {
        request.message += (n == args->numbers.front() ? " " : ", ") + std::to_string(n);
      }
    }
    request.time_s = static_cast<std::uint64_t>(s.env().NowSeconds());
    FLAIR_TRY(const RoundOutcome outcome, MergeProposals(*r.hub.api, r.address, request, key));
    std::vector<NamedConflict> named;
    for (const auto& c : outcome.conflicts) named.push_back({c.path, c.tensor, c.reason});
    json::array conflicts = TellConflicts(s, named);
    if (!outcome.commit) {
      s.Document(json::object{
          {"result", "conflicts"}, {"commit", nullptr}, {"conflicts", std::move(conflicts)}});
      return ExitCode::kConflict;
    }
    s.out() << "merged " << Count(args->numbers.size(), "proposal") << ":\n\n"
            << CommitText(*outcome.commit, outcome.body, "");
    json::object document = CommitJson(*outcome.commit, outcome.body);
    document["result"] = "merged";
    document["conflicts"] = std::move(conflicts);
    s.Document(document);
    return ExitCode::kOk;
  };
}

using Change = Status (HubApi::*)(const RepoAddress&, std::uint64_t);

Run DefineChange(Options& o, Change change, const char* done) {
  auto args = std::make_shared<Args>();
  AddNumber(o, args);
  AddRepo(o, args);
  return [args, change, done](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_DO((r.hub.api.get()->*change)(r.address, args->number));
    s.out() << done << " proposal " << args->number << "\n";
    s.Document(json::object{{"number", args->number}, {"result", done}});
    return ExitCode::kOk;
  };
}

Run DefineClose(Options& o) { return DefineChange(o, &HubApi::CloseProposal, "closed"); }
Run DefineReopen(Options& o) { return DefineChange(o, &HubApi::ReopenProposal, "reopened"); }

Run DefineComment(Options& o) {
  auto args = std::make_shared<Args>();
  AddNumber(o, args);
  o.Values("-m,--message", args->message, "What you have to say");
  AddRepo(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    if (args->message.empty()) return ReportUsage(s, "a comment needs a text", "-m 'TEXT'");
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_DO(r.hub->CommentProposal(r.address, args->number, JoinMessage(args->message)));
    s.out() << "commented on proposal " << args->number << "\n";
    s.Document(json::object{{"number", args->number}, {"result", "commented"}});
    return ExitCode::kOk;
  };
}

const CommandSpec kList = {.name = "list",
                           .summary = "List proposals",
                           .example = "flair proposal list --state all",
                           .define = DefineList};
const CommandSpec kShow = {.name = "show",
                           .summary = "Show a proposal, its checks and evidence",
                           .example = "flair proposal show 7",
                           .define = DefineShow};
const CommandSpec kReview = {.name = "review",
                             .summary = "Approve, reject or ask for changes; signed",
                             .example = "flair proposal review 7 --approve -m 'Norms as expected'",
                             .define = DefineReview};
const CommandSpec kMerge = {.name = "merge",
                            .summary = "Merge proposals into their branch: a federated round",
                            .example = "flair proposal merge 7 8 9 --method fedavg -m 'Round 3'",
                            .define = DefineMerge};
const CommandSpec kClose = {.name = "close",
                            .summary = "Close a proposal",
                            .example = "flair proposal close 7",
                            .define = DefineClose};
const CommandSpec kReopen = {.name = "reopen",
                             .summary = "Reopen a closed proposal",
                             .example = "flair proposal reopen 7",
                             .define = DefineReopen};
const CommandSpec kComment = {.name = "comment",
                              .summary = "Say something about a proposal",
                              .example = "flair proposal comment 7 -m 'Which data card?'",
                              .define = DefineComment};
const CommandSpec* const kSubcommands[] = {&kList,  &kShow,   &kReview, &kMerge,
                                           &kClose, &kReopen, &kComment};

}  // namespace

extern const CommandSpec kProposalCommand = {
    .name = "proposal",
    .summary = "Updates that wait for review: list, show, review, merge, close, reopen, comment",
    .example = "flair proposal list",
    .subcommands = kSubcommands};

}  // namespace flair::cli
