// `flair restore`: files as they were. What is overwritten was stored first: `flair undo`.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/refs.h"
#include "repo/worktree.h"

namespace flair::cli {
namespace {

struct Args {
  std::vector<std::string> paths;
  bool staged = false;
  std::optional<std::string> source;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Many("PATH", args->paths, "Files, folders or globs", Need::kRequired);
  o.Flag("--staged", args->staged, "Take the change out of the next commit; the file stays");
  o.Value("-s,--source", args->source, "Bring file and next commit to what this ref holds");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->staged && args->source)
      return ReportUsage(s, "--staged and --source exclude each other");
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const auto paths, RepoPaths(s, *repo, args->paths));
    RestoreOptions options{.what = args->staged ? RestoreWhat::kStaged : RestoreWhat::kFile,
                           .source = {},
                           .progress = s.Progress()};
    if (args->source) {
      options.what = RestoreWhat::kFromCommit;
      FLAIR_TRY(options.source, Resolve(*repo, *args->source));
    }
    FLAIR_TRY(const auto restored, Restore(*repo, paths, options));
    for (const std::string& path : restored) s.out() << "restored  " << Printable(path) << "\n";
    if (restored.empty()) s.out() << "nothing to restore\n";
    s.Document(json::object{{"restored", StringsJson(restored)}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kRestoreCommand = {
    .name = "restore",
    .summary = "Bring files back as they were",
    .example = "flair restore --source HEAD~2 model.safetensors",
    .define = Define};

}  // namespace flair::cli
