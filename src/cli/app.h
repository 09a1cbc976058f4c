// The command line as a function: arguments in, exit code out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace flair::cli {

// `arguments` without the program's name. Fills session.options, runs the command,
// prints errors. Never throws.
ExitCode RunCommandLine(Session& session, const std::vector<std::string>& arguments);

}  // namespace flair::cli
