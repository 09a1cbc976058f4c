// WeightsStatement: several commitments to weights, and what holds between them.
// docs/spec/weights.md.
//
// Place: zk/weights; used by both sides. It knows digests and sizes: whoever verifies derives the
// circuit that says what holds, from what the relation's digest names.
// Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "zk/pcs/stated_matrix.h"
#include "zk/transcript.h"

namespace flair::zk {

inline constexpr std::string_view kWeightsProtocol = "flair weights v1";
inline constexpr std::size_t kMaxWeightsMatrices = 63;  // an opening's, less the witness

struct WeightsStatement {
  Digest relation;  // what holds, with all its numbers
  Digest wallet;    // the committer's public key
  std::vector<StatedMatrix> matrices;

  // "FLWS" | version (2) | relation, wallet (32 each) | matrices (1), each: kind (1), kappa, m, R,
  // h (8 each), root (32)
  Bytes Encode() const;
  // SHA-256 of the encoding.
  Digest Hash() const;
  // Begins a transcript with everything that is public.
  void Absorb(Transcript& transcript) const;
};

}  // namespace flair::zk
