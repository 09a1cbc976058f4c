// Facts of a contributed commit: what the policy judges, computed from stored objects.
//
// Place: hub, over repo (diff, evidence) and policy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "object/commit.h"
#include "policy/policy.h"
#include "repo/evidence.h"
#include "store/object_store.h"

namespace flair::hub {

// Against its first parent; a first commit counts as all new.
Result<CommitFacts> CollectFacts(const ObjectStore& objects, const CommitId& id,
                                 const Commit& commit, const Policy& policy);

// L2 over the trainable tensors of `evidence`.
double TrainableNorm(const UpdateEvidence& evidence, const Policy& policy);

// The evidence as the API shows it: one JSON object.
std::string EvidenceJson(const UpdateEvidence& evidence, const CommitId& base, const CommitId& tip,
                         const std::vector<OtherUpdate>& others);

}  // namespace flair::hub
