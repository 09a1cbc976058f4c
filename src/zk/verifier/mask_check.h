// MaskCheck: do the mask messages prove the constraints? mask/mask_shape.h.
//
// Place: zk/verifier, over mask and poly. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "zk/mask/mask_shape.h"
#include "zk/mask/masked.h"

namespace flair::zk {

struct MaskChallenges {
  Constraints::Combination combination;
  std::vector<Fp2> gammas;         // by pad row
  std::vector<Fp2> triple_gammas;  // by row of triples
};

// Lengths, and the sum over H. Errors: kRejected.
Status CheckMaskMessages(const MaskShape& shape, const MaskChallenges& challenges,
                         const MaskMessages& messages);

// At one column: `rows` are the values of all mask rows over K at x, which is not in H.
// Errors: kRejected names the message that the column contradicts.
Status CheckMaskColumn(const MaskShape& shape, const MaskChallenges& challenges,
                       const MaskMessages& messages, Fp x, std::span<const Fp2> rows);

}  // namespace flair::zk
