// Extent: what a clone holds of its repository, and what it left out on purpose.
//
// Place: inside repo, over config.h; status, add and checkout ask it, so that a file that
// was never here is neither a deletion nor an error. A partial clone lacks contents of
// tensors; a light clone lacks all of them and shows converted copies instead.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "object/tree.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

struct CloneExtent {
  std::string light;         // "int8", "bf16": model files on disk are copies; empty: they are not
  std::string tensors_glob;  // the tensors that were asked for; empty: all
  bool partial() const { return !tensors_glob.empty(); }
};
Result<CloneExtent> ReadExtent(Repository& repo);

// Errors: kUnsupported in a light clone, whose copies must not become a version of the model.
Status CheckCanStage(Repository& repo);

// Which files of the index this clone left out of the working tree.
class LeftOutFiles {
 public:
  static Result<LeftOutFiles> Load(Repository& repo);

  // For a tracked file that is not on disk: was it left out, rather than deleted?
  Result<bool> Contains(const TreeEntry& entry) const;
  // Are all its contents stored here? True at once in a full clone.
  Result<bool> IsWhole(const TreeEntry& entry) const;

 private:
  explicit LeftOutFiles(Repository& repo) : repo_(&repo) {}

  Repository* repo_;
  bool partial_ = false;
  std::unordered_set<std::string> marked_;  // contents are coming: see MarkLeftOut
};

// Before a fetch brings contents: the files of the index that are left out now stay so
// until PlaceLeftOut has written them, even if the process dies in between.
// REQUIRES: LockForWriting is held.
Status MarkLeftOut(Repository& repo);
// Writes the marked files that are whole now. REQUIRES: LockForWriting is held.
Status PlaceLeftOut(Repository& repo, const ProgressSink& progress = {});

}  // namespace flair
