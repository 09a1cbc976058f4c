// `flair rm`: leaves files out of the next commit and, unless --cached, removes them.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/worktree.h"

namespace flair::cli {
namespace {

struct Args {
  std::vector<std::string> paths;
  bool cached = false;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Many("PATH", args->paths, "Files, folders or globs", Need::kRequired);
  o.Flag("--cached", args->cached, "Keep the file on disk");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const auto checked, RepoPaths(s, *repo, args->paths));
    FLAIR_TRY(
        const auto removed,
        Remove(*repo, checked, args->cached ? RemoveMode::kIndexOnly : RemoveMode::kIndexAndFile));
    for (const std::string& path : removed) s.out() << "deleted   " << Printable(path) << "\n";
    s.Document(json::object{{"removed", StringsJson(removed)}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kRmCommand = {.name = "rm",
                                       .summary = "Remove files from the next commit and the disk",
                                       .example = "flair rm --cached notes.txt",
                                       .define = Define};

}  // namespace flair::cli
