// RefreshProver: shows that two commitments hold the same cells. docs/spec/refresh.md.
//
// Place: zk/prover, over refresh. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "zk/prover/committed_matrix.h"
#include "zk/refresh/refresh_plan.h"

namespace flair::zk {

// Asked before columns are shown, of the matrix before (0) or after (1); its error ends the proof.
using ReserveRefreshed =
    std::function<Status(std::size_t matrix, std::span<const std::uint64_t> columns)>;

// REQUIRES: the statement's matrices, of equal cells. Errors: those of `reserve`.
Result<Bytes> ProveRefresh(const RefreshPlan& plan, const CommittedMatrix& before,
                           const CommittedMatrix& after, Env& env,
                           const ReserveRefreshed& reserve = {});

}  // namespace flair::zk
