// Merkle: what a verifier needs of a tree over 2^log_n leaves.
//
//   node = SHA-256("flair zk node v1" || left || right)
//
// Several leaves are opened at once: the path holds, level by level from the leaves up, and in
// a level from left to right, every sibling that the opened leaves do not give themselves.
// docs/spec/merkle.md.
//
// Place: zk/hash; used by both sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

namespace flair::zk {

Digest NodeDigest(const Digest& left, const Digest& right);

// Digests in the path that opens `indices`. REQUIRES: ascending, distinct, below 2^log_n.
std::size_t PathLength(unsigned log_n, std::span<const std::uint64_t> indices);

// The root that the leaves at `indices` and the path give.
// Errors: kInvalidArgument: indices not ascending, distinct and below 2^log_n, or none;
// kCorrupt: a path of another length than PathLength.
Result<Digest> RootOf(unsigned log_n, std::span<const std::uint64_t> indices,
                      std::span<const Digest> leaves, std::span<const Digest> path);

}  // namespace flair::zk
