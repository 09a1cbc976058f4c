// Slack as it is typed and shown: bounds by name, one sentence, JSON.
//
// Place: cli. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "program/slack.h"

namespace flair::cli {

// "rho=1e-3" into the slack. Errors: kInvalidArgument names what was typed.
Status ReadBound(const std::string& text, program::Slack& slack);
std::string SlackText(const std::optional<program::Slack>& slack);
// null: every step is exact.
boost::json::value SlackJson(const std::optional<program::Slack>& slack);

}  // namespace flair::cli
