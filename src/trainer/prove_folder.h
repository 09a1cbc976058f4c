// ProveFolder: the proof of a run from its folder, of the exact engine or recorded.
//
// A recorded run does not say which program it followed, which seed drew its batches, on which
// data: whoever proves it does, and the proof shows that it is so, up to the slack.
//
// Beside the run lie what proving it makes: weights.seed (kept with the weights), state.seed
// (with the state) and border.seed (never leaves), all of mode 0600, chunks/ and openings/.
//
// Place: trainer, over data/prover and proof/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "data/prover/registered.h"
#include "program/slack.h"
#include "proof/prover/chunk_plan.h"
#include "proof/prover/prove_run.h"
#include "proof/statement_file.h"
#include "trainer/exact_run.h"

namespace flair::trainer {

// Of a recorded run.
struct RecordedRequest {
  program::Program program;
  std::string data;  // folder of the registered data set; empty: none
  Digest seed;
  program::Slack slack;
  bool counts_beta = true;  // beta is 20 in a million decisions, 8 at least, whatever slack says
};

// What a recorded run says itself; none for one of the exact engine. Its slack is the default.
// Errors: kInvalidArgument for a run that was bound to no program.
Result<std::optional<RecordedRequest>> RequestOf(Env& env, const std::string& folder);

struct ProveRequest {
  std::string folder;                 // of the run
  Digest wallet;                      // public key of who proves
  std::string proof_path;             // where the caller will write the proof; empty: nowhere
  std::uint64_t memory_bytes = 0;     // that may be used, the data set's among them
  std::uint64_t steps_per_chunk = 0;  // 0: as kept chunks have, or as many as fit in the memory
  std::optional<RecordedRequest> recorded;
};

struct ProvenFolder {
  proof::RunStatement statement;
  Bytes proof;
  proof::ChunkPlan chunks;
  std::optional<program::SlackUse> slack;  // of a recorded run
};

struct ProveFolderHooks {
  // Told once, before anything long begins.
  std::function<Status(const proof::ChunkPlan&, std::uint64_t num_chunks)> plan;
  std::function<Status(const proof::ProveProgress&)> progress;
};

// Errors: kInvalidArgument for a run that is recorded without a request that says of what, and the
// other way round; kConflict when the data's commitment has no openings left for so many chunks,
// when the data are no longer those of the run, and when the run is not what training it again
// gives; kNoSpace for memory or disk that is foreseen to be too little; those of ProveRun().
Result<ProvenFolder> ProveFolder(Env& env, const ProveRequest& request,
                                 const ProveFolderHooks& hooks = {});

}  // namespace flair::trainer
