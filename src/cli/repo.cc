// `flair repo`: repositories on a hub.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"

namespace flair::cli {
namespace {

struct Args {
  std::string repo;
  std::string owner;
  std::string hub;
  bool make_public = false;
  bool make_private = false;
  bool yes = false;
  std::string description;
  std::optional<std::string> new_name;
  std::optional<std::string> new_description;
  std::optional<std::string> default_branch;
};

std::string OwnerText(const wire::RepoInfo& r) {
  return r.owner_handle.empty() ? r.owner : r.owner_handle;
}

std::string RepoText(const wire::RepoInfo& r, const std::string& hub_url) {
  std::string out = hub_url + "/" + Printable(OwnerText(r)) + "/" + Printable(r.name) + "\n";
  out += "  " + Printable(r.visibility) + ", default branch " + Printable(r.default_branch);
  if (!r.role.empty()) out += ", you are " + Printable(r.role);
  out += "\n";
  if (!r.description.empty()) out += "  " + Printable(r.description) + "\n";
  return out;
}

ExitCode SayRepo(Session& s, const wire::RepoInfo& r, const std::string& hub_url) {
  s.out() << RepoText(r, hub_url);
  json::value document = RawJson(r.raw);
  if (document.is_object()) {
    document.get_object()["url"] = hub_url + "/" + OwnerText(r) + "/" + r.name;
  }
  s.Document(document);
  return ExitCode::kOk;
}

Run DefineCreate(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER/NAME", args->repo, "OWNER is you: handle or wallet; NAME alone means the same",
        Need::kRequired);
  o.Flag("--public", args->make_public, "Everybody may read");
  o.Flag("--private", args->make_private, "Only members may read (default)");
  o.Value("--description", args->description, "One line about it");
  o.Value("--hub", args->hub, "The hub (default: the last one)");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->make_public && args->make_private) {
      return ReportUsage(s, "--public and --private exclude each other");
    }
    FLAIR_TRY(std::string hub_url, HubUrl(s, args->hub));
    std::string name = args->repo;
    std::string owner;
    if (name.find('/') != std::string::npos) {
      FLAIR_TRY(const RepoAddress address, ParseRepoAddress(name, hub_url));
      hub_url = address.hub;
      owner = address.owner;
      name = address.name;
    }
    FLAIR_TRY(HubConnection hub, ConnectSignedIn(s, hub_url));
    if (!owner.empty()) {
      FLAIR_TRY(const wire::Whoami me, hub->GetWhoami());
      if (owner != me.wallet && owner != me.handle) {
        return Error(ErrorCode::kUnauthorised,
                     "you are " + (me.handle.empty() ? me.wallet : me.handle) + ", not " + owner)
            .WithHint("repositories are created under their owner's own name");
      }
    }
    FLAIR_TRY(const wire::RepoInfo made,
              hub->CreateRepo({.name = name,
                               .visibility = args->make_public ? "public" : "private",
                               .description = args->description}));
    return SayRepo(s, made, hub_url);
  };
}

Run DefineList(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER", args->owner, "Only this owner's", Need::kOptional);
  o.Value("--hub", args->hub, "The hub (default: the last one)");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const std::string hub_url, HubUrl(s, args->hub));
    FLAIR_TRY(HubConnection hub, Connect(s, hub_url));
    FLAIR_TRY(const auto repos, hub->ListRepos(args->owner));
    std::vector<std::vector<std::string>> rows;
    json::array list;
    for (const wire::RepoInfo& r : repos) {
      rows.push_back({Printable(OwnerText(r) + "/" + r.name), Printable(r.visibility),
                      Printable(r.role), Printable(r.description)});
      list.push_back(RawJson(r.raw));
    }
    s.out() << Table(rows);
    s.Document(json::object{{"repos", std::move(list)}});
    return ExitCode::kOk;
  };
}

Run DefineShow(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER/NAME", args->repo, "Default: the remote of the repository here", Need::kOptional);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const wire::RepoInfo info, r.hub->GetRepo(r.address));
    return SayRepo(s, info, r.address.hub);
  };
}

