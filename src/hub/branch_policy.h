// The policy of a branch: flair.toml in its tip's tree, read and parsed.
//
// Place: hub, over policy and store. The policy that counts is the target branch's
// tip's, never the proposal's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/context.h"
#include "object/ids.h"
#include "policy/policy.h"

namespace flair::hub {

struct BranchPolicy {
  Policy policy;                // the default where there is no flair.toml
  std::optional<CommitId> tip;  // absent: the branch does not exist
  std::string text;             // of flair.toml; empty: none
};

// The bytes of one small file of a commit; absent when the tree has no such path.
// Errors: kUnsupported when it is longer than `max_bytes`.
Result<std::optional<std::string>> ReadSmallFile(const ObjectStore& objects, const CommitId& commit,
                                                 std::string_view path, std::size_t max_bytes);

Result<BranchPolicy> PolicyAt(const ObjectStore& objects, const std::optional<CommitId>& tip);
Result<BranchPolicy> PolicyOfBranch(HubContext& hub, const RepoRow& repo, std::string_view branch);

PolicyRole PolicyRoleOf(Who who);

}  // namespace flair::hub
