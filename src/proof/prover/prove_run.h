// ProveRun: a run trained again in integers, and proven chunk by chunk. docs/spec/run-proof.md.
//
// A chunk's proof is kept as a file as soon as it is made; a prover that is stopped begins again
// with the first chunk that is missing.
//
// Place: proof/prover, over program and zk/prover. Thread safety: functions; they use the
// machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "program/train.h"
#include "proof/prover/chunk_folder.h"
#include "proof/run_claim.h"
#include "zk/prover/committed_matrix.h"

namespace flair::proof {

// What only the prover has. Borrowed.
struct RunSecrets {
  const program::DataSet* data = nullptr;  // columns as the program has them; empty without
  const zk::CommittedMatrix* data_matrix = nullptr;  // the claim's
  program::TrainingState start;                      // before the claim's first step
  // Of a recorded run, whose claim has a slack: the parameters after a step.
  std::function<Result<std::vector<circuit::Ints>>(std::uint64_t step)> recorded;
  // Of the commitments at both ends. That of the weights is kept with them, by whoever has them;
  // without a momentum state is a drift and a count, few enough to be guessed by who has its seed.
  Digest weights_seed;
  Digest state_seed;
  Digest border_seed;  // of those between chunks: never leaves
};

struct ProveSettings {
  std::uint64_t steps_per_chunk = 1;
  std::string folder;         // where chunks are kept; made where it is missing
  bool passes_state = false;  // commit to what the optimiser remembers at the end
};

// How many chunks of the run are not kept in the folder: what its data will be opened for.
std::uint64_t NumChunksLeft(Env& env, const RunClaim& claim, const ProveSettings& settings);

// Steps of the chunks that the folder keeps of the run; none when it keeps none. A proof goes on
// in chunks of this size or not at all: others end where the kept ones do not, and a border has
// pads for two proofs. Errors: kConflict for kept chunks of several sizes.
Result<std::optional<std::uint64_t>> KeptStepsPerChunk(Env& env, const RunClaim& claim,
                                                       const std::string& folder);

struct ProveProgress {
  std::uint64_t chunk = 0;
  std::uint64_t num_chunks = 1;
  std::string_view stage;  // "data", "committing", "training", those of zk, "verifying", "kept"
};

// A commitment that proofs of the run open.
struct OpenedMatrix {
  MatrixId id;
  std::string name;        // "the weights' commitment at step 6"
  bool is_border = false;  // between two chunks: made for them alone
};

struct ProveHooks {
  // Its error ends the work (kCancelled); the chunks that are kept stay.
  std::function<Status(const ProveProgress&)> progress;
  // Asked before the work on a proof begins that opens a commitment: may it be opened once more?
  std::function<Status(const OpenedMatrix&)> may_open;
  // Asked before a proof is made that shows columns of a matrix of the claim or of a border, all
  // that it shows of it so far. Its error ends the proof: ask a ledger.
  ForColumns may_show;
  // Told of them once the proof is whole, and before anybody sees it: count them for good.
  ForColumns show;
  // Told of every step, those of kept chunks too.
  std::function<Status(const program::TrainingStep&)> on_step;
};

struct ProvenRun {
  RunClaim claim;
  Bytes proof;
  program::TrainingState end;
};

// `claim`: all but its ends. Errors: kInvalidArgument for a run that the program does not allow,
// naming step, tensor and value; kConflict where the folder keeps chunks of another size;
// kCancelled; those of the disk and of the hooks.
Result<ProvenRun> ProveRun(const program::Lowered& lowered, RunClaim claim,
                           const RunSecrets& secrets, const ProveSettings& settings, Env& env,
                           const ProveHooks& hooks = {});

}  // namespace flair::proof
