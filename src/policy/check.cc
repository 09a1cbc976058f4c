// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "base/glob.h"
#include "policy/policy.h"

namespace flair {
namespace {

bool AnyMatches(const std::vector<std::string>& globs, std::string_view tensor) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return GlobMatch(glob, tensor, GlobKind::kName);
  });
}

std::string Number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

// "a, b, c and 4 more"
std::string Some(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) out += " and " + std::to_string(names.size() - kShown) + " more";
  return out;
}

class Checker {
 public:
  Checker(const Policy& policy, const CommitFacts& facts) : policy_(policy), facts_(facts) {}

  std::vector<Violation> Run(PolicyRole pusher) {
    CheckPaths(pusher);
    CheckTensors();
    if (facts_.changes_weights) CheckTraining();
    return std::move(out_);
  }

 private:
  void Add(std::uint32_t line, std::string rule, std::string message) {
    out_.push_back({line, std::move(rule), "commit " + facts_.commit + ": " + std::move(message)});
  }

  void CheckPaths(PolicyRole pusher) {
    if (pusher == PolicyRole::kOwner) return;
    for (const std::string& path : facts_.changed_paths) {
      if (path == kPolicyPath || path == kProgramPath) {
        Add(0, "owner only", "changes " + path + ", which only an owner may do");
      }
    }
  }

  void CheckTensors() {
    if (!facts_.non_finite_tensors.empty()) {
      Add(0, "finite weights", "NaN or Inf in " + Some(facts_.non_finite_tensors));
    }
    std::vector<std::string> frozen;
    std::vector<std::string> beyond;
    for (const std::string& tensor : facts_.changed_tensors) {
      if (policy_.RoleOf(tensor) != PolicyTensorRole::kFrozen) continue;
      (AnyMatches(policy_.tensors.frozen.value, tensor) ? frozen : beyond).push_back(tensor);
    }
    if (!frozen.empty()) {
      Add(policy_.tensors.frozen.line, "tensors.frozen", "changes " + Some(frozen));
    }
    if (!beyond.empty()) {
      Add(policy_.tensors.trainable.line, "tensors.trainable",
          "changes " + Some(beyond) + ", which no glob of trainable names");
    }
  }

  void CheckTraining() {
    if (facts_.num_samples < policy_.min_samples.value) {
      Add(policy_.min_samples.line, "contribution.min_samples",
          std::to_string(facts_.num_samples) + " samples; at least " +
              std::to_string(policy_.min_samples.value));
    }
    if (facts_.num_steps < policy_.min_steps.value) {
      Add(policy_.min_steps.line, "contribution.min_steps",
          std::to_string(facts_.num_steps) + " steps; at least " +
              std::to_string(policy_.min_steps.value));
    }
    if (policy_.max_steps && facts_.num_steps > policy_.max_steps->value) {
      Add(policy_.max_steps->line, "contribution.max_steps",
          std::to_string(facts_.num_steps) + " steps; at most " +
              std::to_string(policy_.max_steps->value));
    }
    CheckSubject();
    if (!policy_.max_update_norm) return;
    const Ruled<double>& bound = *policy_.max_update_norm;
    if (!facts_.update_norm) {
      Add(bound.line, "contribution.max_update_norm", "the update's norm could not be computed");
    } else if (!(*facts_.update_norm <= bound.value)) {  // NaN fails too
      Add(bound.line, "contribution.max_update_norm",
          "update norm " + Number(*facts_.update_norm) + "; at most " + Number(bound.value));
    }
  }

  // What it was trained by, and on.
  void CheckSubject() {
    if (policy_.program_hash && facts_.program != policy_.program_hash->value) {
      Add(policy_.program_hash->line, "program.hash",
          (facts_.program ? "trained by program " + facts_.program->ToHex().substr(0, 12)
                          : std::string("names no program")) +
              "; must be " + policy_.program_hash->value.ToHex().substr(0, 12));
    }
    if (policy_.registered_card.value && facts_.card_problem && !facts_.card_problem->empty()) {
      Add(policy_.registered_card.line, "contribution.registered_card", *facts_.card_problem);
    }
  }

  const Policy& policy_;
  const CommitFacts& facts_;
  std::vector<Violation> out_;
};

}  // namespace

std::string Violation::ToText() const {
  const std::string where =
      line == 0 ? "policy (default)" : std::string(kPolicyPath) + ":" + std::to_string(line);
  return where + ": " + rule + ": " + message;
}

BranchRule Policy::RuleFor(std::string_view branch) const {
  const auto found = branches.find(std::string(branch));
  return found == branches.end() ? BranchRule{} : found->second;
}

PolicyTensorRole Policy::RoleOf(std::string_view tensor) const {
  if (AnyMatches(tensors.frozen.value, tensor)) return PolicyTensorRole::kFrozen;
  if (AnyMatches(tensors.local.value, tensor)) return PolicyTensorRole::kLocal;
  if (AnyMatches(tensors.statistics.value, tensor)) return PolicyTensorRole::kStatistic;
  if (AnyMatches(tensors.counters.value, tensor)) return PolicyTensorRole::kCounter;
  if (tensors.trainable.line == 0 || AnyMatches(tensors.trainable.value, tensor)) {
    return PolicyTensorRole::kTrainable;
  }
  return PolicyTensorRole::kFrozen;
}

std::vector<Violation> CheckContribution(const Policy& policy, const CommitFacts& facts,
                                         PolicyRole pusher) {
  return Checker(policy, facts).Run(pusher);
}

bool MayPush(const Policy& policy, std::string_view branch, PolicyRole role) {
  const std::vector<PolicyRole> roles = policy.RuleFor(branch).push.value;
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

std::vector<Violation> CheckMerge(const Policy& policy, const MergeFacts& facts) {
  std::vector<Violation> out;
  if (policy.merge_methods) {
    const auto& [methods, line] = *policy.merge_methods;
    if (std::find(methods.begin(), methods.end(), facts.method) == methods.end()) {
      out.push_back(
          {line, "merge.methods", "'" + facts.method + "' is not among " + Some(methods)});
    }
  }
  if (facts.num_contributions < policy.min_contributions.value) {
    out.push_back({policy.min_contributions.line, "merge.min_contributions",
                   std::to_string(facts.num_contributions) + " contributions; at least " +
                       std::to_string(policy.min_contributions.value)});
  }
  const BranchRule rule = policy.RuleFor(facts.branch);
  const std::string reviews = "branches." + facts.branch + ".reviews";
  for (const auto& c : facts.contributions) {
    const std::string name = "proposal #" + std::to_string(c.proposal);
    if (c.rejected) {
      out.push_back(
          {rule.reviews.line, reviews, name + " has a standing rejection or request for changes"});
    }
    if (c.approvals < rule.reviews.value) {
      out.push_back({rule.reviews.line, reviews,
                     name + " has " + std::to_string(c.approvals) + " of " +
                         std::to_string(rule.reviews.value) + " approvals of its latest commit"});
    }
    if (policy.staleness && c.staleness > policy.staleness->value) {
      out.push_back({policy.staleness->line, "merge.staleness",
                     name + " is " + std::to_string(c.staleness) + " merges behind; at most " +
                         std::to_string(policy.staleness->value)});
    }
  }
  return out;
}

}  // namespace flair
