// HubContext: what every handler may use. Call: one request with what the router
// has established about it.
//
// Place: hub, below the routes, above meta and http.
// Thread safety: a context is shared by all handlers; a Call belongs to one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/env.h"
#include "crypto/ed25519.h"
#include "hub/endpoints.h"
#include "hub/events.h"
#include "hub/http/message.h"
#include "hub/meta/hub_db.h"
#include "hub/meta/repos.h"
#include "hub/metrics.h"
#include "hub/repo_stores.h"

namespace flair::hub {

struct HubContext {
  Env& env;
  HubDb& db;
  RepoStores& stores;
  EventHub& events;
  HubMetrics& metrics;
  const Keypair& wallet;  // signs receipts, never for a user
  std::string data_dir;
  std::string public_url;  // "http://127.0.0.1:8420", without a slash at the end
  std::string name;
  std::uint64_t low_water_bytes = 0;  // below this much free disk the hub only reads

  // Errors: kNoSpace when the disk is under the low-water mark. Call it before accepting bytes.
  Status CheckDisk(std::uint64_t about_to_write_bytes = 0) const;
};

struct Session {
  std::string token_id;     // first 16 hex digits of the token's SHA-256
  std::string wallet;       // base58
  std::uint8_t scopes = 0;  // bits of Scope
  bool is_deploy = false;
  std::string repo_id;  // deploy tokens may be for one repository; empty: any
};

struct Call {
  const Request& request;
  const Endpoint& endpoint;
  std::unordered_map<std::string, std::string> parameters;  // of the pattern
  std::optional<Session> session;  // present whenever the endpoint needs one
  // Present exactly when the pattern has {owner}/{name}; the caller may read it.
  std::optional<RepoRow> repo;
  Who role = Who::kAnyone;  // in `repo`

  const std::string& parameter(std::string_view name) const {
    return parameters.at(std::string(name));
  }
  std::string wallet() const { return session ? session->wallet : std::string(); }
};

using Handler = std::function<Result<Response>(HubContext&, Call&)>;

// Handlers by operation name; Router refuses to start unless every row of
// Endpoints() has one.
class Handlers {
 public:
  // REQUIRES: `name` is a row of Endpoints() and has no handler yet.
  void Add(std::string_view name, Handler handler);
  const Handler* Find(std::string_view name) const;

 private:
  std::unordered_map<std::string, Handler> by_name_;
};

// One function a file of routes/.
void AddAuthRoutes(Handlers& handlers);
void AddRepoRoutes(Handlers& handlers);
void AddRefRoutes(Handlers& handlers);
void AddHistoryRoutes(Handlers& handlers);
void AddFileRoutes(Handlers& handlers);
void AddTicketRoutes(Handlers& handlers);
void AddProposalRoutes(Handlers& handlers);
void AddMergeRoutes(Handlers& handlers);
void AddOperationsRoutes(Handlers& handlers);
void AddTransferRoutes(Handlers& handlers);  // routes/transfer.cc

}  // namespace flair::hub
