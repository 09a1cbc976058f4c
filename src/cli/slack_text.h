// Slack as it is typed and shown: bounds by name, one sentence, JSON; and what it says of gauge
// tensors.
//
// Place: cli. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "program/gauge.h"
#include "program/program.h"
#include "program/slack.h"

namespace flair::cli {

// "rho=1e-3" into the slack. Errors: kInvalidArgument names what was typed.
Status ReadBound(const std::string& text, program::Slack& slack);
// A line for each weight, one for a step, one for the run. They stand in a column from 11 on.
std::string SlackText(const std::optional<program::Slack>& slack);
// null: every step is exact.
boost::json::value SlackJson(const std::optional<program::Slack>& slack);

// Which tensors a recorded run bounds otherwise, and how. REQUIRES: there are some.
std::string GaugeText(const program::Program& program,
                      const std::vector<program::GaugeTensor>& gauges);
// {"tensors", "step": what a step may err, null where the slack bounds it, "inference"}
boost::json::value GaugeJson(const program::Program& program,
                             const std::vector<program::GaugeTensor>& gauges);

}  // namespace flair::cli
