// Endpoints: every operation of the API with what it asks of the caller. The one
// table of rights: the router reads it, the role-matrix test walks it, the
// contract (docs/openapi.yaml) is held to it.
//
// Place: hub, below every route. A new operation is a new row here and a handler
// registered under its name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hub/http/message.h"

namespace flair::hub {

// What a token may be used for; bits, as stored.
enum class Scope : std::uint8_t {
  kNone = 0,
  kRead = 1,
  kPush = 2,
  kReview = 4,
  kMint = 8,
  kAccount = 128,  // any token of a sign-in, no deploy token: what changes the account itself
};

// Who may call, in ascending order of rights. Members' roles are the last four.
enum class Who : std::uint8_t {
  kAnyone = 0,
  kSignedIn = 1,
  kReader = 2,  // a public repository's readers are everybody
  kContributor = 3,
  kMaintainer = 4,
  kOwner = 5,
};

struct Endpoint {
  std::string_view name;  // operationId of the contract
  Method method;
  std::string_view pattern;  // "{x}" matches one part; "{path...}" the rest
  Scope scope;               // asked of the token, when there is one or `who` needs one
  Who who;
};

std::span<const Endpoint> Endpoints();

std::string_view WhoName(Who who);  // "owner", "maintainer", "contributor", "reader", ...
std::string_view ScopeName(Scope scope);
// Errors: kInvalidArgument names the text.
Result<Who> ParseRole(std::string_view text);  // the four roles of a member
Result<Scope> ParseScope(std::string_view text);

}  // namespace flair::hub
