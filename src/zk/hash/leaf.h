// Leaves: one column of a commitment's matrix, salted and bound to its place.
//
//   leaf_j = SHA-256("flair zk leaf v1" || LE64(R) || LE64(j) || salt_j || column)
//
// The column is R elements of F, 8 bytes each, little-endian. The header is one block of
// SHA-256, so that a tile of eight rows adds exactly one block to every column.
// docs/spec/merkle.md.
//
// Place: zk/hash, over field and crypto; used by both sides. Thread safety: distinct columns
// from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "zk/field/fp.h"
#include "zk/field/tile.h"

namespace flair::zk {

using Salt = Digest;  // 32 uniform bytes for each leaf

Digest ColumnLeaf(std::uint64_t column, const Salt& salt, std::span<const Fp> values);

// All columns of a matrix whose rows come in tiles: 32 bytes for each column. They lie in the
// order in which they come, each in a slot, so that memory is read as it lies.
class ColumnHasher {
 public:
  // `salts`: of every column; `column_of`: a permutation of them.
  ColumnHasher(std::uint64_t num_rows, std::span<const Salt> salts,
               const std::function<std::uint64_t(std::uint64_t slot)>& column_of);

  // The next eight rows of one column. REQUIRES: fewer than num_rows / 8 came before.
  void Absorb(std::uint64_t slot, const std::uint64_t* eight) {
    states_[slot].Compress(std::as_bytes(std::span(eight, kTileRows)));
  }
  // The last num_rows % 8 rows. A column is finished once.
  Digest Finish(std::uint64_t slot, std::span<const std::uint64_t> rest);

 private:
  std::uint64_t num_rows_;
  std::vector<Sha256State> states_;
};

}  // namespace flair::zk
