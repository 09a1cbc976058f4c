// Fetch plans: which records of which packs bring a client up to date.
//
// Place: hub/routes, over closure.h and ObjectStore::Locate; no metadata, no HTTP.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "repo/closure.h"
#include "store/object_store.h"
#include "wire/transfer.h"

namespace flair::hub {

// REQUIRES: every want may be served to the caller; `haves` are commits of this hub.
// Contents are grouped so that a receiver can commit now and then (Piece::seal).
Result<wire::FetchPlan> PlanFetch(const ObjectStore& objects, const wire::FetchRequest& request,
                                  const std::vector<CommitId>& haves,
                                  const AttachmentLookup& attachments);

}  // namespace flair::hub
