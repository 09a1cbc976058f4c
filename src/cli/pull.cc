// `flair pull`: fetch, then move the branch forward to its upstream.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/transfer_view.h"

namespace flair::cli {
namespace {

Run Define(Options& o) {
  auto typed = std::make_shared<std::string>();
  o.One("REMOTE", *typed, "Default: the branch's upstream, else origin", Need::kOptional);
  return [typed](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const std::string remote, RemoteName(*repo, *typed));
    FLAIR_TRY(HubConnection hub, ConnectRemote(s, *repo, remote));
    FetchOptions options;
    options.transfer.progress = s.Progress();
    FLAIR_TRY(const PullOutcome outcome, Pull(*repo, *hub.api, remote, options));
    s.ClearProgress();
    TellFetch(s, outcome.fetch);
    if (outcome.kind == PullKind::kUpToDate) {
      s.out() << "up to date\n";
    } else {
      s.out() << "fast-forwarded to " << outcome.commit->Short() << "\n";
    }
    json::object document = FetchJson(outcome.fetch);
    document["result"] = outcome.kind == PullKind::kUpToDate ? "up_to_date" : "fast_forward";
    document["commit"] = IdJson(outcome.commit);
    document["remote"] = remote;
    s.Document(document);
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kPullCommand = {.name = "pull",
                                         .summary = "Fetch, and move this branch forward",
                                         .example = "flair pull",
                                         .define = Define};

}  // namespace flair::cli
