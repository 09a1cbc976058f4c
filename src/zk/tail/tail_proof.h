// TailProof: the messages of a tail. docs/spec/tail.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "zk/pcs/opening.h"

namespace flair::zk {

struct TailProof {
  Digest root;
  std::vector<Fp2> values;                 // by group
  std::vector<std::array<Fp2, 2>> rounds;  // at 0 and 2
  std::uint64_t nonce = 0;
  GroupOpening opening;  // the row that is shown, and the columns
};

}  // namespace flair::zk
