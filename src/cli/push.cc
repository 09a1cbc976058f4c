// `flair push`: moves a branch on the hub where the policy lets you, else proposes.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"
#include "remote/transfer.h"

namespace flair::cli {
namespace {

struct Args {
  std::string remote;
  std::string to;
  std::string source;
  std::string title;
};

json::object EgressJson(const EgressReport& e) {
  return {{"sent_bytes", e.sent_bytes},
          {"resumed_bytes", e.resumed_bytes},
          {"model_bytes", e.model_bytes},
          {"num_commits", e.num_commits},
          {"num_tensors", e.num_tensors},
          {"num_objects", e.num_objects},
          {"update_norm", e.update_norm ? json::value(*e.update_norm) : json::value()},
          {"signer", e.signer}};
}

std::string EgressText(const EgressReport& e) {
  std::string out = "left this machine: " + TransferText(e.sent_bytes, e.resumed_bytes) + " of a " +
                    FormatBytes(e.model_bytes) + " model; " + Count(e.num_commits, "commit") +
                    ", " + Count(e.num_tensors, "changed tensor");
  if (e.update_norm) out += ", update norm " + FormatNumber(*e.update_norm);
  return out + "; signed by " + Printable(e.signer) + "\n";
}

void Tell(Session& s, const PushOutcome& outcome) {
  if (outcome.up_to_date) {
    s.out() << "up to date: " << Printable(outcome.target) << " is " << outcome.commit.Short()
            << "\n";
    return;
  }
  for (const wire::PushCheck& check : outcome.checks) {
    s.out() << (check.passed ? "ok      " : "FAILED  ") << Printable(check.name)
            << (check.detail.empty() ? "" : ": ") << Printable(check.detail) << "\n";
  }
  if (outcome.moved) {
    s.out() << Printable(outcome.target) << " is now " << outcome.commit.Short() << "\n";
  } else {
    s.out() << "proposal " << outcome.proposal_number << " for " << Printable(outcome.target)
            << ": " << Printable(outcome.proposal_url) << "\n";
  }
  s.out() << EgressText(outcome.egress);
}

json::object OutcomeJson(const PushOutcome& outcome) {
  json::array checks;
  for (const wire::PushCheck& c : outcome.checks) {
    checks.push_back(json::object{{"name", c.name}, {"passed", c.passed}, {"detail", c.detail}});
  }
  json::value proposal;
  if (outcome.proposal_number != 0) {
    proposal = json::object{{"number", outcome.proposal_number}, {"url", outcome.proposal_url}};
  }
  json::value evidence;
  if (!outcome.evidence_json.empty()) evidence = RawJson(outcome.evidence_json);
  return {{"up_to_date", outcome.up_to_date}, {"moved", outcome.moved},
          {"commit", outcome.commit.ToHex()}, {"target", outcome.target},
          {"proposal", std::move(proposal)},  {"checks", std::move(checks)},
          {"evidence", std::move(evidence)},  {"egress", EgressJson(outcome.egress)}};
}

Result<ExitCode> RunPush(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const std::string remote, RemoteName(*repo, args.remote));
  FLAIR_TRY(HubConnection hub, ConnectRemote(s, *repo, remote));
  if (hub->token().empty()) {
    return Error(ErrorCode::kUnauthorised, "not signed in at " + hub->hub_url())
        .WithHint("flair login " + hub->hub_url());
  }
  PushOptions options;
  options.transfer.progress = s.Progress();
  options.target = args.to;
  options.source = args.source;
  options.title = args.title;
  FLAIR_TRY(const PushOutcome outcome, Push(*repo, *hub.api, remote, options));
  s.ClearProgress();
  Tell(s, outcome);
  s.Document(OutcomeJson(outcome));
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REMOTE", args->remote, "Default: the branch's upstream, else origin", Need::kOptional);
  o.Value("--to", args->to, "Branch on the hub (default: the branch's upstream, else main)");
  o.Value("--from", args->source, "Local branch (default: the current one)");
  o.Value("--title", args->title, "Title of a new proposal (default: the commit's first line)");
  return [args](Session& s) { return RunPush(s, *args); };
}

}  // namespace

extern const CommandSpec kPushCommand = {.name = "push",
                                         .summary = "Bring commits to a hub, or propose them",
                                         .example = "flair push origin --to main",
                                         .define = Define};

}  // namespace flair::cli
