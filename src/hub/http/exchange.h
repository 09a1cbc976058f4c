// Exchange: one request and its response on a connected socket, run by a worker.
//
// Place: hub/http, between socket_io and the server. Knows no Asio.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hub/http/message.h"

namespace flair::hub {

using HttpHandler = std::function<Response(const Request&)>;

struct ExchangeOptions {
  std::uint64_t max_body_bytes = std::uint64_t{1} << 40;
  int stall_ms = 30'000;
  // Told after each response.
  std::function<void(std::uint64_t received, std::uint64_t sent)> observe;
  // Takes over (a duplicate of) a socket whose response became an event stream.
  std::function<bool(int socket, const std::string& topic)> adopt;
};

enum class After : std::uint8_t {
  kKeep,     // the connection serves on; `buffer` may hold the next request's beginning
  kClose,    // done, or not to be trusted any more
  kAdopted,  // somebody else writes to it now: forget it without shutting it down
};

// `buffer` begins with a whole head of `head_bytes` bytes; what was used is removed.
// `closing`: the server stops; answer and close.
After RunExchange(int socket, std::string& buffer, std::size_t head_bytes, const std::string& peer,
                  const HttpHandler& handler, const ExchangeOptions& options,
                  const std::function<bool()>& closing);

// A response without a request: too many connections, a head too large or too slow.
std::string RefusalText(int status, std::string_view detail);

}  // namespace flair::hub
