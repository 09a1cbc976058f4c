// RefreshVerifier: are two commitments to the same cells? docs/spec/refresh.md.
//
// Place: zk/verifier, over refresh. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "zk/refresh/refresh_plan.h"

namespace flair::zk {

// Hostile bytes. Errors: kRejected names the check that failed; kCorrupt for bytes that are no
// proof.
Status VerifyRefresh(const RefreshPlan& plan, ByteView bytes);

}  // namespace flair::zk
