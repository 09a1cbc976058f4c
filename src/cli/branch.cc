// `flair branch`: lists, makes, renames and deletes branches.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/branching.h"
#include "repo/config.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string name;
  std::string at;
  bool all = false;
  bool remove = false;
  bool force_remove = false;
  bool rename = false;
  std::optional<std::string> upstream;
};

Result<ExitCode> List(Session& s, Repository& repo, bool remotes) {
  FLAIR_TRY(const Head head, ReadHead(repo));
  FLAIR_TRY(std::vector<Ref> refs, ListRefs(repo, "heads/"));
  if (remotes) {
    FLAIR_TRY(const std::vector<Ref> others, ListRefs(repo, "remotes/"));
    refs.insert(refs.end(), others.begin(), others.end());
  }
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const Ref& ref : refs) {
    FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), ref.commit));
    const bool current = ref.name == head.branch;
    rows.push_back({std::string(current ? "* " : "  ") + ShortRefName(ref.name), ref.commit.Short(),
                    Printable(FirstLine(commit.message))});
    list.push_back(json::object{
        {"name", ShortRefName(ref.name)}, {"commit", ref.commit.ToHex()}, {"current", current}});
  }
  s.out() << Table(rows);
  s.Document(json::object{{"branches", std::move(list)}});
  return ExitCode::kOk;
}

Status SetUpstreamFromText(Repository& repo, const std::string& branch, const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    return Error(ErrorCode::kInvalidArgument, "upstream '" + text + "' is not REMOTE/BRANCH");
  }
  FLAIR_DO(GetRemote(repo, text.substr(0, slash)));
  return SetUpstream(repo, branch,
                     Upstream{.remote = text.substr(0, slash), .branch = text.substr(slash + 1)});
}

Result<ExitCode> RunBranch(Session& s, const Args& args) {
  if (args.remove + args.force_remove + args.rename + (args.upstream ? 1 : 0) > 1) {
    return ReportUsage(s, "-d, -D, -m and --set-upstream exclude each other");
  }
  FLAIR_TRY(const auto repo, s.OpenRepo());
  if (args.upstream) {
    FLAIR_TRY(const Head head, ReadHead(*repo));
    const std::string branch = args.name.empty() ? ShortRefName(head.branch) : args.name;
    FLAIR_DO(SetUpstreamFromText(*repo, branch, *args.upstream));
    s.out() << branch << " follows " << *args.upstream << "\n";
    s.Document(json::object{{"branch", branch}, {"upstream", *args.upstream}});
    return ExitCode::kOk;
  }
  if (args.name.empty()) return List(s, *repo, args.all);
  if (const Status name = CheckRefName("heads/" + args.name); !name.ok()) {
    return ReportUsage(s, name.error());
  }
  if (args.remove || args.force_remove) {
    FLAIR_DO(DeleteBranch(*repo, args.name,
                          args.remove ? DeleteMode::kOnlyMerged : DeleteMode::kAlways));
    s.out() << "deleted branch " << args.name << "\n";
    s.Document(json::object{{"deleted", args.name}});
    return ExitCode::kOk;
  }
  if (args.rename) {
    FLAIR_TRY(const Head head, ReadHead(*repo));
    const std::string from = args.at.empty() ? ShortRefName(head.branch) : args.name;
    const std::string to = args.at.empty() ? args.name : args.at;
    FLAIR_DO(RenameBranch(*repo, from, to));
    s.out() << from << " is now " << to << "\n";
    s.Document(json::object{{"from", from}, {"to", to}});
    return ExitCode::kOk;
  }
  FLAIR_TRY(const CommitId at, ResolveOrHead(*repo, args.at));
  FLAIR_DO(CreateBranch(*repo, args.name, at));
  s.out() << "branch " << args.name << " at " << at.Short() << "\n";
  s.Document(json::object{{"name", args.name}, {"commit", at.ToHex()}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("NAME", args->name, "The branch; without it, all are listed", Need::kOptional);
  o.One("AT", args->at, "Where it starts (default: HEAD); with -m the new name", Need::kOptional);
  o.Flag("-a,--all", args->all, "List the remotes' branches too");
  o.Flag("-d,--delete", args->remove, "Delete it, if its commits are in another ref");
  o.Flag("-D,--force-delete", args->force_remove, "Delete it in any case");
  o.Flag("-m,--move", args->rename, "Rename it (one name: the current branch)");
  o.Value("-u,--set-upstream", args->upstream, "REMOTE/BRANCH that it follows");
  return [args](Session& s) { return RunBranch(s, *args); };
}

}  // namespace

extern const CommandSpec kBranchCommand = {.name = "branch",
                                           .summary = "List, make, rename or delete branches",
                                           .example =
                                               "flair branch experiment HEAD~2\n"
                                               "flair branch -d experiment",
                                           .define = Define};

}  // namespace flair::cli
