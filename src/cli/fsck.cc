// `flair fsck`: re-reads everything and names what is damaged.
// SPDX-License-Identifier: Apache-2.0
#include "repo/fsck.h"

#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"

namespace flair::cli {
namespace {

Run Define(Options& o) {
  auto merges = std::make_shared<bool>(false);
  o.Flag("--merges", *merges, "Run the recipe of every merge again and compare");
  return [merges](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    const FsckMerges how = *merges ? FsckMerges::kRunAgain : FsckMerges::kTrust;
    FLAIR_TRY(const FsckReport report, Fsck(*repo, s.Progress(), how));
    s.ClearProgress();
    for (const std::string& problem : report.problems) {
      s.err() << "damaged: " << Printable(problem) << "\n";
    }
    s.out() << Count(report.num_commits, "commit") << ", " << Count(report.num_objects, "object")
            << ", " << Count(report.num_contents, "content") << ": "
            << (report.ok() ? "all good" : Count(report.problems.size(), "problem")) << "\n";
    json::object document{{"ok", report.ok()},
                          {"problems", StringsJson(report.problems)},
                          {"num_commits", report.num_commits},
                          {"num_objects", report.num_objects},
                          {"num_contents", report.num_contents}};
    if (*merges) {
      s.out() << Count(report.num_merges, "merge") << " run again";
      if (report.num_merges_skipped > 0) {
        s.out() << ", " << report.num_merges_skipped << " skipped: this clone lacks their inputs";
      }
      s.out() << "\n";
      document["num_merges"] = report.num_merges;
      document["num_merges_skipped"] = report.num_merges_skipped;
    }
    s.Document(document);
    return report.ok() ? ExitCode::kOk : ExitCode::kIntegrity;
  };
}

}  // namespace

extern const CommandSpec kFsckCommand = {.name = "fsck",
                                         .summary = "Check the whole repository",
                                         .example = "flair fsck --merges",
                                         .define = Define};

}  // namespace flair::cli
