// `flair merge`: other commits into this branch, by a rule. The same inputs and recipe give
// the same commit; conflicts are listed per tensor and then nothing has changed.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/objects_view.h"
#include "cli/policy_text.h"
#include "merge/method.h"
#include "repo/merging.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::vector<std::string> refs;
  std::string method;
  std::string weights;
  std::vector<std::string> parameters;
  std::vector<std::string> message;
  bool dry_run = false;
  bool no_ff = false;
};

Result<ExitCode> RunMerge(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  MergeRequest request;
  for (const std::string& ref : args.refs) {
    FLAIR_TRY(const CommitId id, Resolve(*repo, ref));
    request.others.push_back(id);
  }
  request.method = args.method;
  request.weights = args.weights;
  FLAIR_TRY(request.parameters, ParseParameters(args.parameters));
  // The policy that counts is the one of the branch that receives.
  FLAIR_TRY(const Head head, ReadHead(*repo));
  if (head.commit) {
    FLAIR_TRY(request.roles, MergeRoles(*repo, *head.commit));
  }
  request.message = JoinMessage(args.message);
  request.run = args.dry_run ? MergeRun::kDryRun : MergeRun::kReal;
  request.fast_forwards = args.no_ff ? FastForwards::kNever : FastForwards::kAllow;
  request.progress = s.Progress();
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  FLAIR_TRY(const MergeOutcome outcome, Merge(*repo, request, key));
  return TellOutcome(s, outcome, "merged", request.run);
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Many("REF", args->refs, "What to merge; several make one commit", Need::kRequired);
  o.Choice("--method", args->method, MergeMethodNames(), "How to join (default: fedavg)");
  o.Value("--weights", args->weights, "samples, equal or w1,w2,...");
  o.Values("--param", args->parameters, "KEY=VALUE for the method; may be given again");
  o.Values("-m,--message", args->message, "The merge's message");
  o.Flag("--dry-run", args->dry_run, "Report what would happen; change nothing");
  o.Flag("--no-ff", args->no_ff, "Make a merge commit even if HEAD could move forward");
  return [args](Session& s) { return RunMerge(s, *args); };
}

}  // namespace

extern const CommandSpec kMergeCommand = {
    .name = "merge",
    .summary = "Merge other commits into this branch",
    .example = "flair merge site-a site-b --method fedavg --weights samples -m 'Round 3'",
    .define = Define};

}  // namespace flair::cli
