// `flair logout`: ends the session at a hub and forgets its token.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/render.h"
#include "remote/session.h"

namespace flair::cli {
namespace {

Run Define(Options& o) {
  auto typed = std::make_shared<std::string>();
  o.One("HUB", *typed, "The hub (default: the last one)", Need::kOptional);
  return [typed](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const std::string hub_url, HubUrl(s, *typed));
    FLAIR_TRY(HubConnection hub, ConnectSignedIn(s, hub_url));
    const Status ended = hub->EndSession();
    // The token goes in any case: a hub that is away must not keep anybody signed in here.
    FLAIR_TRY(const std::string path, s.TokensPath());
    FLAIR_TRY(const std::string wallet, s.WalletOrNone());
    FLAIR_TRY(const auto stored, LoadToken(s.env(), path, hub_url, wallet));
    if (stored) FLAIR_DO(DropToken(s.env(), path, hub_url, stored->wallet));
    if (!ended.ok()) {
      s.note() << "note: the hub was not told: " << Printable(ended.error().message()) << "\n";
    }
    s.out() << "signed out of " << hub_url << "\n";
    s.Document(json::object{{"hub", hub_url}, {"ended", ended.ok()}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kLogoutCommand = {
    .name = "logout", .summary = "Sign out of a hub", .example = "flair logout", .define = Define};

}  // namespace flair::cli
