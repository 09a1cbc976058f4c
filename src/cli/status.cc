// `flair status`: what the next commit will hold, and what it will not.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/refs.h"
#include "repo/worktree.h"

namespace flair::cli {
namespace {

std::string HeadText(const Head& head) {
  if (head.branch.empty()) return "detached at " + head.commit->Short() + "\n";
  return "on branch " + ShortRefName(head.branch) + (head.commit ? "" : ", no commits yet") + "\n";
}

std::string StatusText(const WorktreeStatus& status) {
  std::string out = HeadText(status.head);
  if (!status.light.empty()) {
    out += "light clone (" + status.light + "): to look at and evaluate\n";
  }
  if (!status.staged.empty()) {
    out += "to be committed:\n" + ChangesText(status.staged, "  ");
  }
  if (!status.unstaged.empty()) {
    out += "changed, not added (`flair add`):\n" + ChangesText(status.unstaged, "  ");
  }
  if (!status.left_out.empty()) {
    out += "left out of this clone (`flair fetch --tensors '*'` brings them):\n";
    for (const std::string& path : status.left_out) out += "  " + Printable(path) + "\n";
  }
  if (!status.untracked.empty()) {
    out += "untracked:\n";
    for (const std::string& path : status.untracked) out += "  " + Printable(path) + "\n";
  }
  if (!status.refused.empty()) {
    out += "cannot be tracked (links, special files, invalid names):\n";
    for (const std::string& path : status.refused) out += "  " + Printable(path) + "\n";
  }
  if (status.clean() && status.untracked.empty()) out += "nothing to commit\n";
  return out;
}

Run Define(Options&) {
  return [](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const WorktreeStatus status, ReadStatus(*repo));
    s.out() << StatusText(status);
    const Head& head = status.head;
    s.Document(json::object{
        {"branch", head.branch.empty() ? json::value() : json::value(ShortRefName(head.branch))},
        {"commit", IdJson(head.commit)},
        {"staged", ChangesJson(status.staged)},
        {"unstaged", ChangesJson(status.unstaged)},
        {"left_out", StringsJson(status.left_out)},
        {"light", status.light.empty() ? json::value() : json::value(status.light)},
        {"untracked", StringsJson(status.untracked)},
        {"refused", StringsJson(status.refused)},
        {"clean", status.clean()}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kStatusCommand = {.name = "status",
                                           .summary = "Show what changed since the last commit",
                                           .example = "flair status",
                                           .define = Define};

}  // namespace flair::cli
