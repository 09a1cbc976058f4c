// `flair whoami`: who the hub takes this machine for.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/render.h"

namespace flair::cli {
namespace {

Run Define(Options& o) {
  auto typed = std::make_shared<std::string>();
  o.One("HUB", *typed, "The hub (default: the last one)", Need::kOptional);
  return [typed](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const std::string hub_url, HubUrl(s, *typed));
    FLAIR_TRY(HubConnection hub, ConnectSignedIn(s, hub_url));
    FLAIR_TRY(const wire::Whoami me, hub->GetWhoami());
    s.out() << (me.handle.empty() ? "" : Printable(me.handle) + "  ") << me.wallet << "  at "
            << hub_url << "\n";
    s.Document(json::object{{"hub", hub_url},
                            {"wallet", me.wallet},
                            {"handle", me.handle.empty() ? json::value() : json::value(me.handle)},
                            {"scopes", StringsJson(me.scopes)}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kWhoamiCommand = {.name = "whoami",
                                           .summary = "Show who you are at a hub",
                                           .example = "flair whoami",
                                           .define = Define};

}  // namespace flair::cli
