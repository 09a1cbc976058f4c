// Acceptance: the one door through which commits enter a repository.
//
// Place: hub, between transfer routes and metadata. When a push's objects are
// durable in the repository's store, AcceptPush decides what becomes of its tip:
//   closure complete -> signatures -> policy of the target's tip -> evidence ->
//   the ref moves, or a proposal opens or is updated.
// One transaction moves everything, writes the audit rows and the new commits' rows.
// Until then no ref names the new objects, and no route serves them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/context.h"
#include "object/ids.h"

namespace flair::hub {

struct PushRequest {
  std::string target;         // branch, "main"
  std::string source_branch;  // the pusher's local branch
  CommitId tip;
  // Signatures and other attachments that came along, by id; stored as objects.
  std::vector<AttachmentId> attachments;
  // Where the pusher believes the target is; kConflict when it moved and the push
  // would have moved it. Absent: whatever it is now.
  std::optional<CommitId> expected_old;
  std::string title;  // of a new proposal; empty: the tip's first line
};

struct PushCheck {
  std::string name;  // "signature", "policy", "finite", ...
  bool passed = false;
  std::string detail;
};

struct PushOutcome {
  bool moved = false;  // the target's ref moved; else a proposal
  CommitId commit;
  std::optional<std::int64_t> proposal_number;
  std::string proposal_url;
  std::string evidence_json;  // one JSON object, as stored
  std::vector<PushCheck> checks;
};

// Errors: kRejected (signature), kNotFound (an object is absent: which), kPolicyViolation
// (each violation names its line), kConflict (stale), kUnauthorised.
Result<PushOutcome> AcceptPush(HubContext& hub, const Call& call, RepoStore& store,
                               const PushRequest& push);

}  // namespace flair::hub
