// SPDX-License-Identifier: Apache-2.0
#include "hub/repo_stores.h"

#include <utility>

namespace flair::hub {

RepoStores::RepoStores(Env& env, std::string data_dir, std::size_t max_open)
    : env_(env), data_dir_(std::move(data_dir)), max_open_(max_open) {}

std::string RepoStores::FolderOf(std::string_view repo_id) const {
  return data_dir_ + "/repos/" + std::string(repo_id);
}

Result<std::shared_ptr<RepoStore>> RepoStores::Open(std::string_view repo_id) {
  const std::lock_guard lock(mutex_);
  const std::string id(repo_id);
  if (const auto found = open_.find(id); found != open_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second.place);
    return found->second.store;
  }
  const std::string folder = FolderOf(id);
  FLAIR_DO(MakeDirs(env_, folder + "/quarantine"));
  FLAIR_TRY(std::unique_ptr<ObjectStore> objects, ObjectStore::Open(env_, folder + "/objects"));
  auto store = std::make_shared<RepoStore>(std::move(objects), folder);
  recent_.push_front(id);
  open_.emplace(id, Entry{store, recent_.begin()});
  // Only a store that nobody holds may go: two open stores of one folder could both write.
  for (auto last = recent_.end(); open_.size() > max_open_ && last != recent_.begin();) {
    --last;
    const auto entry = open_.find(*last);
    if (entry->second.store.use_count() > 1) continue;
    open_.erase(entry);
    last = recent_.erase(last);
  }
  return store;
}

Status RepoStores::Remove(std::string_view repo_id) {
  const std::lock_guard lock(mutex_);
  const std::string id(repo_id);
  if (const auto found = open_.find(id); found != open_.end()) {
    recent_.erase(found->second.place);
    open_.erase(found);
  }
  return RemoveTree(env_, FolderOf(id));
}

}  // namespace flair::hub
