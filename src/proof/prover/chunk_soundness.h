// ChunkSoundness: how sound the proof of a program's steps is, term by term, before there is one.
//
// Place: proof/prover, over program and zk. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "program/lower.h"
#include "zk/batch/soundness_term.h"

namespace flair::proof {

struct ChunkSize {
  std::uint64_t num_steps = 1;
  std::uint64_t num_records = 0;  // of the data set, where the program reads one
  std::uint64_t data_openings = 1;
};

// Of the chunk with most to open: it begins at an end of a run, with state passed in, and goes on
// into another chunk, so that no two long-lived matrices need be of one group.
// Errors: kInvalidArgument: what TrainingPlan refuses, too little soundness among it.
Result<std::vector<zk::SoundnessTerm>> ChunkSoundness(const program::Lowered& lowered,
                                                      const ChunkSize& size);

}  // namespace flair::proof
