// The files of a hub's folder: lock, wallet, database; opened the same way by all doors.
//
// Place: hub. DATA/lock, DATA/hub.json (the hub's secret key, id.json form, mode 0600),
// DATA/hub.db, DATA/repos/.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/env.h"
#include "crypto/ed25519.h"
#include "hub/meta/hub_db.h"

namespace flair::hub {

// Errors: kConflict when another process runs on the folder.
Result<std::unique_ptr<FileLock>> LockHubFolder(Env& env, const std::string& data_dir);
// Makes the key on first use. Errors: kCorrupt.
Result<Keypair> LoadHubWallet(Env& env, const std::string& data_dir);
Result<std::unique_ptr<HubDb>> OpenHubDb(const std::string& data_dir);
// Errors: kNotFound with a hint when the folder holds no hub.
Status CheckHubFolder(Env& env, const std::string& data_dir);

}  // namespace flair::hub
