// `flair revert`: a commit that takes another one back; history keeps both.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/objects_view.h"
#include "repo/merging.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string ref;
  std::string by = "history";
  std::vector<std::string> message;
  bool dry_run = false;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REF", args->ref, "The commit or merge to take back", Need::kRequired);
  o.Choice("--by", args->by, {"history", "subtract"},
           "history: as before it; subtract: its change taken out of what is there now");
  o.Values("-m,--message", args->message, "The message (default: Revert ...)");
  o.Flag("--dry-run", args->dry_run, "Report what would happen; change nothing");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    RevertRequest request;
    FLAIR_TRY(request.commit, Resolve(*repo, args->ref));
    request.by = args->by == "subtract" ? RevertBy::kSubtract : RevertBy::kHistory;
    request.message = JoinMessage(args->message);
    request.run = args->dry_run ? MergeRun::kDryRun : MergeRun::kReal;
    request.progress = s.Progress();
    FLAIR_TRY(const Keypair key, s.LoadKeypair());
    FLAIR_TRY(const MergeOutcome outcome, Revert(*repo, request, key));
    return TellOutcome(s, outcome, "reverted", request.run);
  };
}

}  // namespace

extern const CommandSpec kRevertCommand = {
    .name = "revert",
    .summary = "Take a commit or merge back",
    .example = "flair revert HEAD -m 'Accuracy fell at site C'",
    .define = Define};

}  // namespace flair::cli
