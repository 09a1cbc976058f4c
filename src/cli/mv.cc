// `flair mv`: renames a tracked file or folder.
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
  std::string from;
  std::string to;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("FROM", args->from, "A tracked file or folder", Need::kRequired);
  o.One("TO", args->to, "The new name, or the folder to move into", Need::kRequired);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const auto paths, RepoPaths(s, *repo, {args->from, args->to}));
    FLAIR_DO(Move(*repo, paths[0], paths[1]));
    s.out() << Printable(paths[0]) << " -> " << Printable(paths[1]) << "\n";
    s.Document(json::object{{"from", paths[0]}, {"to", paths[1]}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kMvCommand = {.name = "mv",
                                       .summary = "Rename a file or folder",
                                       .example = "flair mv model.safetensors v1/model.safetensors",
                                       .define = Define};

}  // namespace flair::cli
