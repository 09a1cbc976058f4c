// fsck: does the repository hold what it says?
//
// Re-reads every pack record, walks the closure of every ref, checks every commit's
// signature and every ref name; on request runs the recipe of every merge again. Names each
// problem; repairs nothing.
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
  std::uint64_t num_merges = 0;          // whose recipe was run again
  std::uint64_t num_merges_skipped = 0;  // a clone left out what they were made of
  bool ok() const { return problems.empty(); }
};

enum class FsckMerges : std::uint8_t { kTrust, kRunAgain };

Result<FsckReport> Fsck(Repository& repo, const ProgressSink& progress = {},
                        FsckMerges merges = FsckMerges::kTrust);

}  // namespace flair
