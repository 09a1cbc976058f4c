// Key files: ed25519 secrets in the Solana CLI's form, a JSON list of 64 numbers.
//
// Place: remote, so that the command line and the Python module read the same files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/env.h"
#include "crypto/ed25519.h"

namespace flair {

// "[12,250,...]" or base58 of the 64 bytes, as browser wallets export.
// Errors: kCorrupt, never quoting the text.
Result<Keypair> ParseKeypair(std::string_view text);

// Errors: kNotFound, kCorrupt; names the path.
Result<Keypair> ReadKeypair(Env& env, const std::string& path);

// Mode 0600, folders made. Errors: kAlreadyExists: a key is never overwritten.
Status WriteKeypair(Env& env, const std::string& path, const Keypair& key);

// What the Solana CLI uses: keypair_path of ~/.config/solana/cli/config.yml, else
// ~/.config/solana/id.json. Empty: it is not set up. Does not look whether the key is there.
Result<std::string> SolanaKeypairPath(Env& env, const std::string& home);

}  // namespace flair
