// RepoStores: the object stores of the hub's repositories, opened once and shared.
//
// Place: hub, over store. Folder: DATA/repos/<32 hex repo id>/objects, beside it
// quarantine/<push id>.
//
// Thread safety: any thread. Writers of one repository take turns: hold WriteLock
// around Begin() ... Commit() of a batch; an upload that is stored while it arrives holds it
// around IsStale() and Commit() (push_intakes.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/env.h"
#include "store/object_store.h"

namespace flair::hub {

class RepoStore {
 public:
  RepoStore(std::unique_ptr<ObjectStore> objects, std::string folder)
      : objects_(std::move(objects)), folder_(std::move(folder)) {}

  ObjectStore& objects() const { return *objects_; }
  const std::string& folder() const { return folder_; }  // DATA/repos/<id>
  std::string quarantine_folder() const { return folder_ + "/quarantine"; }
  // One committing batch at a time.
  std::unique_lock<std::mutex> WriteLock() { return std::unique_lock(mutex_); }

 private:
  std::unique_ptr<ObjectStore> objects_;
  std::string folder_;
  std::mutex mutex_;
};

class RepoStores {
 public:
  RepoStores(Env& env, std::string data_dir, std::size_t max_open = 256);

  // Creates the folders of a new repository. The pointer stays valid while held.
  Result<std::shared_ptr<RepoStore>> Open(std::string_view repo_id);
  // Forgets the store and removes its folder. Errors: kIo.
  Status Remove(std::string_view repo_id);
  std::string FolderOf(std::string_view repo_id) const;

 private:
  Env& env_;
  std::string data_dir_;
  std::size_t max_open_;
  std::mutex mutex_;
  std::list<std::string> recent_;  // newest first
  struct Entry {
    std::shared_ptr<RepoStore> store;
    std::list<std::string>::iterator place;
  };
  std::unordered_map<std::string, Entry> open_;
};

}  // namespace flair::hub
