// Repository: a working tree with its `.flair` folder, opened.
//
// Place: repo, the layer that the doors (command line, Python, remote) call.
// It bundles the folder, the object store and the metadata; what can be done
// with it are free functions in the headers beside this one: refs.h, oplog.h,
// worktree.h, checkout.h, commit_ops.h, branching.h, merging.h, fsck.h, gc.h.
// Layout of the folder: docs/formats/repository.md.
//
// Thread safety: one thread at a time, except objects() (see ObjectStore).
// Processes: readers never wait; whoever changes the working tree or the refs
// holds `.flair/lock` (LockForWriting).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "repo/meta_db.h"
#include "store/object_store.h"

namespace flair {

inline constexpr const char* kFlairFolder = ".flair";
inline constexpr const char* kDefaultBranch = "main";

class Repository {
 public:
  // Makes `dir` (and its parents) and an empty repository in it, HEAD on the
  // unborn branch `main`. Errors: kAlreadyExists when `dir` holds one.
  static Result<std::unique_ptr<Repository>> Init(Env& env, const std::string& dir);
  // `dir` itself must hold `.flair`. Errors: kNotFound, kUnsupported (newer format).
  static Result<std::unique_ptr<Repository>> Open(Env& env, const std::string& dir);
  // The nearest repository at `start` or above it. Errors: kNotFound.
  static Result<std::unique_ptr<Repository>> Discover(Env& env, const std::string& start);

  const std::string& root() const { return root_; }
  std::string flair_dir() const;                         // root/.flair
  std::string runs_dir() const;                          // root/.flair/runs
  std::string tmp_dir() const;                           // root/.flair/tmp
  std::string PathOf(std::string_view repo_path) const;  // root/repo_path
  Env& env() { return env_; }
  ObjectStore& objects() { return *objects_; }
  const ObjectStore& objects() const { return *objects_; }
  MetaDb& meta() { return *meta_; }
  Database& db() { return meta_->db(); }

  // Held by every operation that changes files or refs; operations take it
  // themselves, nested calls share it. Errors: kConflict when another process works here.
  Result<std::shared_ptr<FileLock>> LockForWriting();

 private:
  Repository(Env& env, std::string root) : env_(env), root_(std::move(root)) {}

  Env& env_;
  std::string root_;
  std::unique_ptr<ObjectStore> objects_;
  std::unique_ptr<MetaDb> meta_;
  std::weak_ptr<FileLock> lock_;
};

// What a user typed, relative to `cwd` (absolute, inside the repository), as a
// repository path; "" for the root itself.
// Errors: kInvalidArgument when it leaves the repository or breaks CheckRepoPath.
Result<std::string> RepoPathFor(const Repository& repo, std::string_view cwd,
                                std::string_view typed);

}  // namespace flair
