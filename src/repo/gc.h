// Garbage collection: keeps what refs, HEAD, reflog, operations, index, stat cache
// and attachments reach, and what is younger than the grace period.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "repo/progress.h"
#include "repo/repository.h"

namespace flair {

struct GcOptions {
  std::int64_t grace_s = 14 * 86'400;
  // Reflog and operation rows older than this stop keeping objects alive (and are removed).
  std::int64_t keep_history_s = 90 * 86'400;
  ProgressSink progress;
};
struct GcReport {
  std::uint64_t removed_records = 0;
  std::uint64_t freed_bytes = 0;
  std::uint64_t removed_operations = 0;
};
Result<GcReport> CollectGarbage(Repository& repo, const GcOptions& options = {});

}  // namespace flair
