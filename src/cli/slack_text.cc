// SPDX-License-Identifier: Apache-2.0
#include "cli/slack_text.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>

#include "cli/render.h"
#include "program/tables.h"

namespace flair::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t kMostNames = 4;

// What a step may err in a cell of a gauge tensor, and a norm read otherwise in inference by it;
// nothing under sgd, where the slack bounds them like other tensors.
struct GaugeBound {
  double step = 0;
  double inference = 0;
};
std::optional<GaugeBound> GaugeBoundOf(const program::Program& program,
                                       const std::vector<program::GaugeTensor>& gauges) {
  if (!program::HasGaugeBudget(program)) return std::nullopt;
  GaugeBound bound{.step = 2 * static_cast<double>(program.schedule.LargestNumerator()) /
                           static_cast<double>(program.schedule.denominator)};
  // The running mean moves along: rounding of it and of a batch's mean, by half a unit each, stays.
  const double unit = std::ldexp(
      1, -program.profile[static_cast<std::size_t>(program::ProfileLine::kStatistics)].scale);
  for (const program::GaugeTensor& gauge : gauges) {
    bound.inference = std::max(bound.inference, unit / gauge.momentum.AsDouble());
  }
  return bound;
}

}  // namespace

Status ReadBound(const std::string& text, program::Slack& slack) {
  const auto wrong = [&](const std::string& what) {
    return Error(ErrorCode::kInvalidArgument, "--slack: '" + text + "' " + what);
  };
  const std::size_t at = text.find('=');
  double value = 0;
  const char* end = text.data() + text.size();
  const char* begin = at == std::string::npos ? end : text.data() + at + 1;
  const auto [stop, failed] = std::from_chars(begin, end, value);
  if (failed != std::errc() || stop != end) return wrong("is not NAME=NUMBER");
  const bool whole = value == std::floor(value);
  const std::string name = text.substr(0, at);
  if (name == "rho") {
    slack.rho = value;
  } else if (name == "rho_first") {
    slack.rho_first = value;
  } else if (name == "sigma") {
    slack.sigma = value;
  } else if (name == "kappa" && whole && value >= 0 && value <= 64) {
    slack.kappa = static_cast<std::uint32_t>(value);
  } else if (name == "beta" && whole && value >= 0 && value <= 1e9) {
    slack.beta = static_cast<std::uint64_t>(value);
  } else if (name == "tau" && whole && value >= -24 && value <= 0) {
    slack.tau = static_cast<int>(value);
  } else {
    return wrong(
        "is no bound: rho, rho_first, sigma, kappa (0 to 64), beta (a count), tau (-24 to 0)");
  }
  return OkStatus();
}

std::string SlackText(const std::optional<program::Slack>& slack) {
  if (!slack) return "none: every step is exact";
  const std::string next = "\n           ";  // below the first line
  return "each weight differs from the exact step's by 2^" + std::to_string(slack->tau) +
         " at most" + next + "a step's differences have a norm of " + FormatNumber(slack->rho) +
         " of its update's at most (" + FormatNumber(slack->rho_first) + " in the first " +
         std::to_string(program::kFirstSteps) +
         " steps), those of one tensor of 10 times that; beside it float32's rounding of the "
         "weights, times " +
         std::to_string(slack->kappa) + next + "all steps' differences together, by norm, are " +
         FormatNumber(slack->sigma) + " at most; " + Count(slack->beta, "sign") +
         " near 0 or pools' choices near a tie may be the other";
}

json::value SlackJson(const std::optional<program::Slack>& slack) {
  if (!slack) return nullptr;
  return json::object{
      {"tau", slack->tau},     {"rho", slack->rho},     {"rho_first", slack->rho_first},
      {"kappa", slack->kappa}, {"sigma", slack->sigma}, {"beta", slack->beta}};
}

std::string GaugeText(const program::Program& program,
                      const std::vector<program::GaugeTensor>& gauges) {
  std::string names;
  for (std::size_t i = 0; i < std::min(gauges.size(), kMostNames); ++i) {
    names += (i == 0 ? "" : ", ") + program.parameters[gauges[i].parameter].name;
  }
  if (gauges.size() > kMostNames) {
    names += " and " + std::to_string(gauges.size() - kMostNames) + " more";
  }
  names += gauges.size() == 1 ? ": a bias that a norm takes away again; "
                              : ": biases that a norm takes away again; ";
  const auto bound = GaugeBoundOf(program, gauges);
  if (!bound) return names + "within the slack, but for a tensor's own bound";
  return names + "beside the slack, each cell within " + FormatNumber(bound->step) +
         " of the exact step (twice the learning rate); a running mean moves along, and what a "
         "norm "
         "reads in inference is off by its rounding, " +
         FormatNumber(bound->inference) + " at most";
}

json::value GaugeJson(const program::Program& program,
                      const std::vector<program::GaugeTensor>& gauges) {
  json::array tensors;
  for (const program::GaugeTensor& gauge : gauges) {
    tensors.push_back(json::string(program.parameters[gauge.parameter].name));
  }
  json::object document{{"tensors", std::move(tensors)}, {"step", nullptr}, {"inference", nullptr}};
  if (const auto bound = GaugeBoundOf(program, gauges)) {
    document["step"] = bound->step;
    document["inference"] = bound->inference;
  }
  return document;
}

}  // namespace flair::cli
