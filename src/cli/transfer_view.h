// What a fetch brought, as text and JSON; shared by clone, fetch and pull.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>

#include "cli/session.h"
#include "remote/transfer.h"

namespace flair::cli {

// {"refs", "received_bytes", "resumed_bytes", "model_bytes"}
json::object FetchJson(const FetchOutcome& outcome);
void TellFetch(Session& s, const FetchOutcome& outcome);

}  // namespace flair::cli
