// `flair login`: signs in at a hub with the wallet; the token stays on this machine.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "base/path.h"
#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"
#include "remote/session.h"

namespace flair::cli {
namespace {

struct Args {
  std::string hub;
  std::optional<std::string> handle;
  std::vector<std::string> scopes;
};

Result<ExitCode> RunLogin(Session& s, const Args& args) {
  FLAIR_TRY(const std::string hub, HubUrl(s, args.hub));
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  const std::vector<std::string> scopes =
      args.scopes.empty() ? std::vector<std::string>{"read", "push", "review", "mint"}
                          : args.scopes;
  const auto http = MakeHttpClient(s);
  FLAIR_TRY(const wire::SessionInfo session, SignIn(*http, hub, key, scopes));
  FLAIR_TRY(const std::string path, s.TokensPath());
  FLAIR_DO(MakeDirs(s.env(), ParentPath(path)));
  FLAIR_DO(SaveToken(
      s.env(), path, hub,
      {.token = session.token, .wallet = session.wallet, .expires_at = session.expires_at}));
  FLAIR_DO(s.SetDefaultHub(hub));
  HubApi api(*http, hub, session.token);
  if (args.handle) FLAIR_DO(api.SetHandle(*args.handle));
  const auto me = api.GetWhoami();
  const std::string handle = me.ok() ? me->handle : args.handle.value_or("");
  s.out() << "signed in at " << hub << " as "
          << (handle.empty() ? session.wallet : Printable(handle) + " (" + session.wallet + ")")
          << "\n";
  s.Document(json::object{{"hub", hub},
                          {"wallet", session.wallet},
                          {"handle", handle.empty() ? json::value() : json::value(handle)},
                          {"scopes", StringsJson(session.scopes)},
                          {"expires_at", session.expires_at}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("HUB", args->hub, "The hub's address (default: the last one)", Need::kOptional);
  o.Value("--handle", args->handle, "Take this short name: [a-z0-9-], 3 to 31 characters");
  o.Choices("--scope", args->scopes, {"read", "push", "review", "mint"},
            "May be given again (default: all)");
  return [args](Session& s) { return RunLogin(s, *args); };
}

}  // namespace

extern const CommandSpec kLoginCommand = {
    .name = "login",
    .summary = "Sign in at a hub with your wallet",
    .example = "flair login http://127.0.0.1:8420 --handle alice",
    .define = Define};

}  // namespace flair::cli
