// `flair reset`: moves the branch to another commit. What it leaves stays in the reflog.
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
  std::string ref;
  bool soft = false;
  bool mixed = false;
  bool hard = false;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REF", args->ref, "Where to (default: HEAD)", Need::kOptional);
  o.Flag("--soft", args->soft, "Move the branch alone");
  o.Flag("--mixed", args->mixed, "And empty the next commit (default)");
  o.Flag("--hard", args->hard, "And bring the files there; `flair undo` brings them back");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->soft + args->mixed + args->hard > 1) {
      return ReportUsage(s, "--soft, --mixed and --hard exclude each other");
    }
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const CommitId to, ResolveOrHead(*repo, args->ref));
    const ResetMode mode = args->soft   ? ResetMode::kSoft
                           : args->hard ? ResetMode::kHard
                                        : ResetMode::kMixed;
    FLAIR_DO(Reset(*repo, to, mode, s.Progress()));
    FLAIR_TRY(const Commit commit, ReadCommit(repo->objects(), to));
    s.out() << "HEAD is at " << CommitLine(to, commit, "");
    s.Document(json::object{{"commit", to.ToHex()}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kResetCommand = {.name = "reset",
                                          .summary = "Move the branch to another commit",
                                          .example = "flair reset --hard HEAD~1",
                                          .define = Define};

}  // namespace flair::cli
