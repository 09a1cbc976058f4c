// Roles: what a tensor is to a merge, told by its name.
//
// Place: merge. The globs come from the target branch's flair.toml ([tensors]) as
// plain data; this module knows no policy file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flair {

enum class TensorRole : std::uint8_t {
  kTrainable,   // the method combines it
  kFrozen,      // nobody may change it: a change is a conflict
  kLocal,       // stays as the target has it (FedBN)
  kStatistics,  // running mean and variance: combined as values, not as updates
  kCounter,     // integers: the maximum counts
};

struct RoleGlobs {
  std::vector<std::string> frozen;
  std::vector<std::string> local;
  std::vector<std::string> statistics;
  std::vector<std::string> counters;
  bool operator==(const RoleGlobs&) const = default;
};

// The first list with a match decides, in the order frozen, local, statistics,
// counters. Without one, names the frameworks give decide: "*num_batches_tracked" and the
// steps of an optimiser in Keras' files ("*optimizer/vars/0", "optimizer_weights/*/iter*")
// count, "*running_mean", "*running_var", "*moving_mean*", "*moving_variance*" are
// statistics, "*seed_generator_state*" (Keras' random state) is local.
TensorRole RoleOf(const RoleGlobs& globs, std::string_view tensor_name);

}  // namespace flair
