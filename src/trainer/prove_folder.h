// ProveExact: the proof of a run of the exact engine, from its folder.
//
// Beside the run lie what proving it makes: weights.seed (kept with the weights) and border.seed
// (never leaves), both of mode 0600, chunks/ and openings/.
//
// Place: trainer, over data/prover and proof/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "data/prover/registered.h"
#include "proof/prover/chunk_plan.h"
#include "proof/prover/prove_run.h"
#include "proof/statement_file.h"
#include "trainer/exact_run.h"

namespace flair::trainer {

struct ProveRequest {
  std::string folder;  // of the run
  Digest wallet;       // public key of who proves
  std::uint64_t memory_bytes = 0;
  std::uint64_t steps_per_chunk = 0;  // 0: as many as fit in the memory
};

struct ProvenExact {
  proof::RunStatement statement;
  Bytes proof;
  proof::ChunkPlan chunks;
};

struct ProveExactHooks {
  // Told once, before anything long begins.
  std::function<Status(const proof::ChunkPlan&, std::uint64_t num_chunks)> plan;
  std::function<Status(const proof::ProveProgress&)> progress;
};

// Errors: kConflict when the data's commitment has no openings left for so many chunks, when the
// data are no longer those of the run, and when the run is not what training it again gives;
// kNoSpace for memory or disk that is foreseen to be too little; those of ProveRun().
Result<ProvenExact> ProveExactRun(Env& env, const ProveRequest& request,
                                  const ProveExactHooks& hooks = {});

}  // namespace flair::trainer
