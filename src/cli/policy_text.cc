// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_text.h"

#include "policy/policy.h"
#include "repo/history.h"
#include "repo/import_file.h"

namespace flair::cli {

Result<std::string> PolicyText(Repository& repo, const CommitId& id) {
  FLAIR_TRY(const Tree tree, ReadCommitTree(repo.objects(), id));
  const TreeEntry* entry = tree.Find(kPolicyPath);
  if (entry == nullptr) return std::string();
  if (entry->size_bytes > kMaxPolicyBytes) {
    return Error(ErrorCode::kInvalidArgument,
                 "flair.toml has " + std::to_string(entry->size_bytes) + " bytes; the limit is " +
                     std::to_string(kMaxPolicyBytes));
  }
  FLAIR_TRY(const File file, ReadFileObject(repo.objects(), entry->file));
  std::string text;
  FLAIR_DO(ExportFile(repo.objects(), file, [&text](ByteView piece) -> Status {
    text += AsText(piece);
    return OkStatus();
  }));
  return text;
}

Result<RoleGlobs> MergeRoles(Repository& repo, const CommitId& id) {
  FLAIR_TRY(const std::string text, PolicyText(repo, id));
  FLAIR_TRY(const Policy policy, ParsePolicy(text));
  return RoleGlobs{.frozen = policy.tensors.frozen.value,
                   .local = policy.tensors.local.value,
                   .statistics = policy.tensors.statistics.value,
                   .counters = policy.tensors.counters.value};
}

}  // namespace flair::cli
