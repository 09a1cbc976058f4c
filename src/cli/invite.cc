// `flair invite`: gives a wallet a role in a repository on a hub.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"

namespace flair::cli {
namespace {

struct Args {
  std::string wallet;
  std::string role;
  std::string repo;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("WALLET", args->wallet, "Who: a wallet's address", Need::kRequired);
  o.Choice("--role", args->role, {"reader", "contributor", "maintainer", "owner"},
           "What they may do");
  o.Value("--repo", args->repo, "OWNER/NAME (default: the remote of the repository here)");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->role.empty()) {
      return ReportUsage(s, "which role?", "--role reader, contributor, maintainer or owner");
    }
    const auto named = Wallet::FromBase58(args->wallet);
    if (!named.ok()) return ReportUsage(s, named.error());
    const Wallet wallet = *named;
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    FLAIR_DO(r.hub->SetMember(r.address, wallet.ToBase58(), args->role));
    s.out() << wallet.ToBase58() << " is " << args->role << " of " << r.address.owner << "/"
            << r.address.name << "\n";
    s.Document(json::object{
        {"repo", r.address.ToUrl()}, {"wallet", wallet.ToBase58()}, {"role", args->role}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kInviteCommand = {.name = "invite",
                                           .summary = "Give a wallet a role in a repository",
                                           .example = "flair invite WALLET --role contributor",
                                           .define = Define};

}  // namespace flair::cli
