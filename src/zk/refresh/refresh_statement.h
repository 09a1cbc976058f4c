// RefreshStatement: two commitments hold the same cells. docs/spec/refresh.md.
//
// A commitment that outlives proofs has pads for so many openings. Before they are spent its holder
// commits to the same cells under another seed and proves that they are the same.
//
// Place: zk/refresh; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "crypto/digest.h"
#include "zk/pcs/stated_matrix.h"
#include "zk/transcript.h"

namespace flair::zk {

inline constexpr std::string_view kRefreshProtocol = "flair refresh v1";

struct RefreshStatement {
  Digest wallet;                         // the committer's public key
  std::array<StatedMatrix, 2> matrices;  // before, after: of one kind
  // Of data, and of nothing else: the digest of what cards say of the cells (data/card.h), which
  // no matrix says: records and columns. One, as both are read alike.
  std::optional<Digest> reading;

  // "FLRS" | version (2) | wallet (32) | each: kind (1), kappa, m, R, h (8 each), root (32) |
  // reading (32). Version 1 has no reading, version 2 has one.
  Bytes Encode() const;
  // SHA-256 of the encoding.
  Digest Hash() const;
  // Begins a transcript with everything that is public.
  void Absorb(Transcript& transcript) const;
};

}  // namespace flair::zk
