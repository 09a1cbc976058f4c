// Behind the interface: opening with another pack limit, finding damage, collecting
// garbage.
//
// Place: store; called by object_store.cc and tests. The contract is the interface's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "store/object_store.h"
#include "store/store_core.h"

namespace flair {

Result<std::unique_ptr<ObjectStore>> OpenStore(Env& env, const std::string& folder,
                                               std::uint64_t max_pack_bytes);

Result<std::vector<ObjectStore::Damage>> VerifyStore(StoreCore& store);

Result<ObjectStore::GcResult> CollectStoreGarbage(
    const std::shared_ptr<StoreCore>& store,
    const std::function<bool(ObjectKind, const Digest&)>& keep_object,
    const std::function<bool(const Digest&)>& keep_content, std::int64_t grace_s);

}  // namespace flair
