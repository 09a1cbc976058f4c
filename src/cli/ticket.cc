// `flair ticket`: the hub's signed nonce for the next run from HEAD.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "base/path.h"
#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/policy_text.h"
#include "cli/render.h"
#include "data/card.h"
#include "data/prover/registered.h"
#include "policy/policy.h"
#include "remote/tickets.h"
#include "repo/config.h"

namespace flair::cli {
namespace {

struct Args {
  std::string data;
  std::string remote;
};

// The key that flair.toml names; none where it names no hub.
Result<std::optional<Wallet>> PinnedHub(Repository& repo, const CommitId& commit) {
  FLAIR_TRY(const std::string text, PolicyText(repo, commit));
  FLAIR_TRY(const Policy policy, ParsePolicy(text));
  return policy.hub_key;
}

Result<Attachment> AskHub(Session& s, Repository& repo, const Args& args,
                          const TicketPurpose& purpose, const std::string& card_text) {
  FLAIR_TRY(const std::string name, RemoteName(repo, args.remote));
  FLAIR_TRY(const Remote remote, GetRemote(repo, name));
  FLAIR_TRY(HubConnection hub, ConnectRemote(s, repo, name));
  if (hub->token().empty()) {
    return Error(ErrorCode::kUnauthorised, "not signed in at " + hub->hub_url())
        .WithHint("flair login " + hub->hub_url());
  }
  TicketWish wish{.parent = purpose.parent,
                  .card_text = card_text,
                  .wallet = purpose.wallet,
                  .hub_key = std::nullopt};
  FLAIR_TRY(wish.hub_key, PinnedHub(repo, purpose.parent));
  FLAIR_TRY(const RepoAddress address, ParseRepoAddress(remote.url, hub->hub_url()));
  auto ticket = RequestTicket(*hub.api, address, wish);
  if (!ticket.ok() && ticket.error().message().starts_with("no commit")) {
    return std::move(ticket).error().WithHint("the hub must know HEAD: `flair push` it first");
  }
  return ticket;
}

Result<ExitCode> RunTicket(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  FLAIR_TRY(const CommitId head, ResolveOrHead(*repo, ""));
  FLAIR_TRY(const data::DataCard card, data::ReadCard(s.env(), s.Absolute(args.data)));
  const TicketPurpose purpose{.parent = head, .card = data::CardId(card), .wallet = key.wallet()};
  FLAIR_TRY(std::optional<Attachment> found, FindTicket(*repo, purpose));
  const bool is_new = !found;
  if (is_new) {
    FLAIR_TRY(found, AskHub(s, *repo, args, purpose, data::EncodeCard(card)));
    FLAIR_DO(SaveTicket(*repo, purpose, *found));
  }
  FLAIR_TRY(const Ticket ticket, TicketOf(*found, found->author));
  const std::string id = IdOf(*found).ToHex();
  const std::string seed = SeedOf(ticket, head).ToHex();
  s.out() << "ticket " << id << "\n"
          << "from   " << head.ToHex() << "\n"
          << "card   " << purpose.card.ToHex() << " (" << card.name << ")\n"
          << "seed   " << seed << "\n"
          << "hub    " << found->author.ToBase58() << "\n";
  s.Document(json::object{{"ticket", id},
                          {"parent", head.ToHex()},
                          {"card", purpose.card.ToHex()},
                          {"wallet", purpose.wallet.ToBase58()},
                          {"seed", seed},
                          {"hub", found->author.ToBase58()},
                          {"new", is_new}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Value("--data", args->data, "Folder of the registered data set, which is trained on");
  o.One("REMOTE", args->remote, "Default: the branch's upstream, else origin", Need::kOptional);
  return [args](Session& s) -> Result<ExitCode> {
    if (args->data.empty()) {
      return ReportUsage(s, "--data is missing", "`flair data register` makes such a folder");
    }
    return RunTicket(s, *args);
  };
}

}  // namespace

extern const CommandSpec kTicketCommand = {
    .name = "ticket",
    .summary = "Register a data card at the hub and get the seed of the next run",
    .example = "flair ticket --data digits.data",
    .define = Define};

}  // namespace flair::cli
