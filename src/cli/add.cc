// `flair add`: takes files into the next commit. Model files are split into tensors.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/worktree.h"

namespace flair::cli {
namespace {

Run Define(Options& o) {
  auto paths = std::make_shared<std::vector<std::string>>();
  o.Many("PATH", *paths, "Files, folders or globs; . is everything here", Need::kRequired);
  return [paths](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const auto checked, RepoPaths(s, *repo, *paths));
    FLAIR_TRY(const AddResult added, Add(*repo, checked, s.Progress()));
    s.out() << ChangesText(added.changes, "");
    if (added.changes.empty()) s.out() << "nothing changed\n";
    for (const std::string& path : added.refused) {
      s.note() << "skipped: " << Printable(path) << " (not a plain file, or no valid name)\n";
    }
    s.Document(json::object{{"changes", ChangesJson(added.changes)},
                            {"unchanged", StringsJson(added.unchanged)},
                            {"refused", StringsJson(added.refused)},
                            {"read_bytes", added.read_bytes},
                            {"stored_bytes", added.stored_bytes}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kAddCommand = {.name = "add",
                                        .summary = "Take files into the next commit",
                                        .example = "flair add model.safetensors flair.toml",
                                        .define = Define};

}  // namespace flair::cli
