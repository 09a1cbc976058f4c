// Branches, tags, aliases, switching and resetting.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/progress.h"
#include "repo/refs.h"
#include "repo/repository.h"

namespace flair {

// Names are short ("main", "v1", "prod"). Errors: kAlreadyExists, kNotFound,
// kInvalidArgument for a bad name.
Status CreateBranch(Repository& repo, std::string_view name, const CommitId& at);
enum class DeleteMode : std::uint8_t { kOnlyMerged, kAlways };
// Refuses the branch HEAD is on (kConflict), and with kOnlyMerged one whose commits no
// other branch, tag or remote branch reaches.
Status DeleteBranch(Repository& repo, std::string_view name, DeleteMode mode);
Status RenameBranch(Repository& repo, std::string_view from, std::string_view to);

Status CreateTag(Repository& repo, std::string_view name, const CommitId& at);
Status DeleteTag(Repository& repo, std::string_view name);

Status SetAlias(Repository& repo, std::string_view name, const CommitId& at);  // moves or makes
Status DeleteAlias(Repository& repo, std::string_view name);

enum class SwitchMode : std::uint8_t { kExisting, kCreate, kDetach };
// kExisting: `target` is a branch ("main"), or a remote branch's last name, of which a
// tracking branch is made. kCreate: makes branch `target` at `start` (HEAD when
// absent) first. kDetach: `target` is anything Resolve takes.
// Errors: kConflict lists local changes that would be lost.
Result<Head> Switch(Repository& repo, std::string_view target, SwitchMode mode,
                    std::optional<CommitId> start = {}, const ProgressSink& progress = {});

enum class ResetMode : std::uint8_t {
  kSoft,   // the branch alone
  kMixed,  // and the index
  kHard,   // and the files; what is overwritten is stored first
};
Status Reset(Repository& repo, const CommitId& to, ResetMode mode,
             const ProgressSink& progress = {});

// Moves HEAD's branch to a descendant with index and files (pull, merge).
// Errors: kConflict when HEAD is no ancestor of `to`, or files would be lost.
Status FastForward(Repository& repo, const CommitId& to, std::string_view kind,
                   const ProgressSink& progress = {});

}  // namespace flair
