// `flair members`: who takes part in a repository on a hub.
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
  std::string repo;
  std::optional<std::string> remove;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("OWNER/NAME", args->repo, "Default: the remote of the repository here", Need::kOptional);
  o.Value("--remove", args->remove, "Take the role of this wallet or handle away");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(HubRepo r, OpenHubRepo(s, args->repo));
    if (args->remove) {
      FLAIR_DO(r.hub->RemoveMember(r.address, *args->remove));
      s.out() << "removed " << *args->remove << "\n";
      s.Document(json::object{{"removed", *args->remove}});
      return ExitCode::kOk;
    }
    FLAIR_TRY(const auto members, r.hub->ListMembers(r.address));
    std::vector<std::vector<std::string>> rows;
    json::array list;
    for (const wire::Member& m : members) {
      rows.push_back({Printable(m.wallet), Printable(m.role), Printable(m.handle)});
      list.push_back(
          json::object{{"wallet", m.wallet},
                       {"handle", m.handle.empty() ? json::value() : json::value(m.handle)},
                       {"role", m.role}});
    }
    s.out() << Table(rows);
    s.Document(json::object{{"members", std::move(list)}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kMembersCommand = {.name = "members",
                                            .summary = "List or remove a repository's members",
                                            .example = "flair members alice/digits",
                                            .define = Define};

}  // namespace flair::cli
