// `flair tag`: names that stay where they are.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "repo/branching.h"

namespace flair::cli {
namespace {

struct Args {
  std::string name;
  std::string at;
  bool remove = false;
};

Result<ExitCode> RunTag(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  if (args.name.empty()) {
    if (args.remove) return ReportUsage(s, "which tag is to be deleted?");
    return TellRefs(s, *repo, "tags/", "tags");
  }
  if (args.remove) {
    FLAIR_DO(DeleteTag(*repo, args.name));
    s.out() << "deleted tag " << args.name << "\n";
    s.Document(json::object{{"deleted", args.name}});
    return ExitCode::kOk;
  }
  if (const Status name = CheckRefName("tags/" + args.name); !name.ok()) {
    return ReportUsage(s, name.error());
  }
  FLAIR_TRY(const CommitId at, ResolveOrHead(*repo, args.at));
  FLAIR_DO(CreateTag(*repo, args.name, at));
  s.out() << "tag " << args.name << " at " << at.Short() << "\n";
  s.Document(json::object{{"name", args.name}, {"commit", at.ToHex()}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("NAME", args->name, "The tag; without it, all are listed", Need::kOptional);
  o.One("REF", args->at, "What it names (default: HEAD)", Need::kOptional);
  o.Flag("-d,--delete", args->remove, "Delete it");
  return [args](Session& s) { return RunTag(s, *args); };
}

}  // namespace

extern const CommandSpec kTagCommand = {.name = "tag",
                                        .summary = "Name a commit for good",
                                        .example = "flair tag v1.0 main",
                                        .define = Define};

}  // namespace flair::cli
