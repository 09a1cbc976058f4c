// `flair alias`: names that move, read as @NAME.
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

Result<ExitCode> RunAlias(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  // "@prod" and "prod" are the same alias.
  const std::string name = args.name.starts_with('@') ? args.name.substr(1) : args.name;
  if (name.empty()) {
    if (args.remove) return ReportUsage(s, "which alias is to be deleted?");
    return TellRefs(s, *repo, "aliases/", "aliases");
  }
  if (args.remove) {
    FLAIR_DO(DeleteAlias(*repo, name));
    s.out() << "deleted alias @" << name << "\n";
    s.Document(json::object{{"deleted", "@" + name}});
    return ExitCode::kOk;
  }
  FLAIR_TRY(const CommitId at, ResolveOrHead(*repo, args.at));
  FLAIR_DO(SetAlias(*repo, name, at));
  s.out() << "@" << name << " is " << at.Short() << "\n";
  s.Document(json::object{{"name", "@" + name}, {"commit", at.ToHex()}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("NAME", args->name, "The alias; without it, all are listed", Need::kOptional);
  o.One("REF", args->at, "What it names from now on (default: HEAD)", Need::kOptional);
  o.Flag("-d,--delete", args->remove, "Delete it");
  return [args](Session& s) { return RunAlias(s, *args); };
}

}  // namespace

extern const CommandSpec kAliasCommand = {.name = "alias",
                                          .summary = "Name a commit by a name that moves: @prod",
                                          .example =
                                              "flair alias prod v1.0\n"
                                              "flair show @prod",
                                          .define = Define};

}  // namespace flair::cli
