// `flair switch`: works on another branch.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "repo/branching.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string target;
  std::string start;
  bool create = false;
  bool detach = false;
};

Result<ExitCode> RunSwitch(Session& s, const Args& args) {
  if (args.create && args.detach) {
    return ReportUsage(s, "--create and --detach exclude each other");
  }
  if (!args.start.empty() && !args.create) {
    return ReportUsage(s, "a start belongs to --create",
                       "flair switch --create " + args.target + " " + args.start);
  }
  FLAIR_TRY(const auto repo, s.OpenRepo());
  std::optional<CommitId> start;
  if (!args.start.empty()) {
    FLAIR_TRY(start, Resolve(*repo, args.start));
  }
  const SwitchMode mode = args.create   ? SwitchMode::kCreate
                          : args.detach ? SwitchMode::kDetach
                                        : SwitchMode::kExisting;
  FLAIR_TRY(const Head head, Switch(*repo, args.target, mode, start, s.Progress()));
  const std::string at = head.commit ? head.commit->Short() : "no commits yet";
  if (head.branch.empty()) {
    s.out() << "detached at " << at << "\n";
  } else {
    s.out() << "on branch " << ShortRefName(head.branch) << " (" << at << ")\n";
  }
  s.Document(json::object{
      {"branch", head.branch.empty() ? json::value() : json::value(ShortRefName(head.branch))},
      {"commit", IdJson(head.commit)}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("TARGET", args->target, "A branch; with --detach any ref", Need::kRequired);
  o.One("START", args->start, "With --create: where it starts (default: HEAD)", Need::kOptional);
  o.Flag("-c,--create", args->create, "Make the branch first");
  o.Flag("--detach", args->detach, "Look at a commit without a branch");
  return [args](Session& s) { return RunSwitch(s, *args); };
}

}  // namespace

extern const CommandSpec kSwitchCommand = {.name = "switch",
                                           .summary = "Work on another branch",
                                           .example = "flair switch --create experiment",
                                           .define = Define};

}  // namespace flair::cli
