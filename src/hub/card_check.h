// Does a commit name a data card of its author's, and the ticket for it?
//
// Place: hub, over meta/cards.h; what contribution.registered_card asks. docs/formats/ticket.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "object/commit.h"
#include "repo/sqlite.h"

namespace flair::hub {

// What is wrong, for a sentence that begins with the commit's name; empty: nothing. The ticket must
// be the one that the hub gave for the first parent, the card and the author.
Result<std::string> CardProblem(Database& db, std::string_view repo_id, const Commit& commit);

}  // namespace flair::hub
