// TrainingVerifier: is this a proof of what the statement says? docs/spec/training.md.
//
// Place: zk/verifier, over training. Knows no prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "zk/training/training_plan.h"

namespace flair::zk {

// Errors: kRejected names the check that failed; kCorrupt, kUnsupported for bytes that are no
// proof.
Status VerifyTraining(const TrainingPlan& plan, ByteView proof);

}  // namespace flair::zk
