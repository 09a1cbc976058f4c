// `flair invite`: gives a wallet a role in a repository on a hub.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/render.h"

namespace flair::cli {
namespace {

struct Args {
  std::string wallet;
  std::string role;
  std::string repo;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("WHO", args->wallet, "Who: a wallet's address or a handle", Need::kRequired);
  o.Choice("--role", args->role, {"reader", "contributor", "maintainer", "owner"},
           "What they may do");
  o.Value("--repo", args->repo, "OWNER/NAME (default: the remote of the repository here)");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->role.empty()) {
      return ReportUsage(s, "which role?", "--role reader, contributor, maintainer or owner");
    }
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_TRY(const wire::Member member, r.hub->SetMember(r.address, args->wallet, args->role));
    s.out() << Printable(member.wallet)
            << (member.handle.empty() ? "" : " (" + Printable(member.handle) + ")") << " is "
            << args->role << " of " << r.address.owner << "/" << r.address.name << "\n";
    s.Document(
        json::object{{"repo", r.address.ToUrl()}, {"wallet", member.wallet}, {"role", args->role}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kInviteCommand = {.name = "invite",
                                           .summary = "Give a wallet a role in a repository",
                                           .example = "flair invite site-b --role contributor",
                                           .define = Define};

}  // namespace flair::cli
