// ProveWeightsClaim: a merge, a norm or a range of committed weights, proven.
//
// Place: proof/prover, over proof/weights_relation.h and zk/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "program/train.h"
#include "proof/prover/chunk_folder.h"
#include "proof/weights_relation.h"
#include "zk/prover/committed_matrix.h"

namespace flair::proof {

// What a commitment holds. Borrowed. REQUIRES: CommitState() of these, as weights of the program.
struct HeldWeights {
  const zk::CommittedMatrix* matrix = nullptr;
  const program::TrainingState* state = nullptr;
};

struct ProvenWeights {
  WeightsClaim claim;
  Bytes proof;
  std::vector<ShownColumns> shown;  // to be counted before anybody sees the proof
};

// `may_show` as in prove_run.h; `policy`: other than the default in tests. Errors: kInvalidArgument
// for weights of which the relation does not hold, naming tensor and value; those of `may_show`.
Result<ProvenWeights> ProveWeightsClaim(const program::Program& program,
                                        const WeightsRelation& relation, const Digest& wallet,
                                        std::span<const HeldWeights> held, Env& env,
                                        const ForColumns& may_show = {},
                                        zk::QueryPolicy policy = {});

}  // namespace flair::proof
