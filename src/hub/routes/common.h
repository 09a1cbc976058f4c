// What several routes need: names as rows show them, a call's store and commit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hub/context.h"
#include "hub/json.h"
#include "object/ids.h"

namespace flair::hub {

// A wallet's address or a handle -> the address. Errors: kNotFound, kInvalidArgument.
Result<std::string> WalletOf(Database& db, std::string_view wallet_or_handle);

Result<json::object> RepoJson(Database& db, const RepoRow& repo, Who role);

// REQUIRES: call.repo.
Result<std::shared_ptr<RepoStore>> StoreOf(HubContext& hub, const Call& call);
// The parameter as a ref or id of an accepted commit. Errors: kNotFound, kInvalidArgument.
Result<CommitId> CommitParameter(HubContext& hub, const Call& call, std::string_view name);

// "limit" of the query, 1 .. `most`. Errors: kInvalidArgument.
Result<std::int64_t> NumberQuery(const Request& request, std::string_view name,
                                 std::int64_t otherwise, std::int64_t most);
// 1, 2, ... Errors: kNotFound, as for a number that nothing has.
Result<std::int64_t> NumberParameter(const Call& call, std::string_view name);

std::string RandomHex(Env& env, std::size_t num_bytes);
Response NoContent();

}  // namespace flair::hub
