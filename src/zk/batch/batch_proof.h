// BatchProof: the messages of a batch opening. docs/spec/opening.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "zk/mask/mask_shape.h"
#include "zk/pcs/opening.h"
#include "zk/tail/tail_proof.h"

namespace flair::zk {

// Companion matrices come last in the openings of their groups.
struct BatchProof {
  std::vector<Fp2> masked;  // every value that is sent, minus its pad, in order
  std::vector<GroupOpening> groups;
  MaskMessages mask;
  std::uint64_t nonce = 0;
  std::optional<TailProof> tail;  // then no group has a combined row
};

}  // namespace flair::zk
