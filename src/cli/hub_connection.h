// A hub, reached with the token of this machine; and which hub and repository are meant.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"
#include "remote/address.h"
#include "remote/hub_api.h"

namespace flair::cli {

struct HubConnection {
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<HubApi> api;
  HubApi* operator->() { return api.get(); }
};

std::unique_ptr<HttpClient> MakeHttpClient(Session& s);

// With FLAIR_TOKEN, else the session there of the wallet that the command acts as; anonymous
// without one.
Result<HubConnection> Connect(Session& s, const std::string& hub_url);
// Errors: kUnauthorised with a hint when there is no token.
Result<HubConnection> ConnectSignedIn(Session& s, const std::string& hub_url);

// `typed`, else the default hub. Errors: kInvalidArgument with a hint when there is none.
Result<std::string> HubUrl(Session& s, const std::string& typed);

// A repository on a hub, and the connection to it.
struct HubRepo {
  RepoAddress address;
  HubConnection hub;
};
// `typed` (URL or OWNER/NAME), else the remote `remote` of the repository here.
Result<HubRepo> OpenHubRepo(Session& s, const std::string& typed, const std::string& remote = {});

// The remote that is meant: `typed`, else the branch's upstream, else origin, else the only one.
Result<std::string> RemoteName(Repository& repo, const std::string& typed);
// The connection to a remote of `repo`.
Result<HubConnection> ConnectRemote(Session& s, Repository& repo, const std::string& remote);

// The hub's JSON as a value; a text that is none, as a string.
json::value RawJson(std::string_view raw);

// "1.2 MB" with what was there already from an interrupted transfer.
std::string TransferText(std::uint64_t bytes, std::uint64_t resumed_bytes);

}  // namespace flair::cli
