// flair.toml as a commit holds it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "merge/roles.h"
#include "object/ids.h"
#include "repo/repository.h"

namespace flair::cli {

// Empty when the commit has none. Errors: kInvalidArgument when it is too large.
Result<std::string> PolicyText(Repository& repo, const CommitId& id);

// The roles of tensors that a merge into `id` obeys: [tensors] of its policy.
Result<RoleGlobs> MergeRoles(Repository& repo, const CommitId& id);

}  // namespace flair::cli
