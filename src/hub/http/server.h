// HttpServer: connections, time limits and the hand-over between waiting and working.
//
// Place: hub/http; the only user of Asio. One thread waits for all connections'
// request heads (an idle or slow sender costs no thread); a whole head goes to a
// worker, which reads the body, runs the handler and sends the response.
//
// Thread safety: Stop from any thread; the handler is called from many at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "hub/http/exchange.h"

namespace flair::hub {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::size_t max_connections = 4096;
  std::size_t max_workers = 256;
  int idle_timeout_s = 75;
  int head_timeout_s = 10;
  int stop_grace_s = 10;
  ExchangeOptions exchange;
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;
  // Listens at once. Errors: kIo (address in use, not permitted), kInvalidArgument (address).
  static Result<std::unique_ptr<HttpServer>> Listen(const HttpServerOptions& options,
                                                    HttpHandler handler);
  virtual std::uint16_t port() const = 0;
  virtual void Run() = 0;  // until Stop, then until what runs is done or the grace is over
  virtual void Stop() = 0;
  virtual std::size_t num_connections() const = 0;
};

}  // namespace flair::hub
