// Pads: the random part of a committed matrix, from a 32-byte seed.
//
//   key(use) = HKDF-SHA256(seed, "flair zk pads v1" || use || kind || LE64 kappa, m, h || values)
//   row i    = the words of ChaCha20(key(1), nonce i) that are below p, in order
//   salt_j   = bytes 32 j .. 32 j + 31 of ChaCha20(key(2), nonce 0)
//
// `values` is SHA-256 of the cells where the seed is kept (weights, state, data): one seed with
// other values or sizes never repeats a pad, for the difference of two commitments would show
// the difference of their values. A witness's seed is fresh and used once; its `values` is 0.
// docs/spec/commitment.md.
//
// Place: zk/pcs, over field and crypto. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/hash/leaf.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

class Pads {
 public:
  Pads(const Digest& seed, const MatrixShape& shape, const Digest& values);

  // Uniform in F, canonical: the first |out| of row `row`.
  void Row(std::uint64_t row, std::span<std::uint64_t> out) const;
  // Of every column.
  std::vector<Salt> Salts() const;

 private:
  Digest row_key_;
  Digest salt_key_;
  std::uint64_t n_;
};

}  // namespace flair::zk
