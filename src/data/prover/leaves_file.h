// The leaves of a data set's commitment, kept so that no proof has to encode the data for them.
//
// Only what is read back whole, of the same cells and key and under the card's root, is used;
// anything else counts as no file, and the leaves are made again. Format:
// docs/formats/data-card.md.
//
// Place: data/prover, over zk/hash. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace flair::data {

struct KeptLeaves {
  Digest origin;               // of the matrix
  std::vector<Digest> leaves;  // of its columns
};

// Of the file.
std::uint64_t LeavesBytes(std::uint64_t num_leaves);
Bytes EncodeLeaves(const KeptLeaves& kept);
// None when the bytes are not those of `num_leaves` leaves.
std::optional<KeptLeaves> DecodeLeaves(ByteView bytes, std::uint64_t num_leaves);

// Mode 0600.
Status WriteLeaves(Env& env, const std::string& path, const KeptLeaves& kept);
std::optional<KeptLeaves> ReadLeaves(Env& env, const std::string& path, std::uint64_t num_leaves);

}  // namespace flair::data
