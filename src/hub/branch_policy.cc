// SPDX-License-Identifier: Apache-2.0
#include "hub/branch_policy.h"

#include "hub/file_stream.h"
#include "hub/meta/refs.h"
#include "repo/history.h"

namespace flair::hub {

Result<std::optional<std::string>> ReadSmallFile(const ObjectStore& objects, const CommitId& commit,
                                                 std::string_view path, std::size_t max_bytes) {
  FLAIR_TRY(const Tree tree, ReadCommitTree(objects, commit));
  const TreeEntry* entry = tree.Find(path);
  if (entry == nullptr) return std::optional<std::string>();
  if (entry->size_bytes > max_bytes) {
    return Error(ErrorCode::kUnsupported, std::string(path) + ": " +
                                              std::to_string(entry->size_bytes) +
                                              " bytes; at most " + std::to_string(max_bytes));
  }
  FLAIR_TRY(const File file, ReadFileObject(objects, entry->file));
  std::string text;
  FLAIR_DO(StreamFile(objects, file, 0, file.size_bytes(), [&](ByteView piece) -> Status {
    text += AsText(piece);
    if (text.size() > max_bytes) return Error(ErrorCode::kCorrupt, "file longer than its size");
    return OkStatus();
  }));
  return std::optional(std::move(text));
}

Result<BranchPolicy> PolicyAt(const ObjectStore& objects, const std::optional<CommitId>& tip) {
  BranchPolicy out;
  out.tip = tip;
  if (!tip) return out;
  FLAIR_TRY(const auto text, ReadSmallFile(objects, *tip, kPolicyPath, kMaxPolicyBytes));
  if (!text) return out;
  out.text = *text;
  FLAIR_TRY(out.policy, ParsePolicy(out.text));
  return out;
}

Result<BranchPolicy> PolicyOfBranch(HubContext& hub, const RepoRow& repo, std::string_view branch) {
  auto read = Query(hub.db, [&](Database& db) -> Result<std::optional<CommitId>> {
    return ReadRef(db, repo.id, "heads/" + std::string(branch));
  });
  FLAIR_TRY(const std::optional<CommitId> tip, std::move(read));
  FLAIR_TRY(const auto store, hub.stores.Open(repo.id));
  return PolicyAt(store->objects(), tip);
}

PolicyRole PolicyRoleOf(Who who) {
  switch (who) {
    case Who::kOwner:
      return PolicyRole::kOwner;
    case Who::kMaintainer:
      return PolicyRole::kMaintainer;
    case Who::kContributor:
      return PolicyRole::kContributor;
    default:
      return PolicyRole::kReader;
  }
}

}  // namespace flair::hub
