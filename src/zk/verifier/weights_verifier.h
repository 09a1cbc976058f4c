// WeightsVerifier: is what commitments to weights hold as a circuit says? docs/spec/weights.md.
//
// Place: zk/verifier, over weights. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "zk/weights/weights_plan.h"

namespace flair::zk {

// Hostile bytes. Errors: kRejected names the check that failed; kCorrupt for bytes that are no
// proof.
Status VerifyWeights(const WeightsPlan& plan, ByteView bytes);

}  // namespace flair::zk
