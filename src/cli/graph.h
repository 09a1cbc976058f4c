// Draws the graph of a log in characters.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "repo/history.h"

namespace flair::cli {

// `texts[i]` (one or more lines) stands to the right of row i.
std::string DrawGraph(const std::vector<GraphRow>& rows, const std::vector<std::string>& texts);

}  // namespace flair::cli
