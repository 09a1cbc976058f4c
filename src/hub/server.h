// HubServer: the hub as one value: opened from a folder, run until told to stop.
//
// Place: hub; `flair hub serve` is a thin call of this.
// Thread safety: Stop may be called from any thread and from a signal's watcher.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace flair::hub {

struct HubOptions {
  std::string data_dir;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8420;  // 0: any free one
  std::string public_url;     // what clients reach; empty: http://address:port
  std::string name = "Flair hub";
  std::size_t max_connections = 4096;
  std::size_t max_workers = 256;
  std::uint64_t low_water_bytes = std::uint64_t{512} << 20;
  std::uint64_t max_body_bytes = std::uint64_t{1} << 40;
  int idle_timeout_s = 75;   // between requests of a connection
  int head_timeout_s = 10;   // for a request's whole head
  int stall_timeout_s = 30;  // without progress inside a body
  int stop_grace_s = 10;     // for running requests after Stop
};

class HubServer {
 public:
  virtual ~HubServer() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::string url() const = 0;
  // Serves until Stop, then ends gracefully. Errors: kIo.
  virtual Status Run() = 0;
  virtual void Stop() = 0;
};

// Opens or creates the folder, migrates the database, listens.
// Errors: kConflict when another hub runs on the folder, kIo when the port is taken.
Result<std::unique_ptr<HubServer>> StartHub(const HubOptions& options);

// TOML for `--config`: the options above by name, at the top level. Unknown keys are refused.
Result<HubOptions> ReadHubConfig(const std::string& path, HubOptions defaults);

// SIGTERM and SIGINT stop the server; call from main() before Run, once.
void StopOnSignals(HubServer& server);

}  // namespace flair::hub
