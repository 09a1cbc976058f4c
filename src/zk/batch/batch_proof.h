// BatchProof: the messages of a batch opening. docs/spec/opening.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/mask/mask_shape.h"
#include "zk/pcs/opening.h"

namespace flair::zk {

// Companion matrices come last in the openings of their groups.
struct BatchProof {
  std::vector<Fp2> masked;  // every value that is sent, minus its pad, in order
  std::vector<GroupOpening> groups;
  MaskMessages mask;
  std::uint64_t nonce = 0;
};

}  // namespace flair::zk
