// WeightsProver: shows that what commitments to weights hold is as a circuit says.
// docs/spec/weights.md.
//
// Place: zk/prover, over weights. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "zk/prover/committed_matrix.h"
#include "zk/prover/proof_end.h"
#include "zk/prover/run_values.h"
#include "zk/weights/weights_plan.h"

namespace flair::zk {

// `values`: the circuit's, of its one step. `matrices`: the statement's, in its order.
// Errors: kInvalidArgument for cells that are in no table, naming them; those of `reserve`.
Result<Bytes> ProveWeights(const WeightsPlan& plan, RunValues& values,
                           std::vector<const CommittedMatrix*> matrices, Env& env,
                           const ReserveStated& reserve = {});

}  // namespace flair::zk
