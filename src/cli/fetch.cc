// `flair fetch`: brings the remote's branches here; changes no branch of yours.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/transfer_view.h"

namespace flair::cli {
namespace {

struct Args {
  std::string remote;
  std::string tensors;
  std::vector<std::uint64_t> proposals;
};

Result<ExitCode> RunFetch(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const std::string remote, RemoteName(*repo, args.remote));
  FLAIR_TRY(HubConnection hub, ConnectRemote(s, *repo, remote));
  FetchOptions options;
  options.transfer.progress = s.Progress();
  options.tensors_glob = args.tensors;
  if (!args.proposals.empty()) {
    FLAIR_TRY(HubRepo there, OpenHubRepo(s, "", remote));
    for (const std::uint64_t number : args.proposals) {
      FLAIR_TRY(const wire::Proposal p, there.hub->GetProposal(there.address, number));
      FLAIR_TRY(const CommitId commit, CommitId::FromHex(p.commit));
      options.also.emplace_back("proposals/" + std::to_string(number), commit);
    }
  }
  FLAIR_TRY(const FetchOutcome outcome, Fetch(*repo, *hub.api, remote, options));
  s.ClearProgress();
  TellFetch(s, outcome);
  if (outcome.refs.empty()) s.out() << "up to date with " << remote << "\n";
  json::object document = FetchJson(outcome);
  document["remote"] = remote;
  s.Document(document);
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REMOTE", args->remote, "Default: the branch's upstream, else origin", Need::kOptional);
  o.Value("--tensors", args->tensors, "Only tensors whose name matches this glob");
  auto proposal = std::make_shared<std::vector<std::string>>();
  o.Values("--proposal", *proposal, "Proposal number to fetch, as proposals/N; may be given again");
  return [args, proposal](Session& s) -> Result<ExitCode> {
    for (const std::string& text : *proposal) {
      std::uint64_t number = 0;
      for (const char c : text) {
        if (c < '0' || c > '9' || number > 1'000'000'000) {
          return ReportUsage(s, "'" + text + "' is not a proposal's number");
        }
        number = 10 * number + static_cast<std::uint64_t>(c - '0');
      }
      args->proposals.push_back(number);
    }
    return RunFetch(s, *args);
  };
}

}  // namespace

extern const CommandSpec kFetchCommand = {.name = "fetch",
                                          .summary = "Bring a remote's branches here",
                                          .example = "flair fetch origin --proposal 7",
                                          .define = Define};

}  // namespace flair::cli
