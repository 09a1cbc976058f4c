// Router: from a request to its handler, past the table of rights.
//
// Place: hub. Order of the checks, each with one answer: path known (404), method
// known (405), token valid if one is given (401), repository there and readable (404:
// a private one does not exist for strangers), token there where one is needed (401),
// scope (403), role (403). Only then the handler runs.
//
// Thread safety: Handle may be called from any number of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/context.h"

namespace flair::hub {

class Router {
 public:
  // REQUIRES: every row of Endpoints() has a handler.
  Router(HubContext& hub, const Handlers& handlers);
  Response Handle(const Request& request);

 private:
  struct Route {
    const Endpoint* endpoint;
    std::vector<std::string_view> pattern;
    Handler handler;  // a copy: the table of handlers may go
  };
  struct Match {
    const Route* route = nullptr;
    std::unordered_map<std::string, std::string> parameters;
    std::string allowed;  // methods of the path, when the method is not among them
  };
  Match Find(const Request& request) const;
  Response Answer(const Request& request, std::string_view& operation);
  std::optional<Response> Admit(Call& call) const;

  HubContext& hub_;
  std::vector<Route> routes_;
};

}  // namespace flair::hub
