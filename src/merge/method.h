// The rule of a merge: method, weights and parameters, checked once.
//
// Place: merge. Arithmetic: docs/formats/merge.md. A rule is what a recipe
// (object/commit.h) says in text, and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "merge/roles.h"
#include "object/commit.h"

namespace flair {

enum class MergeMethod : std::uint8_t {
  kFedAvg,       // weights by samples
  kLinear,       // weights as given
  kMedian,       // by coordinate
  kTrimmedMean,  // by coordinate, beta of each end dropped
  kKrum,         // the m updates nearest to their neighbours
  kOurs,         // where both changed: the target's tensor
  kTheirs,       // the input's (one input)
  kBase,         // the common base's (one input)
};
std::string_view MergeMethodName(MergeMethod method);  // "fedavg", "trimmed_mean"
std::vector<std::string> MergeMethodNames();           // all
// Errors: kInvalidArgument, listing the methods.
Result<MergeMethod> MergeMethodFromName(std::string_view name);

inline constexpr std::uint32_t kAlphaOne = 1U << 24;
inline constexpr std::uint32_t kMillion = 1'000'000;

using MergeParameters = std::vector<std::pair<std::string, std::string>>;

struct MergeRule {
  MergeMethod method = MergeMethod::kFedAvg;
  std::vector<std::uint32_t> alpha;    // per input; used by fedavg and linear
  std::uint32_t beta_per_million = 0;  // trimmed_mean
  std::uint32_t krum_f = 0;            // krum: attackers tolerated
  std::uint32_t krum_m = 1;            // krum: updates averaged
  RoleGlobs roles;
};

// Parameters by name: "beta" ("0.1" .. "0.499999", trimmed_mean, default 0.1), "f" and
// "m" (krum; default f = max(0, (n-3)/2), m = 1).
// Errors: kInvalidArgument for an unknown name, a value out of range, or too few
// inputs for the method (krum needs n >= f + 3, theirs and base exactly one).
Result<MergeRule> MakeMergeRule(MergeMethod method, const MergeParameters& parameters,
                                std::size_t num_inputs);

// Every parameter that the method reads, and the role globs (keys "roles.frozen", …,
// one glob per line), ascending by key.
MergeParameters RecipeParameters(const MergeRule& rule);
MergeRecipe MakeRecipe(const MergeRule& rule, const CommitId& base);
// Errors: kUnsupported for a method or parameter this build does not know.
Result<MergeRule> RuleFromRecipe(const MergeRecipe& recipe, std::size_t num_inputs);

}  // namespace flair
