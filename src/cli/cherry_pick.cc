// `flair cherry-pick`: another commit's change, on this branch.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/objects_view.h"
#include "repo/merging.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string ref;
  std::vector<std::string> message;
  bool dry_run = false;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REF", args->ref, "The commit whose change is wanted", Need::kRequired);
  o.Values("-m,--message", args->message, "The message (default: that commit's)");
  o.Flag("--dry-run", args->dry_run, "Report what would happen; change nothing");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    CherryPickRequest request;
    FLAIR_TRY(request.commit, Resolve(*repo, args->ref));
    request.message = JoinMessage(args->message);
    request.run = args->dry_run ? MergeRun::kDryRun : MergeRun::kReal;
    request.progress = s.Progress();
    FLAIR_TRY(const Keypair key, s.LoadKeypair());
    FLAIR_TRY(const MergeOutcome outcome, CherryPick(*repo, request, key));
    return TellOutcome(s, outcome, "picked", request.run);
  };
}

}  // namespace

extern const CommandSpec kCherryPickCommand = {.name = "cherry-pick",
                                               .summary = "Apply another commit's change here",
                                               .example = "flair cherry-pick experiment~1",
                                               .define = Define};

}  // namespace flair::cli
