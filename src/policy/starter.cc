// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

namespace flair {

std::string_view StarterPolicy() {
  return R"(# What a contribution must satisfy. The hub checks it at every push and every merge.
format = 1

[branches.main]
push = ["owner"]            # everybody else opens a proposal
reviews = 1                 # approvals before a proposal can be merged

[contribution]
min_samples = 0             # rows that each update says it was trained on
# max_update_norm = 25.0    # L2 of an update over the trainable tensors
# registered_card = true    # trained on a data card registered here, in its ticket's order

[merge]
min_contributions = 1       # proposals in one round
# methods = ["fedavg", "median", "trimmed_mean", "krum"]

[tensors]                   # globs over tensor names
# frozen = ["backbone.*"]   # must not change
# local = ["*.bn.*"]        # merges keep the target's
)";
}

}  // namespace flair
