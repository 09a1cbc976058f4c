// What the policy needs to know about one commit, collected from a store.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "object/ids.h"
#include "policy/policy.h"
#include "repo/progress.h"
#include "store/object_store.h"

namespace flair::cli {

// Against the commit's first parent (a first commit: against nothing).
Result<CommitFacts> CollectFacts(const ObjectStore& objects, const CommitId& id,
                                 const Policy& policy, const ProgressSink& progress);

}  // namespace flair::cli
