// `flair token`: tokens for machines, with few rights and an end.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"

namespace flair::cli {
namespace {

struct Args {
  std::string hub;
  std::string id;
  std::vector<std::string> scopes;
  std::string repo;
  std::optional<std::uint64_t> days;
};

json::object TokenJson(const wire::TokenInfo& t) {
  json::object out = {{"id", t.id},
                      {"scopes", StringsJson(t.scopes)},
                      {"repo", t.repo.empty() ? json::value() : json::value(t.repo)},
                      {"created_at", t.created_at},
                      {"expires_at", t.expires_at}};
  if (!t.token.empty()) out["token"] = t.token;
  return out;
}

Result<HubConnection> Hub(Session& s, const Args& args) {
  FLAIR_TRY(const std::string hub_url, HubUrl(s, args.hub));
  return ConnectSignedIn(s, hub_url);
}

Run DefineNew(Options& o) {
  auto args = std::make_shared<Args>();
  o.Choices("--scope", args->scopes, {"read", "push", "review", "mint"}, "May be given again");
  o.Value("--repo", args->repo, "Only for this OWNER/NAME (default: all of yours)");
  o.Value("--days", args->days, "Until it ends (default: the hub's)");
  o.Value("--hub", args->hub, "The hub (default: the last one)");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->scopes.empty()) {
      return ReportUsage(s, "a token needs at least one scope", "flair token new --scope read");
    }
    FLAIR_TRY(HubConnection hub, Hub(s, *args));
    FLAIR_TRY(const wire::TokenInfo token,
              hub->CreateToken({.scopes = args->scopes, .repo = args->repo, .days = args->days}));
    s.out() << token.token << "\n";
    s.note() << "shown once; id " << Printable(token.id) << ", ends " << Printable(token.expires_at)
             << ". Give it to a machine as FLAIR_TOKEN.\n";
    s.Document(TokenJson(token));
    return ExitCode::kOk;
  };
}

Run DefineList(Options& o) {
  auto args = std::make_shared<Args>();
  o.Value("--hub", args->hub, "The hub (default: the last one)");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubConnection hub, Hub(s, *args));
    FLAIR_TRY(const auto tokens, hub->ListTokens());
    std::vector<std::vector<std::string>> rows;
    json::array list;
    for (const wire::TokenInfo& t : tokens) {
      std::string scopes;
      for (const std::string& scope : t.scopes) scopes += (scopes.empty() ? "" : ",") + scope;
      rows.push_back({Printable(t.id), Printable(scopes),
                      t.repo.empty() ? "all repositories" : Printable(t.repo),
                      "ends " + Printable(t.expires_at)});
      list.push_back(TokenJson(t));
    }
    s.out() << Table(rows);
    s.Document(json::object{{"tokens", std::move(list)}});
    return ExitCode::kOk;
  };
}

Run DefineRevoke(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("ID", args->id, "As `flair token list` shows it", Need::kRequired);
  o.Value("--hub", args->hub, "The hub (default: the last one)");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubConnection hub, Hub(s, *args));
    FLAIR_DO(hub->RevokeToken(args->id));
    s.out() << "revoked " << Printable(args->id) << "\n";
    s.Document(json::object{{"revoked", args->id}});
    return ExitCode::kOk;
  };
}

const CommandSpec kNew = {.name = "new",
                          .summary = "Make a token",
                          .example = "flair token new --scope read --repo alice/digits --days 30",
                          .define = DefineNew};
const CommandSpec kList = {.name = "list",
                           .summary = "List your tokens",
                           .example = "flair token list",
                           .define = DefineList};
const CommandSpec kRevoke = {.name = "revoke",
                             .summary = "End a token now",
                             .example = "flair token revoke 3f2a90",
                             .define = DefineRevoke};
const CommandSpec* const kSubcommands[] = {&kNew, &kList, &kRevoke};

}  // namespace

extern const CommandSpec kTokenCommand = {.name = "token",
                                          .summary = "Tokens for machines: new, list, revoke",
                                          .example = "flair token new --scope read --days 30",
                                          .subcommands = kSubcommands};

}  // namespace flair::cli
