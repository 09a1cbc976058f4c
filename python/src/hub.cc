// The hub: sign-in, proposals, and the transfers of a repository.
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "crypto/blake3.h"
#include "object/receipt.h"
#include "policy/policy.h"
#include "remote/hub_api.h"
#include "remote/session.h"
#include "remote/tickets.h"
#include "remote/transfer.h"
#include "repo/config.h"

namespace flair::python {
namespace {

struct Hub {
  HttpClient http;
  HubApi api;
  Hub(const std::string& url, const std::string& token) : api(http, url, token) {}
};

std::unique_ptr<Hub> MakeHub(const std::string& url, const std::string& token) {
  return std::make_unique<Hub>(Unwrap(ParseHubUrl(url)), token);
}

nb::dict DoSignIn(Hub& self, const nb::bytes& secret, const std::vector<std::string>& scopes) {
  const Keypair key = KeypairFrom(secret);
  wire::SessionInfo info;
  {
    nb::gil_scoped_release release;
    info = Unwrap(SignIn(self.http, self.api.hub_url(), key, scopes));
  }
  nb::dict out;
  out["token"] = info.token;
  out["wallet"] = info.wallet;
  out["scopes"] = info.scopes;
  out["expires_at"] = info.expires_at;
  return out;
}

std::optional<std::pair<std::string, std::string>> StoredTokenOf(const std::string& path,
                                                                 const std::string& hub,
                                                                 const std::string& wallet) {
  const auto found = Unwrap(LoadToken(PosixEnv(), path, hub, wallet));
  if (!found) return std::nullopt;
  return std::pair{found->token, found->expires_at};
}

void StoreToken(const std::string& path, const std::string& hub, const std::string& token,
                const std::string& wallet, const std::string& expires_at) {
  Check(SaveToken(PosixEnv(), path, hub,
                  {.token = token, .wallet = wallet, .expires_at = expires_at}));
}

std::pair<std::string, std::pair<std::string, std::string>> SplitAddress(
    const std::string& text, const std::string& default_hub) {
  const RepoAddress a = Unwrap(ParseRepoAddress(text, default_hub));
  return {a.hub, {a.owner, a.name}};
}

RepoAddress AddressAt(const Hub& hub, const std::string& owner, const std::string& name) {
  return {.hub = hub.api.hub_url(), .owner = owner, .name = name};
}

// The hub's JSON as it came.
std::vector<std::string> Proposals(Hub& self, const std::string& owner, const std::string& name,
                                   const std::string& state) {
  nb::gil_scoped_release release;
  std::vector<std::string> out;
  for (wire::Proposal& p : Unwrap(self.api.ListProposals(AddressAt(self, owner, name), state))) {
    out.push_back(std::move(p.raw));
  }
  return out;
}

std::string ProposalOf(Hub& self, const std::string& owner, const std::string& name,
                       std::uint64_t number) {
  nb::gil_scoped_release release;
  return Unwrap(self.api.GetProposal(AddressAt(self, owner, name), number)).raw;
}

std::vector<std::string> Repos(Hub& self, const std::string& owner) {
  nb::gil_scoped_release release;
  std::vector<std::string> out;
  for (wire::RepoInfo& info : Unwrap(self.api.ListRepos(owner))) out.push_back(std::move(info.raw));
  return out;
}

std::string CreateOne(Hub& self, const std::string& name, const std::string& visibility,
                      const std::string& description) {
  nb::gil_scoped_release release;
  return Unwrap(self.api.CreateRepo(
                    {.name = name, .visibility = visibility, .description = description}))
      .raw;
}

void Invite(Hub& self, const std::string& owner, const std::string& name, const std::string& wallet,
            const std::string& role) {
  nb::gil_scoped_release release;
  Unwrap(self.api.SetMember(AddressAt(self, owner, name), wallet, role));
}

std::pair<std::string, std::string> Whoami(Hub& self) {
  nb::gil_scoped_release release;
  const wire::Whoami who = Unwrap(self.api.GetWhoami());
  return {who.wallet, who.handle};
}

std::string ReadJson(Hub& self, const std::string& owner, const std::string& name,
                     const std::string& below) {
  nb::gil_scoped_release release;
  return Unwrap(self.api.GetJson(AddressAt(self, owner, name), below));
}

nb::dict FetchToDict(const FetchOutcome& f) {
  nb::dict out;
  out["received_bytes"] = f.received_bytes;
  out["resumed_bytes"] = f.resumed_bytes;
  out["model_bytes"] = f.model_bytes;
  return out;
}

nb::tuple DoClone(Hub& self, const std::string& owner, const std::string& name,
                  const std::string& dir, const std::string& light, const std::string& branch,
                  const std::string& glob, std::uint32_t depth) {
  CloneOutcome outcome;
  auto repo = std::make_unique<Repo>();
  {
    nb::gil_scoped_release release;
    CloneOptions options;
    options.fetch.transfer.progress = Interruptible();
    options.fetch.tensors_glob = glob;
    options.fetch.depth = depth;
    options.light = light;
    options.branch = branch;
    outcome = Unwrap(Clone(PosixEnv(), self.api, AddressAt(self, owner, name), dir, options));
    repo->repo = std::move(outcome.repo);
  }
  return nb::make_tuple(std::move(repo), FetchToDict(outcome.fetch));
}

nb::dict DoFetch(Repo& self, Hub& hub, const std::string& remote) {
  FetchOptions options;
  options.transfer.progress = Interruptible();
  return FetchToDict(self.Run([&](Repository& r) { return Fetch(r, hub.api, remote, options); }));
}

nb::dict DoPull(Repo& self, Hub& hub, const std::string& remote) {
  FetchOptions options;
  options.transfer.progress = Interruptible();
  const PullOutcome outcome =
      self.Run([&](Repository& r) { return Pull(r, hub.api, remote, options); });
  nb::dict out = FetchToDict(outcome.fetch);
  out["up_to_date"] = outcome.kind == PullKind::kUpToDate;
  out["commit"] = HexOf(outcome.commit);
  return out;
}

nb::dict DoPush(Repo& self, Hub& hub, const std::string& remote, const std::string& target,
                const std::string& title) {
  PushOptions options;
  options.transfer.progress = Interruptible();
  options.target = target;
  options.title = title;
  const PushOutcome p = self.Run([&](Repository& r) { return Push(r, hub.api, remote, options); });
  nb::dict out;
  out["up_to_date"] = p.up_to_date;
  out["moved"] = p.moved;
  out["commit"] = p.commit.ToHex();
  out["target"] = p.target;
  out["number"] = p.proposal_number;
  out["url"] = p.proposal_url;
  out["evidence"] = p.evidence_json;
  nb::list checks;
  for (const wire::PushCheck& c : p.checks) {
    checks.append(nb::make_tuple(c.name, c.passed, c.detail));
  }
  out["checks"] = checks;
  nb::dict egress;
  egress["sent_bytes"] = p.egress.sent_bytes;
  egress["resumed_bytes"] = p.egress.resumed_bytes;
  egress["model_bytes"] = p.egress.model_bytes;
  egress["commits"] = p.egress.num_commits;
  egress["tensors"] = p.egress.num_tensors;
  egress["update_norm"] = p.egress.update_norm;
  egress["signer"] = p.egress.signer;
  out["egress"] = egress;
  return out;
}

nb::dict TicketToDict(const Attachment& a) {
  const Ticket ticket = Unwrap(TicketOf(a, a.author));
  nb::dict out;
  out["ticket"] = IdOf(a).ToHex();
  out["card"] = ticket.card.ToHex();
  out["parent"] = a.subject.ToHex();
  out["seed"] = SeedOf(ticket, a.subject).ToHex();
  return out;
}

TicketPurpose PurposeOf(const CommitId& parent, const std::string& card_text,
                        const std::string& wallet) {
  return {.parent = parent,
          .card = Blake3(AsBytes(card_text)),
          .wallet = Unwrap(Wallet::FromBase58(wallet))};
}

// The one that is here; none: ask the hub.
std::optional<nb::dict> KeptTicket(Repo& self, const std::string& parent,
                                   const std::string& card_text, const std::string& wallet) {
  const TicketPurpose purpose = PurposeOf(Unwrap(CommitId::FromHex(parent)), card_text, wallet);
  const auto found = self.Run([&](Repository& r) { return FindTicket(r, purpose); });
  if (!found) return std::nullopt;
  return TicketToDict(*found);
}

// Asked for, checked, kept. `policy`: flair.toml of the parent, or empty.
nb::dict DoTicket(Repo& self, Hub& hub, const std::string& remote, const std::string& parent,
                  const std::string& card_text, const std::string& wallet,
                  const std::string& policy) {
  const CommitId from = Unwrap(CommitId::FromHex(parent));
  const TicketPurpose purpose = PurposeOf(from, card_text, wallet);
  const Attachment ticket = self.Run([&](Repository& r) -> Result<Attachment> {
    TicketWish wish{
        .parent = from, .card_text = card_text, .wallet = purpose.wallet, .hub_key = std::nullopt};
    FLAIR_TRY(const Policy pinned, ParsePolicy(policy));
    wish.hub_key = pinned.hub_key;
    FLAIR_TRY(const Remote to, GetRemote(r, remote));
    FLAIR_TRY(const RepoAddress address, ParseRepoAddress(to.url, hub.api.hub_url()));
    FLAIR_TRY(Attachment given, RequestTicket(hub.api, address, wish));
    FLAIR_DO(SaveTicket(r, purpose, given));
    return given;
  });
  return TicketToDict(ticket);
}

}  // namespace

void BindHub(nb::module_& m, nb::class_<Repo>& repo) {
  nb::class_<Hub>(m, "Hub")
      .def(nb::new_(&MakeHub), nb::arg("url"), nb::arg("token") = "")
      .def_prop_ro("url", [](const Hub& self) { return self.api.hub_url(); })
      .def("sign_in", DoSignIn)
      .def("whoami", Whoami)
      .def("repos", Repos)
      .def("create_repo", CreateOne)
      .def("invite", Invite)
      .def("proposals", Proposals)
      .def("proposal", ProposalOf)
      .def("json", ReadJson)
      .def("clone", DoClone, nb::arg("owner"), nb::arg("name"), nb::arg("dir"),
           nb::arg("light") = "", nb::arg("branch") = "", nb::arg("glob") = "",
           nb::arg("depth") = 0);
  m.def("load_token", StoredTokenOf);
  m.def("save_token", StoreToken);
  m.def("split_address", SplitAddress, nb::arg("text"), nb::arg("default_hub") = "");
  repo.def("kept_ticket", KeptTicket).def("ticket", DoTicket);
  repo.def("fetch", DoFetch).def("pull", DoPull);
  repo.def("push", DoPush, nb::arg("hub"), nb::arg("remote"), nb::arg("target") = "",
           nb::arg("title") = "");
}

}  // namespace flair::python
