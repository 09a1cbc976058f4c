// SPDX-License-Identifier: Apache-2.0
#include "hub/server.h"

#include <malloc.h>

#include "hub/context.h"
#include "hub/http/server.h"
#include "hub/hub_files.h"
#include "hub/router.h"

namespace flair::hub {
namespace {

Handlers AllHandlers() {
  Handlers handlers;
  AddAuthRoutes(handlers);
  AddRepoRoutes(handlers);
  AddRefRoutes(handlers);
  AddHistoryRoutes(handlers);
  AddFileRoutes(handlers);
  AddTicketRoutes(handlers);
  AddProposalRoutes(handlers);
  AddMergeRoutes(handlers);
  AddOperationsRoutes(handlers);
  AddTransferRoutes(handlers);
  return handlers;
}

class RunningHub final : public HubServer {
 public:
  RunningHub(const HubOptions& options, std::unique_ptr<FileLock> lock, std::unique_ptr<HubDb> db,
             Keypair wallet)
      : options_(options),
        lock_(std::move(lock)),
        db_(std::move(db)),
        wallet_(std::move(wallet)),
        stores_(PosixEnv(), options.data_dir),
        context_{.env = PosixEnv(),
                 .db = *db_,
                 .stores = stores_,
                 .events = events_,
                 .metrics = metrics_,
                 .wallet = wallet_,
                 .data_dir = options.data_dir,
                 .public_url = options.public_url,
                 .name = options.name,
                 .low_water_bytes = options.low_water_bytes},
        router_(context_, AllHandlers()) {}

  Status Listen() {
    HttpServerOptions http{.address = options_.address,
                           .port = options_.port,
                           .max_connections = options_.max_connections,
                           .max_workers = options_.max_workers,
                           .idle_timeout_s = options_.idle_timeout_s,
                           .head_timeout_s = options_.head_timeout_s,
                           .stop_grace_s = options_.stop_grace_s,
                           .exchange = {}};
    http.exchange.max_body_bytes = options_.max_body_bytes;
    http.exchange.stall_ms = options_.stall_timeout_s * 1000;
    http.exchange.observe = [this](std::uint64_t received, std::uint64_t sent) {
      metrics_.CountBytes(received, sent);
    };
    http.exchange.adopt = [this](int socket, const std::string& topic) {
      return events_.Adopt(socket, topic);
    };
    FLAIR_TRY(http_, HttpServer::Listen(
                         http, [this](const Request& request) { return router_.Handle(request); }));
    if (context_.public_url.empty()) {
      context_.public_url = "http://" + options_.address + ":" + std::to_string(http_->port());
    }
    return OkStatus();
  }

  std::uint16_t port() const override { return http_->port(); }
  std::string url() const override { return context_.public_url; }
  Status Run() override {
    http_->Run();
    return OkStatus();
  }
  void Stop() override { http_->Stop(); }

 private:
  const HubOptions options_;
  const std::unique_ptr<FileLock> lock_;
  const std::unique_ptr<HubDb> db_;
  const Keypair wallet_;
  RepoStores stores_;
  EventHub events_;
  HubMetrics metrics_;
  HubContext context_;
  Router router_;
  std::unique_ptr<HttpServer> http_;  // last: its workers end before what they use
};

std::string WithoutSlash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

}  // namespace

Result<std::unique_ptr<HubServer>> StartHub(const HubOptions& given) {
  HubOptions options = given;
  options.public_url = WithoutSlash(options.public_url);
  // One arena a thread would multiply what freed block buffers keep.
  ::mallopt(M_ARENA_MAX, 4);
  FLAIR_TRY(std::unique_ptr<FileLock> lock, LockHubFolder(PosixEnv(), options.data_dir));
  FLAIR_TRY(Keypair wallet, LoadHubWallet(PosixEnv(), options.data_dir));
  FLAIR_TRY(std::unique_ptr<HubDb> db, OpenHubDb(options.data_dir));
  auto hub =
      std::make_unique<RunningHub>(options, std::move(lock), std::move(db), std::move(wallet));
  FLAIR_DO(hub->Listen());
  return std::unique_ptr<HubServer>(std::move(hub));
}

}  // namespace flair::hub
