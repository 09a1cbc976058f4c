// fsck: does the repository hold what it says?
//
// Re-reads every pack record, walks the closure of every ref, checks every commit's
// signature and every ref name. Names each problem; repairs nothing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

struct FsckReport {
  std::vector<std::string> problems;  // one line each: what and where
  std::uint64_t num_commits = 0;
  std::uint64_t num_objects = 0;
  std::uint64_t num_contents = 0;
  bool ok() const { return problems.empty(); }
};

Result<FsckReport> Fsck(Repository& repo, const ProgressSink& progress = {});

}  // namespace flair
