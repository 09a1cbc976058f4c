// A contributed commit against a policy: asked when it is pushed, and again when it is merged,
// since the branch's policy, members and cards may be others by then.
//
// Place: hub, over facts.h and card_check.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hub/context.h"
#include "hub/meta/proposals.h"
#include "object/commit.h"
#include "policy/policy.h"

namespace flair::hub {

// What the policy judges of one commit, the hub's cards among it.
Result<CommitFacts> FactsOf(HubContext& hub, const RepoRow& repo, const ObjectStore& objects,
                            const CommitId& id, const Commit& commit, const Policy& policy);

// Every commit of a proposal since it left the target, by the rights that its author has now.
Result<std::vector<Violation>> CheckProposalAgain(HubContext& hub, const RepoRow& repo,
                                                  const ObjectStore& objects,
                                                  const ProposalRow& proposal,
                                                  const CommitId& target_tip, const Policy& policy);

}  // namespace flair::hub