Run DefineEdit(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER/NAME", args->repo, "The repository", Need::kRequired);
  o.Value("--name", args->new_name, "A new name; ids do not change");
  o.Flag("--public", args->make_public, "Everybody may read");
  o.Flag("--private", args->make_private, "Only members may read");
  o.Value("--description", args->new_description, "One line about it");
  o.Value("--default-branch", args->default_branch, "What a clone checks out");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->make_public && args->make_private) {
      return ReportUsage(s, "--public and --private exclude each other");
    }
    wire::RepoEdit edit;
    edit.name = args->new_name;
    edit.description = args->new_description;
    edit.default_branch = args->default_branch;
    if (args->make_public) edit.visibility = "public";
    if (args->make_private) edit.visibility = "private";
    if (!edit.name && !edit.description && !edit.default_branch && !edit.visibility) {
      return ReportUsage(s, "nothing to change", "flair repo edit --help");
    }
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const wire::RepoInfo info, r.hub->EditRepo(r.address, edit));
    return SayRepo(s, info, r.address.hub);
  };
}

Run DefineDelete(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER/NAME", args->repo, "The repository", Need::kRequired);
  o.Flag("--yes", args->yes, "Really: it cannot be brought back");
  return [args](Session& s) -> Result<ExitCode> {
    if (!args->yes) {
      return ReportUsage(s, "deleting " + args->repo + " cannot be taken back",
                         "say --yes to do it");
    }
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_DO(r.hub->DeleteRepo(r.address));
    s.out() << "deleted " << r.address.ToUrl() << "\n";
    s.Document(json::object{{"deleted", r.address.ToUrl()}});
    return ExitCode::kOk;
  };
}

// Rows of {time, actor, action, ...}: what else is there differs by action.
std::string AuditText(const json::value& log) {
  std::vector<std::vector<std::string>> rows;
  const json::value* entries = log.is_object() ? log.get_object().if_contains("entries") : nullptr;
  if (entries == nullptr || !entries->is_array()) return Printable(json::serialize(log)) + "\n";
  for (const json::value& entry : entries->get_array()) {
    if (!entry.is_object()) continue;
    std::vector<std::string> row;
    for (const char* member : {"number", "time", "actor", "action", "detail"}) {
      const json::value* v = entry.get_object().if_contains(member);
      if (v == nullptr) continue;
      row.push_back(Printable(v->is_string() ? std::string(v->get_string()) : json::serialize(*v)));
    }
    rows.push_back(std::move(row));
  }
  return Table(rows);
}

Run DefineAuditLog(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER/NAME", args->repo, "Default: the remote of the repository here", Need::kOptional);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const std::string raw, r.hub->AuditLogJson(r.address));
    const json::value log = RawJson(raw);
    s.out() << AuditText(log);
    s.Document(log);
    return ExitCode::kOk;
  };
}

const CommandSpec kCreate = {.name = "create",
                             .summary = "Make a repository on the hub",
                             .example = "flair repo create alice/digits --private",
                             .define = DefineCreate};
const CommandSpec kList = {.name = "list",
                           .summary = "List repositories",
                           .example = "flair repo list alice",
                           .define = DefineList};
const CommandSpec kShow = {.name = "show",
                           .summary = "Show a repository",
                           .example = "flair repo show alice/digits",
                           .define = DefineShow};
const CommandSpec kEdit = {.name = "edit",
                           .summary = "Change a repository's name, visibility, description",
                           .example = "flair repo edit alice/digits --public",
                           .define = DefineEdit};
const CommandSpec kDelete = {.name = "delete",
                             .summary = "Delete a repository from the hub",
                             .example = "flair repo delete alice/digits --yes",
                             .define = DefineDelete};
const CommandSpec kAuditLog = {.name = "audit-log",
                               .summary = "Show who did what",
                               .example = "flair repo audit-log alice/digits",
                               .define = DefineAuditLog};
const CommandSpec* const kSubcommands[] = {&kCreate, &kList, &kShow, &kEdit, &kDelete, &kAuditLog};

}  // namespace

extern const CommandSpec kRepoCommand = {
    .name = "repo",
    .summary = "Repositories on a hub: create, list, show, edit, delete, audit-log",
    .example = "flair repo create alice/digits",
    .subcommands = kSubcommands};

}  // namespace flair::cli
