// SPDX-License-Identifier: Apache-2.0
#include "merge/roles.h"

#include <algorithm>
#include <array>

#include "base/glob.h"

namespace flair {
namespace {

bool Any(const std::vector<std::string>& globs, std::string_view name) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return GlobMatch(glob, name, GlobKind::kName);
  });
}

struct KnownName {
  std::string_view glob;
  TensorRole role;
};

// PyTorch's and Keras' own names for what no optimiser trains.
constexpr std::array kKnownNames = {
    KnownName{"*num_batches_tracked", TensorRole::kCounter},
    KnownName{"*optimizer/vars/0", TensorRole::kCounter},
    KnownName{"optimizer_weights/*/iter*", TensorRole::kCounter},
    KnownName{"*running_mean", TensorRole::kStatistics},
    KnownName{"*running_var", TensorRole::kStatistics},
    KnownName{"*moving_mean*", TensorRole::kStatistics},
    KnownName{"*moving_variance*", TensorRole::kStatistics},
    KnownName{"*seed_generator_state*", TensorRole::kLocal},
};

}  // namespace

TensorRole RoleOf(const RoleGlobs& globs, std::string_view tensor_name) {
  if (Any(globs.frozen, tensor_name)) return TensorRole::kFrozen;
  if (Any(globs.local, tensor_name)) return TensorRole::kLocal;
  if (Any(globs.statistics, tensor_name)) return TensorRole::kStatistics;
  if (Any(globs.counters, tensor_name)) return TensorRole::kCounter;
  for (const KnownName& known : kKnownNames) {
    if (GlobMatch(known.glob, tensor_name, GlobKind::kName)) return known.role;
  }
  return TensorRole::kTrainable;
}

}  // namespace flair
