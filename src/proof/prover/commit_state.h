// CommitState: weights, or what the optimiser remembers, as a matrix that outlives proofs.
//
// The commitment follows from the values and a 32-byte seed that is kept with them: whoever holds
// both makes it again, and knows that a proof is about exactly these values.
//
// Place: proof/prover, over program and zk/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "circuit/circuit.h"
#include "program/train.h"
#include "proof/run_claim.h"
#include "zk/prover/committed_matrix.h"

namespace flair::proof {

// Proofs that a matrix has pads for. Weights that are published begin and end several runs;
// those between two chunks are opened by these two alone.
inline constexpr std::uint64_t kOpeningsOfAnEnd = 8;
inline constexpr std::uint64_t kOpeningsOfABorder = 2;

// The circuit's carried numbers of `role`. REQUIRES: it has some, and cells for all.
// Errors: kInvalidArgument for more cells than a matrix holds.
Result<zk::CommittedMatrix> CommitState(const circuit::Circuit& circuit,
                                        circuit::Carried::Role role,
                                        const program::TrainingState& state, std::uint64_t openings,
                                        const Digest& seed);

inline MatrixId IdOf(const zk::CommittedMatrix& matrix) { return {matrix.shape(), matrix.root()}; }

}  // namespace flair::proof
