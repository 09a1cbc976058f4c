// SPDX-License-Identifier: Apache-2.0
#include "merge/method.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace flair {
namespace {

constexpr std::array kMethods = {
    MergeMethod::kFedAvg, MergeMethod::kLinear, MergeMethod::kMedian, MergeMethod::kTrimmedMean,
    MergeMethod::kKrum,   MergeMethod::kOurs,   MergeMethod::kTheirs, MergeMethod::kBase,
};
constexpr std::uint32_t kDefaultBeta = kMillion / 10;

Error BadParameter(const std::string& name, const std::string& value, std::string_view wanted) {
  return {ErrorCode::kInvalidArgument, "merge parameter " + name + " is '" + value.substr(0, 40) +
                                           "'; it must be " + std::string(wanted)};
}

std::optional<std::uint32_t> ParseCount(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0.25" -> 250000: at most six digits, below one half.
std::optional<std::uint32_t> ParseBeta(std::string_view text) {
  if (text == "0") return 0;
  if (!text.starts_with("0.") || text.size() < 3 || text.size() > 8) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const char c = i + 2 < text.size() ? text[i + 2] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value >= kMillion / 2) return std::nullopt;
  return value;
}

std::string BetaText(std::uint32_t per_million) {
  if (per_million == 0) return "0";
  std::string digits = std::to_string(per_million);
  digits.insert(0, 6 - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return "0." + digits;
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct RoleKey {
  std::string_view key;
  std::vector<std::string> RoleGlobs::*globs;
};
constexpr std::array kRoleKeys = {
    RoleKey{"roles.counters", &RoleGlobs::counters},
    RoleKey{"roles.frozen", &RoleGlobs::frozen},
    RoleKey{"roles.local", &RoleGlobs::local},
    RoleKey{"roles.statistics", &RoleGlobs::statistics},
};

Status CheckInputCount(const MergeRule& rule, std::size_t num_inputs) {
  const std::string method(MergeMethodName(rule.method));
  const std::string have =
      ", there " + std::string(num_inputs == 1 ? "is " : "are ") + std::to_string(num_inputs);
  if (num_inputs == 0) return Error(ErrorCode::kInvalidArgument, "nothing to merge: no input");
  const bool one_only = rule.method == MergeMethod::kTheirs || rule.method == MergeMethod::kBase;
  if (one_only && num_inputs != 1) {
    return Error(ErrorCode::kInvalidArgument, method + " takes one input" + have);
  }
  if (rule.method != MergeMethod::kKrum) return OkStatus();
  if (num_inputs < std::uint64_t{rule.krum_f} + 3) {
    return Error(ErrorCode::kInvalidArgument,
                 "krum with f = " + std::to_string(rule.krum_f) + " needs at least " +
                     std::to_string(std::uint64_t{rule.krum_f} + 3) + " inputs" + have);
  }
  if (rule.krum_m < 1 || rule.krum_m > num_inputs) {
    return Error(ErrorCode::kInvalidArgument,
                 "krum with m = " + std::to_string(rule.krum_m) + " needs as many inputs" + have);
  }
  return OkStatus();
}

Status SetParameter(MergeRule& rule, const std::string& name, const std::string& value) {
  if (name == "beta" && rule.method == MergeMethod::kTrimmedMean) {
    const auto beta = ParseBeta(value);
    if (!beta) return BadParameter(name, value, "a decimal below 0.5 with at most 6 digits");
    rule.beta_per_million = *beta;
    return OkStatus();
  }
  if ((name == "f" || name == "m") && rule.method == MergeMethod::kKrum) {
    const auto count = ParseCount(value);
    if (!count) return BadParameter(name, value, "a whole number");
    (name == "f" ? rule.krum_f : rule.krum_m) = *count;
    return OkStatus();
  }
  return Error(ErrorCode::kInvalidArgument, std::string(MergeMethodName(rule.method)) +
                                                " has no parameter '" + name.substr(0, 40) + "'");
}

}  // namespace

std::string_view MergeMethodName(MergeMethod method) {
  switch (method) {
    case MergeMethod::kFedAvg:
      return "fedavg";
    case MergeMethod::kLinear:
      return "linear";
    case MergeMethod::kMedian:
      return "median";
    case MergeMethod::kTrimmedMean:
      return "trimmed_mean";
    case MergeMethod::kKrum:
      return "krum";
    case MergeMethod::kOurs:
      return "ours";
    case MergeMethod::kTheirs:
      return "theirs";
    case MergeMethod::kBase:
      return "base";
  }
  return "unknown";
}

std::vector<std::string> MergeMethodNames() {
  std::vector<std::string> names;
  for (const MergeMethod method : kMethods) names.emplace_back(MergeMethodName(method));
  return names;
}

Result<MergeMethod> MergeMethodFromName(std::string_view name) {
  std::string all;
  for (const MergeMethod method : kMethods) {
    if (MergeMethodName(method) == name) return method;
    all += (all.empty() ? "" : ", ") + std::string(MergeMethodName(method));
  }
  return Error(ErrorCode::kInvalidArgument,
               "no merge method named '" + std::string(name.substr(0, 40)) + "'")
      .WithHint("methods: " + all);
}

Result<MergeRule> MakeMergeRule(MergeMethod method, const MergeParameters& parameters,
                                std::size_t num_inputs) {
  MergeRule rule;
  rule.method = method;
  if (method == MergeMethod::kTrimmedMean) rule.beta_per_million = kDefaultBeta;
  if (method == MergeMethod::kKrum && num_inputs > 3) {
    rule.krum_f = static_cast<std::uint32_t>((num_inputs - 3) / 2);
  }
  for (const auto& [name, value] : parameters) FLAIR_DO(SetParameter(rule, name, value));
  FLAIR_DO(CheckInputCount(rule, num_inputs));
  return rule;
}

MergeParameters RecipeParameters(const MergeRule& rule) {
  MergeParameters out;
  if (rule.method == MergeMethod::kTrimmedMean) {
    out.emplace_back("beta", BetaText(rule.beta_per_million));
  }
  if (rule.method == MergeMethod::kKrum) {
    out.emplace_back("f", std::to_string(rule.krum_f));
    out.emplace_back("m", std::to_string(rule.krum_m));
  }
  for (const RoleKey& role : kRoleKeys) {
    const std::vector<std::string>& globs = rule.roles.*role.globs;
    if (!globs.empty()) out.emplace_back(role.key, JoinLines(globs));
  }
  return out;
}

MergeRecipe MakeRecipe(const MergeRule& rule, const CommitId& base) {
  MergeRecipe recipe;
  recipe.method = MergeMethodName(rule.method);
  recipe.base = base;
  recipe.alpha = rule.alpha;
  recipe.parameters = RecipeParameters(rule);
  return recipe;
}

Result<MergeRule> RuleFromRecipe(const MergeRecipe& recipe, std::size_t num_inputs) {
  auto method = MergeMethodFromName(recipe.method);
  if (!method.ok()) {
    return Error(ErrorCode::kUnsupported,
                 "recipe: this build has no merge method '" + recipe.method.substr(0, 40) + "'");
  }
  MergeParameters parameters;
  RoleGlobs roles;
  for (const auto& parameter : recipe.parameters) {
    const auto role = std::find_if(kRoleKeys.begin(), kRoleKeys.end(),
                                   [&](const RoleKey& r) { return r.key == parameter.first; });
    if (role != kRoleKeys.end()) {
      roles.*role->globs = SplitLines(parameter.second);
    } else {
      parameters.push_back(parameter);
    }
  }
  auto rule = MakeMergeRule(*method, parameters, num_inputs);
  if (!rule.ok()) {
    return Error(ErrorCode::kUnsupported, "recipe: " + rule.error().message());
  }
  const bool weighted = *method == MergeMethod::kFedAvg || *method == MergeMethod::kLinear;
  if ((weighted || !recipe.alpha.empty()) && recipe.alpha.size() != num_inputs) {
    return Error(ErrorCode::kUnsupported, "recipe: " + std::to_string(recipe.alpha.size()) +
                                              " weights for " + std::to_string(num_inputs) +
                                              " inputs");
  }
  rule->alpha = recipe.alpha;
  rule->roles = std::move(roles);
  return rule;
}

}  // namespace flair
