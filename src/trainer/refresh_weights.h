// RefreshWeights: a new commitment to weights that somebody holds, and the proof that it holds the
// same as the old one.
//
// The folder that it makes has weights.seed (mode 0600, kept with the weights), refresh.proof,
// refresh.statement.json and the new commitment's openings/. One that is stopped leaves at most
// refresh.pending beside them, from which the next one into the same folder goes on: no opening is
// spent twice.
//
// Place: trainer, over proof/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "program/program.h"
#include "proof/refresh_file.h"

namespace flair::trainer {

inline constexpr const char* kRefreshProof = "refresh.proof";
inline constexpr const char* kRefreshStatement = "refresh.statement.json";

struct RefreshRequest {
  program::Program program;  // whose tensors they are
  std::string weights;       // model file, exact: what training wrote
  std::string seed;          // file of 32 bytes; the old commitment's ledger lies beside it
  std::string folder;        // to make
  Digest wallet;
};

struct RefreshedWeights {
  proof::RefreshClaim claim;
  std::uint64_t proof_bytes = 0;
};

// Errors: kAlreadyExists for a folder that holds one, or one of something else that was stopped;
// kConflict for weights that are not those
// under the seed, as no ledger beside it tells, and when the old commitment has no opening left;
// those of the model file; those of the disk.
Result<RefreshedWeights> RefreshWeights(Env& env, const RefreshRequest& request);

}  // namespace flair::trainer
