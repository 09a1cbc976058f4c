// `flair fsck`: re-reads everything and names what is damaged.
// SPDX-License-Identifier: Apache-2.0
#include "repo/fsck.h"

#include <boost/json/object.hpp>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"

namespace flair::cli {
namespace {

Run Define(Options&) {
  return [](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const FsckReport report, Fsck(*repo, s.Progress()));
    s.ClearProgress();
    for (const std::string& problem : report.problems) {
      s.err() << "damaged: " << Printable(problem) << "\n";
    }
    s.out() << Count(report.num_commits, "commit") << ", " << Count(report.num_objects, "object")
            << ", " << Count(report.num_contents, "content") << ": "
            << (report.ok() ? "all good" : Count(report.problems.size(), "problem")) << "\n";
    s.Document(json::object{{"ok", report.ok()},
                            {"problems", StringsJson(report.problems)},
                            {"num_commits", report.num_commits},
                            {"num_objects", report.num_objects},
                            {"num_contents", report.num_contents}});
    return report.ok() ? ExitCode::kOk : ExitCode::kIntegrity;
  };
}

}  // namespace

extern const CommandSpec kFsckCommand = {.name = "fsck",
                                         .summary = "Check the whole repository",
                                         .example = "flair fsck",
                                         .define = Define};

}  // namespace flair::cli
