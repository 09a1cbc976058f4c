// Download: a fetch plan's pieces from the hub's packs into the local store.
//
// Parts arrive over several connections into files of the journal's folder; the
// calling thread verifies them in order (ObjectBatch::PutRecords) and commits where the plan
// seals. A kill loses nothing that reached a file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "remote/journal.h"
#include "remote/transfer.h"

namespace flair {

struct DownloadOutcome {
  std::uint64_t received_bytes = 0;
  std::uint64_t resumed_bytes = 0;
};
// REQUIRES: the journal of `plan` is saved in `folder`. Removes the folder when done.
Result<DownloadOutcome> Download(Repository& repo, HubApi& api, const RepoAddress& from,
                                 FetchFolder& folder, const wire::FetchPlan& plan,
                                 const TransferOptions& options);

}  // namespace flair
