// Upkeep of a hub's folder: check, collect, copy, migrate.
//
// Place: hub; called by `flair hub fsck|gc|backup|migrate`. fsck and backup may run
// beside a hub; gc and migrate need it stopped (they take its lock: kConflict).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace flair::hub {

struct HubFsckReport {
  std::uint64_t repos = 0;
  std::uint64_t commits = 0;
  std::vector<std::string> problems;  // one line each, repository first
};
Result<HubFsckReport> FsckHub(const std::string& data_dir);

struct HubGcReport {
  std::uint64_t removed_records = 0;
  std::uint64_t freed_bytes = 0;
};
Result<HubGcReport> CollectHubGarbage(const std::string& data_dir, std::int64_t grace_s);

// Database first, then packs, then the wallet: a copy that opens by itself.
// Errors: kAlreadyExists when `to` is not empty.
Status BackUpHub(const std::string& data_dir, const std::string& to);

// Returns the schema's version after.
Result<int> MigrateHub(const std::string& data_dir);

}  // namespace flair::hub
