// Publish: makes the packs of one batch visible together; Recover undoes what a
// crash left half done.
//
// Names in a store's folder
//   packs/<64 hex>.pack      a pack, visible unless a pending file lists it
//   packs/<16 hex>.pending   the packs of a batch that is being published
//   tmp/<16 hex>.lock        held by the process that writes batch <16 hex>
//   tmp/<16 hex>-<n>         its packs while they are written
//
// One pack: rename is the commit point. Several: the pending file is made durable,
// then all are renamed and the folder synced; removing the pending file commits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "store/pack_writer.h"

namespace flair {

// The right to write: a fresh batch name and the lock that says it is alive.
struct BatchLease {
  std::string nonce;  // 16 hex digits
  std::uint64_t nonce_value = 0;
  std::unique_ptr<FileLock> lock;
};
Result<BatchLease> TakeLease(Env& env, const std::string& folder);
// Removes the batch's files in tmp/ and the lock. Errors do not matter: Recover
// does the same later.
void ReleaseLease(Env& env, const std::string& folder, BatchLease lease);

// Moves sealed packs into packs/ and sets their paths. After an error the packs are
// invisible, or, when only the last sync failed, visible but not known to be durable.
Status Publish(Env& env, const std::string& folder, const std::string& nonce,
               const std::vector<SealedPack>& packs);

// Removes what dead batches left. Live ones are recognised by their lock.
Status Recover(Env& env, const std::string& folder);

// The names of the visible packs, as of one moment.
Result<std::set<std::string>> VisiblePacks(Env& env, const std::string& folder);

std::string PacksFolder(const std::string& folder);
std::string TmpFolder(const std::string& folder);

}  // namespace flair
