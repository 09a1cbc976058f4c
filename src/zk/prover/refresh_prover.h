// RefreshProver: shows that two commitments hold the same cells. docs/spec/refresh.md.
//
// Place: zk/prover, over refresh. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "zk/prover/committed_matrix.h"
#include "zk/prover/proof_end.h"
#include "zk/refresh/refresh_plan.h"

namespace flair::zk {

// REQUIRES: the statement's matrices, of equal cells. `reserve` knows them as 0 and 1. Errors:
// those of `reserve`.
Result<Bytes> ProveRefresh(const RefreshPlan& plan, const CommittedMatrix& before,
                           const CommittedMatrix& after, Env& env,
                           const ReserveStated& reserve = {});

}  // namespace flair::zk
