// Light copies: a commit's model files, converted by the hub, in the working tree.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "object/tree.h"
#include "remote/transfer.h"

namespace flair {

// The tensor pattern of a light clone's fetch: it matches no tensor.
inline constexpr const char* kNoTensors = "[!a][a]\\[\\]light";

// Files of `tree` that hold tensors.
Result<std::vector<TreeEntry>> ModelFiles(const ObjectStore& objects, const Tree& tree);

// Writes `entry` as the hub converts it; goes on with what an interrupted call left.
Status WriteLightFile(Repository& repo, HubApi& api, const RepoAddress& from,
                      const CommitId& commit, const TreeEntry& entry, const std::string& light,
                      const TransferOptions& options, FetchOutcome& outcome);

}  // namespace flair
