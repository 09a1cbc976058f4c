// Comparison: an open proposal's evidence beside the other proposals that are open now.
//
// Place: hub, over repo/evidence.h. Evidence is computed at push, when later proposals do
// not exist yet; whoever looks must see it against all of them. It is computed again
// only when the set of the others has changed, and kept with the proposal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hub/context.h"
#include "hub/meta/proposals.h"
#include "repo/evidence.h"

namespace flair::hub {

// The open proposals into the same branch, without this one: at most 15, newest first.
std::vector<OtherUpdate> OthersOf(const std::vector<ProposalRow>& open,
                                  const ProposalRow& proposal);

// Changes nothing for a proposal that is not open or whose others are the same as before.
Status RefreshEvidence(HubContext& hub, const ObjectStore& objects, ProposalRow& proposal);

}  // namespace flair::hub
