// `flair remote`: where a repository is pushed to and fetched from.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "remote/address.h"
#include "repo/config.h"

namespace flair::cli {
namespace {

struct Args {
  std::string name;
  std::string url;
};

json::object RemoteJson(const Remote& r) {
  return {{"name", r.name}, {"url", r.url}, {"repo_id", r.repo_id}};
}

Result<ExitCode> List(Session& s) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const auto remotes, ListRemotes(*repo));
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const Remote& r : remotes) {
    rows.push_back({r.name, Printable(r.url)});
    list.push_back(RemoteJson(r));
  }
  s.out() << Table(rows);
  s.Document(json::object{{"remotes", std::move(list)}});
  return ExitCode::kOk;
}

Result<ExitCode> Set(Session& s, const Args& args, Status (*store)(Repository&, const Remote&)) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const std::string hub, s.DefaultHub());
  FLAIR_TRY(const RepoAddress address, ParseRepoAddress(args.url, hub));
  const Remote remote{.name = args.name, .url = address.ToUrl(), .repo_id = ""};
  FLAIR_DO(store(*repo, remote));
  s.out() << remote.name << "  " << remote.url << "\n";
  s.Document(RemoteJson(remote));
  return ExitCode::kOk;
}

Run DefineList(Options&) { return List; }

Run DefineAdd(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("NAME", args->name, "Its name here: origin", Need::kRequired);
  o.One("URL", args->url, "http(s)://HUB/OWNER/NAME, or OWNER/NAME", Need::kRequired);
  return [args](Session& s) { return Set(s, *args, AddRemote); };
}

Run DefineSetUrl(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("NAME", args->name, "The remote", Need::kRequired);
  o.One("URL", args->url, "Its new address", Need::kRequired);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_DO(GetRemote(*repo, args->name));
    return Set(s, *args, SetRemote);
  };
}

Run DefineRemove(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("NAME", args->name, "The remote", Need::kRequired);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_DO(RemoveRemote(*repo, args->name));
    s.out() << "removed remote " << args->name << "\n";
    s.Document(json::object{{"removed", args->name}});
    return ExitCode::kOk;
  };
}

const CommandSpec kList = {.name = "list",
                           .summary = "List the remotes",
                           .example = "flair remote list",
                           .define = DefineList};
const CommandSpec kAdd = {.name = "add",
                          .summary = "Add a remote",
                          .example = "flair remote add origin http://127.0.0.1:8420/alice/digits",
                          .define = DefineAdd};
const CommandSpec kSetUrl = {.name = "set-url",
                             .summary = "Change a remote's address",
                             .example = "flair remote set-url origin alice/digits",
                             .define = DefineSetUrl};
const CommandSpec kRemove = {.name = "remove",
                             .summary = "Remove a remote and its branches here",
                             .example = "flair remote remove origin",
                             .define = DefineRemove};
const CommandSpec* const kSubcommands[] = {&kList, &kAdd, &kSetUrl, &kRemove};

}  // namespace

extern const CommandSpec kRemoteCommand = {.name = "remote",
                                           .summary = "List, add or remove remotes",
                                           .example = "flair remote add origin alice/digits",
                                           .define = DefineList,
                                           .subcommands = kSubcommands};

}  // namespace flair::cli
