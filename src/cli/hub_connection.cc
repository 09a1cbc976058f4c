// SPDX-License-Identifier: Apache-2.0
#include "cli/hub_connection.h"

#include <boost/json/parse.hpp>
#include <string>

#include "cli/render.h"
#include "cli/version.h"
#include "remote/session.h"
#include "repo/config.h"
#include "repo/refs.h"

namespace flair::cli {

std::unique_ptr<HttpClient> MakeHttpClient(Session& s) {
  HttpOptions options;
  options.user_agent = std::string("flair/") + kVersion;
  options.cancelled = &s.interrupted();
  return std::make_unique<HttpClient>(options);
}

Result<HubConnection> Connect(Session& s, const std::string& hub_url) {
  std::string token;
  if (const auto given = s.Variable("FLAIR_TOKEN"); given && !given->empty()) {
    token = *given;
  } else {
    FLAIR_TRY(const std::string path, s.TokensPath());
    FLAIR_TRY(const std::string wallet, s.WalletOrNone());
    FLAIR_TRY(const auto stored, LoadToken(s.env(), path, hub_url, wallet));
    if (stored) token = stored->token;
  }
  HubConnection out;
  out.http = MakeHttpClient(s);
  out.api = std::make_unique<HubApi>(*out.http, hub_url, token);
  return out;
}

Result<HubConnection> ConnectSignedIn(Session& s, const std::string& hub_url) {
  FLAIR_TRY(HubConnection hub, Connect(s, hub_url));
  if (hub->token().empty()) {
    FLAIR_TRY(const std::string wallet, s.WalletOrNone());
    const std::string as = wallet.empty() ? "" : " as " + wallet;
    return Error(ErrorCode::kUnauthorised, "not signed in at " + hub_url + as)
        .WithHint("flair login " + hub_url);
  }
  return hub;
}

Result<std::string> HubUrl(Session& s, const std::string& typed) {
  if (!typed.empty()) return ParseHubUrl(typed);
  FLAIR_TRY(const std::string hub, s.DefaultHub());
  if (hub.empty()) {
    return Error(ErrorCode::kInvalidArgument, "which hub? none is known here")
        .WithHint("flair login HUB, or set FLAIR_HUB");
  }
  return ParseHubUrl(hub);
}

Result<HubRepo> OpenHubRepo(Session& s, const std::string& typed, const std::string& remote) {
  HubRepo out;
  if (!typed.empty()) {
    FLAIR_TRY(const std::string hub, s.DefaultHub());
    FLAIR_TRY(out.address, ParseRepoAddress(typed, hub));
  } else {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const std::string name, RemoteName(*repo, remote));
    FLAIR_TRY(const Remote found, GetRemote(*repo, name));
    FLAIR_TRY(out.address, ParseRepoAddress(found.url));
  }
  FLAIR_TRY(out.hub, Connect(s, out.address.hub));
  return out;
}

Result<std::string> RemoteName(Repository& repo, const std::string& typed) {
  if (!typed.empty()) return typed;
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (!head.branch.empty()) {
    FLAIR_TRY(const auto upstream, GetUpstream(repo, ShortRefName(head.branch)));
    if (upstream) return upstream->remote;
  }
  FLAIR_TRY(const std::vector<Remote> remotes, ListRemotes(repo));
  for (const Remote& r : remotes) {
    if (r.name == "origin" || remotes.size() == 1) return r.name;
  }
  return Error(ErrorCode::kNotFound, remotes.empty() ? "this repository has no remote"
                                                     : "which remote? none is called origin")
      .WithHint("flair remote add origin http://HUB/OWNER/NAME");
}

Result<HubConnection> ConnectRemote(Session& s, Repository& repo, const std::string& remote) {
  FLAIR_TRY(const Remote found, GetRemote(repo, remote));
  FLAIR_TRY(const RepoAddress address, ParseRepoAddress(found.url));
  return Connect(s, address.hub);
}

json::value RawJson(std::string_view raw) {
  boost::system::error_code failed;
  json::value v = json::parse(raw, failed);
  if (failed) return json::value(json::string(raw));
  return v;
}

std::string TransferText(std::uint64_t bytes, std::uint64_t resumed_bytes) {
  std::string out = FormatBytes(bytes);
  if (resumed_bytes > 0) out += " (and " + FormatBytes(resumed_bytes) + " from before)";
  return out;
}

}  // namespace flair::cli
