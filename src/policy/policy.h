// Policy: what `flair.toml` asks of a contribution, as a value and as a check.
//
// Place: policy; no I/O: text in, value out; facts in, violations out. The hub
// asks at push and again at merge, `flair policy check` before either. The policy
// that counts is the one of the target branch's tip.
// Format: docs/formats/policy.md. An unknown key, or one that a later version
// enforces, is an error that names the line and the nearest known key.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"

namespace flair {

inline constexpr std::size_t kMaxPolicyBytes = 256 * 1024;
inline constexpr std::string_view kPolicyPath = "flair.toml";
inline constexpr std::string_view kProgramPath = "program.flair";

enum class PolicyRole : std::uint8_t { kReader = 1, kContributor, kMaintainer, kOwner };

// A value with the line that set it; 0: the default, no line says so.
template <typename T>
struct Ruled {
  T value{};
  std::uint32_t line = 0;
};

struct BranchRule {
  Ruled<std::vector<PolicyRole>> push = {{PolicyRole::kOwner}, 0};
  Ruled<std::uint32_t> reviews = {1, 0};
};

// Globs over tensor names; an unnamed tensor is trainable, unless `trainable` is given.
struct PolicyTensorRules {
  Ruled<std::vector<std::string>> frozen;      // must not change
  Ruled<std::vector<std::string>> local;       // stays at the site: merges keep the target's
  Ruled<std::vector<std::string>> statistics;  // BatchNorm mean and variance
  Ruled<std::vector<std::string>> counters;    // merges take the maximum
  Ruled<std::vector<std::string>> trainable;
};
enum class PolicyTensorRole : std::uint8_t { kTrainable, kFrozen, kLocal, kStatistic, kCounter };

struct Policy {
  std::optional<Wallet> hub_key;
  std::optional<bool> is_private;  // access.repository, when stated
  std::map<std::string, BranchRule> branches;

  Ruled<std::uint64_t> min_samples;
  Ruled<std::uint64_t> min_steps;
  std::optional<Ruled<std::uint64_t>> max_steps;
  std::optional<Ruled<double>> max_update_norm;
  Ruled<bool> registered_card;  // and the ticket for it

  std::optional<Ruled<Digest>> program_hash;

  std::optional<Ruled<std::vector<std::string>>> merge_methods;  // absent: any
  // By how many merges a contribution's base may be behind; absent: any.
  std::optional<Ruled<std::uint64_t>> staleness;
  Ruled<std::uint64_t> min_contributions = {1, 0};

  PolicyTensorRules tensors;
  Ruled<std::string> licence_spdx;

  BranchRule RuleFor(std::string_view branch) const;
  PolicyTensorRole RoleOf(std::string_view tensor) const;
};

// Errors: kInvalidArgument "flair.toml:7: unknown key 'contribution.min_sample'; nearest:
// min_samples". An empty text is the default policy.
Result<Policy> ParsePolicy(std::string_view text);

// A flair.toml to start from: the default policy, its keys written out, others as comments.
std::string_view StarterPolicy();

struct Violation {
  std::uint32_t line = 0;  // of flair.toml; 0: a default
  std::string rule;        // "contribution.min_samples"
  std::string message;     // one line: what is, what must be
  // "flair.toml:7: contribution.min_samples: ..."
  std::string ToText() const;
};

// What is known about one commit of a proposal, against its first parent.
struct CommitFacts {
  std::string commit;  // as shown to people
  std::uint64_t num_samples = 0;
  std::uint64_t num_steps = 0;
  bool has_training = false;
  bool changes_weights = false;
  std::optional<double> update_norm;  // over trainable tensors
  std::vector<std::string> changed_tensors;
  std::vector<std::string> non_finite_tensors;  // NaN or Inf
  std::vector<std::string> changed_paths;
  std::optional<Digest> program;  // that the training record names
  // What is wrong with its data card or ticket, empty: nothing. Absent where only the hub knows.
  std::optional<std::string> card_problem;
};

// Checks one contributed commit. `pusher` is the role of who brings it: changing
// flair.toml or program.flair needs an owner.
std::vector<Violation> CheckContribution(const Policy& policy, const CommitFacts& facts,
                                         PolicyRole pusher);

bool MayPush(const Policy& policy, std::string_view branch, PolicyRole role);

struct MergeFacts {
  std::string branch;
  std::string method;
  std::size_t num_contributions = 0;
  struct Contribution {
    std::int64_t proposal = 0;
    std::size_t approvals = 0;    // of its current commit, not by its author
    bool rejected = false;        // a standing rejection or request for changes
    std::uint64_t staleness = 0;  // merges on the branch since its base
  };
  std::vector<Contribution> contributions;
};
std::vector<Violation> CheckMerge(const Policy& policy, const MergeFacts& facts);

// How many single-character edits turn one into the other.
std::size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace flair
